using System.Numerics;
using System.Runtime.InteropServices;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>
/// What a customer consents to, in the profile's header: of each purpose the newest word of an event whose source speaks of it; a source
/// that does not leaves it as it is. Where all sources that speak of consent speak of the same purposes, one time stands for all of them;
/// else each purpose has the time of its own word, so that the events' order does not matter.
/// </summary>
public sealed class Consents
{
    private readonly Slot? _times;
    private readonly int _purposes;

    private Consents(Slot? times, int purposes, IReadOnlyList<string> rules) => (_times, _purposes, Rules) = (times, purposes, rules);

    /// <summary>
    /// Which sources speak of what, as far as it is not that each speaks of all: profiles that others have folded hold other words.
    /// </summary>
    internal IReadOnlyList<string> Rules { get; }

    /// <summary>Reserves the times where purposes need their own; a purpose that is asked for and that nobody speaks of is an error.
    /// </summary>
    internal static Consents Compile(EventCatalog events, EngineOptions options, StateLayout layout, ConfigErrors errors)
    {
        var spoken = events.Sources.Select(s => s.SpokenConsent).Where(s => s != 0).Distinct().ToList();
        var all = spoken.Aggregate(0UL, (any, one) => any | one);
        var purpose = options.Decisions.Purpose is { } asked ? options.Purposes.ToList().IndexOf(asked) : -1;
        if (spoken.Count > 0 && purpose >= 0 && (all >> purpose & 1) == 0)
            errors.Add(options.Decisions.Node, "purpose", $"no source's 'consent' names a field for '{options.Decisions.Purpose}', so that "
                + "every decision would be no_consent", $"Write consent: {{ {options.Decisions.Purpose}: the field that says it, ... }} at "
                + "a source.");
        IReadOnlyList<string> rules = options.Purposes.Count == 0 ? []
            : options.Events.All(e => e.Consent is not { Any: true }) ? ["consent: nobody"]
            : spoken is [ulong.MaxValue] && events.Sources.All(s => s.SpokenConsent != 0) ? []
            : [.. events.Sources.Select(s => $"consent: {s.SpokenConsent:x}")];
        return new Consents(spoken.Count < 2 ? null : layout.Reserve("consent/times", options.Purposes.Count * sizeof(long),
            $"purposes={string.Join(',', options.Purposes)}"), options.Purposes.Count, rules);
    }

    /// <summary>Nothing was said yet.</summary>
    internal void Initialize(Span<byte> profile)
    {
        StateLayout.ConsentTime(profile) = long.MinValue;
        Times(profile).Fill(long.MinValue);
    }

    /// <summary>A profile that comes from a layout with one time for all purposes: its word is as old as that for each of them.</summary>
    internal void TakeOneTime(Span<byte> profile) => Times(profile).Fill(StateLayout.ConsentTime(profile));

    /// <summary>
    /// The newest word counts; of two at the same time the stricter, so that their order does not matter. Returns what counts now.
    /// </summary>
    internal ulong Note(Span<byte> profile, Event e)
    {
        ref var known = ref StateLayout.Consent(profile);
        if (e.ConsentSpoken == 0) return known;
        ref var newest = ref StateLayout.ConsentTime(profile);
        if (_times is null) known = Word(ref newest, e.Time, known, e.Consent, e.ConsentSpoken);
        else
        {
            var times = Times(profile);
            for (var left = e.ConsentSpoken; left != 0 && BitOperations.TrailingZeroCount(left) is var i && i < _purposes; left &= left - 1)
                known = Word(ref times[i], e.Time, known, e.Consent, 1UL << i);
            newest = Math.Max(newest, e.Time);
        }
        return known;
    }

    private static ulong Word(ref long at, long time, ulong known, ulong said, ulong spoken)
    {
        if (time < at) return known;
        if (time == at) return known & (said | ~spoken);
        at = time;
        return known & ~spoken | said & spoken;
    }

    private Span<long> Times(Span<byte> profile) => _times is null ? [] : MemoryMarshal.Cast<byte, long>(_times.In(profile));
}
