using System.Runtime.InteropServices;
using StreamEngine.Configuration;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.State;

namespace StreamEngine.Decisions;

/// <summary>
/// The contact limits, exact: caps and suppressions over what was shown or over outcomes. Each counter keeps the times of the last
/// <c>n</c> that it counts, newest last. A cap is reached while the oldest of them is still inside its window. A suppression begins when
/// the oldest and the newest of them stand within its window, and lasts a time from the newest; its end is kept, whatever comes later.
/// What is shown is written by decisions, outcomes by events: whoever applies an outcome lets the customer's waiting decisions be made
/// first.
/// </summary>
public sealed class ContactPolicy
{
    /// <summary>The most bytes that one limit may take in every profile.</summary>
    public const int MaxBytes = 1 << 16;

    private readonly Limit[] _limits;
    private readonly Counter[] _counters;
    private readonly Counter[][] _byOffer;   // what forbids an offer
    // By kind of outcome (none: shown) and offer, what counts it; behind the offers, one that is gone.
    private readonly Counter[][][] _records;

    private ContactPolicy(Limit[] limits, Counter[] counters, int offers)
    {
        (_limits, _counters) = (limits, counters);
        _byOffer = [.. Enumerable.Range(0, offers).Select(offer => counters.Where(c => c.Covers[offer]).ToArray())];
        _records =
        [
            .. Enum.GetValues<OutcomeKind>().Select(kind => Enumerable.Range(0, offers + 1).Select(offer =>
                counters.Where(c => c.Kind == kind && (offer < offers ? c.Covers[offer] : limits[c.Limit].IsOfAll)).ToArray()).ToArray()),
        ];
        CountsOutcomes = counters.Any(c => c.Kind != OutcomeKind.None);
    }

    /// <summary>The limits' names: the caps in config order, then the suppressions.</summary>
    public IEnumerable<string> Names => _limits.Select(l => l.Name);

    /// <summary>How many limits there are.</summary>
    public int Count => _limits.Length;

    /// <summary>Whether there is any limit: without one a decision needs no profile.</summary>
    public bool Any => _counters.Length > 0;

    /// <summary>Whether any limit counts outcomes.</summary>
    public bool CountsOutcomes { get; }

    /// <summary>A limit's name.</summary>
    public string Name(int limit) => _limits[limit].Name;

    /// <summary>Why an offer is dropped that a limit forbids.</summary>
    public DropReason Reason(int limit) => _limits[limit].Reason;

    /// <summary>Empties the slots of a new profile.</summary>
    public void Initialize(Span<byte> profile)
    {
        foreach (var counter in _counters) counter.Slot.In(profile).Clear();
    }

    /// <summary>Whether a limit forbids the offer now.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="offer">The offer's index.</param>
    /// <param name="now">The time of the decision, ms.</param>
    /// <param name="limit">The first limit that is reached; -1 where none is.</param>
    public bool Reached(ReadOnlySpan<byte> profile, int offer, long now, out int limit)
    {
        foreach (var counter in _byOffer[offer])
        {
            if (!counter.Forbids(profile, now)) continue;
            limit = counter.Limit;
            return true;
        }
        limit = -1;
        return false;
    }

    /// <summary>Counts a shown offer, or an outcome of one; times may come in any order.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="kind">The outcome; none for what is shown.</param>
    /// <param name="offer">The offer's index; -1 for one that the config has no more: limits per customer over all offers count it.</param>
    /// <param name="time">When it was decided, or when the outcome was, ms.</param>
    public void Record(Span<byte> profile, OutcomeKind kind, int offer, long time)
    {
        var byOffer = _records[(int)kind];
        foreach (var counter in byOffer[offer < 0 ? byOffer.Length - 1 : offer]) counter.Insert(profile, time);
    }

    /// <summary>
    /// How much of each limit is used: its index; the offer, channel or group that it counts, empty where it counts everything together;
    /// how many count now; and at how many it forbids. A suppression that lasts is used up.
    /// </summary>
    /// <param name="profile">The profile.</param>
    /// <param name="now">The time that windows end at, ms.</param>
    public IEnumerable<(int Limit, string Of, int Used, int Max)> Uses(byte[] profile, long now) =>
        _counters.Select(c => (c.Limit, c.Of, c.Used(profile, now), c.Max));

    /// <summary>
    /// Reserves the slots: one per limit, or one per limit and offer, channel or group, by name, so that another offer in the config moves
    /// no counts.
    /// </summary>
    internal static ContactPolicy Compile(IReadOnlyList<CapOptions> caps, IReadOnlyList<SuppressionOptions> suppressions,
        IReadOnlyList<OfferOptions> offers, OutcomeOptions? outcomes, StateLayout layout, ConfigErrors errors)
    {
        var compiler = new ContactCompiler(offers, outcomes, layout, errors);
        for (var i = 0; i < caps.Count; i++) compiler.Add(caps[i], "cap", "max", TimeSpan.Zero, caps.Take(i));
        for (var i = 0; i < suppressions.Count; i++)
        {
            var options = suppressions[i];
            if (options.For <= TimeSpan.Zero)
                errors.Add(options.Node, "for", $"for {options.For} nothing is left off", "Choose a duration above 0, such as 14d");
            compiler.Add(options, "suppression", "after", options.For, suppressions.Take(i));
        }
        return new ContactPolicy([.. compiler.Limits], [.. compiler.Counters], offers.Count);
    }

    /// <summary>A compiled limit.</summary>
    internal sealed record Limit(string Name, DropReason Reason, bool IsOfAll);

    /// <summary>One slot of times: their count, where it has one the end of the rest, and the times in order.</summary>
    internal sealed record Counter(int Limit, string Of, Slot Slot, OutcomeKind Kind, int Max, long Window, long For, bool[] Covers)
    {
        private bool Rests => For > 0;

        /// <summary>Bytes of a slot.</summary>
        public static int Bytes(int max, bool rests) => sizeof(long) * ((rests ? 2 : 1) + max);

        /// <summary>Whether it forbids now.</summary>
        public bool Forbids(ReadOnlySpan<byte> profile, long now)
        {
            var slot = MemoryMarshal.Cast<byte, long>(Slot.In(profile));
            return Rests ? now < slot[1] : slot[0] == Max && slot[1] > now - Window;
        }

        /// <summary>How many count now.</summary>
        public int Used(ReadOnlySpan<byte> profile, long now)
        {
            var slot = MemoryMarshal.Cast<byte, long>(Slot.In(profile));
            if (Rests && now < slot[1]) return Max;
            var used = 0;
            foreach (var time in slot.Slice(Rests ? 2 : 1, (int)slot[0])) used += time > now - Window ? 1 : 0;
            return Rests ? Math.Min(used, Max - 1) : used;
        }

        /// <summary>Counts one.</summary>
        public void Insert(Span<byte> profile, long time)
        {
            var slot = MemoryMarshal.Cast<byte, long>(Slot.In(profile));
            var times = slot[(Rests ? 2 : 1)..];
            var count = (int)slot[0];
            var at = count;
            while (at > 0 && times[at - 1] > time) at--;
            if (count < Max)
            {
                times[at..count].CopyTo(times[(at + 1)..]);
                times[at] = time;
                slot[0] = count + 1;
            }
            else if (at > 0)
            {
                times[1..at].CopyTo(times);
                times[at - 1] = time;
            }
            else return;
            if (Rests && slot[0] == Max && times[Max - 1] - times[0] < Window) slot[1] = Math.Max(slot[1], times[Max - 1] + For);
        }
    }
}
