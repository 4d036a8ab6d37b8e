using System.Buffers.Binary;
using System.Runtime.InteropServices;
using StreamEngine.Configuration;
using StreamEngine.State;

namespace StreamEngine.Decisions;

/// <summary>
/// Contact limits as exact sliding windows: each cap keeps the times of the last <c>max</c> offers shown, newest last, and is reached when
/// the oldest of them is still inside the window. The slots belong to decisions alone: events never write them.
/// </summary>
public sealed class Caps
{
    /// <summary>The most bytes that one cap may take in every profile.</summary>
    public const int MaxBytes = 1 << 16;

    private readonly Counter[] _counters;
    private readonly CapScope[] _scopes;
    private readonly Counter[][] _byOffer;
    private readonly Counter[] _anyOffer;

    private Caps(IReadOnlyList<CapOptions> caps, Counter[] counters, int offers)
    {
        Names = caps.Select(c => c.Name).ToArray();
        _scopes = caps.Select(c => c.Per).ToArray();
        _counters = counters;
        _byOffer = new Counter[offers][];
        _anyOffer = counters.Where(c => caps[c.Cap].Per == CapScope.Customer && caps[c.Cap].Offers.Count == 0).ToArray();
        for (var offer = 0; offer < offers; offer++) _byOffer[offer] = counters.Where(c => c.Offers[offer]).ToArray();
    }

    /// <summary>The caps' names in config order.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Whether there is any cap: without one a decision needs no profile.</summary>
    public bool Any => _counters.Length > 0;

    /// <summary>What a cap counts.</summary>
    public CapScope Scope(int cap) => _scopes[cap];

    /// <summary>Empties the slots of a new profile.</summary>
    public void Initialize(Span<byte> profile)
    {
        foreach (var counter in _counters) counter.Slot.In(profile).Clear();
    }

    /// <summary>Whether a cap forbids the offer now.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="offer">The offer's index.</param>
    /// <param name="now">The time of the decision, ms.</param>
    /// <param name="cap">The first cap that is reached; -1 where none is.</param>
    public bool Reached(ReadOnlySpan<byte> profile, int offer, long now, out int cap)
    {
        foreach (var counter in _byOffer[offer])
        {
            var slot = counter.Slot.In(profile);
            if (Count(slot) < counter.Max || Times(slot)[0] <= now - counter.Window) continue;
            cap = counter.Cap;
            return true;
        }
        cap = -1;
        return false;
    }

    /// <summary>Counts a shown offer; times may come in any order.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="offer">The offer's index; -1 for one that the config has no more: caps per customer over all offers count it.</param>
    /// <param name="time">When it was decided, ms.</param>
    public void Record(Span<byte> profile, int offer, long time)
    {
        foreach (var counter in offer < 0 ? _anyOffer : _byOffer[offer]) Insert(counter.Slot.In(profile), counter.Max, time);
    }

    /// <summary>
    /// How much of each cap is used: its index, the offer that it counts (-1 where it counts offers together), offers shown, and the most.
    /// </summary>
    /// <param name="profile">The profile.</param>
    /// <param name="now">The time that windows end at, ms.</param>
    public IEnumerable<(int Cap, int Offer, int Used, int Max)> Uses(byte[] profile, long now)
    {
        foreach (var counter in _counters)
        {
            var used = 0;
            var slot = counter.Slot.In((ReadOnlySpan<byte>)profile);
            foreach (var time in Times(slot)[..Count(slot)]) used += time > now - counter.Window ? 1 : 0;
            yield return (counter.Cap, _scopes[counter.Cap] == CapScope.Offer ? Array.IndexOf(counter.Offers, true)
                : -1, used, counter.Max);
        }
    }

    /// <summary>
    /// Reserves the slots: one per cap, or one per cap and offer, by name, so that another offer in the config moves no counts.
    /// </summary>
    internal static Caps Compile(IReadOnlyList<CapOptions> caps, IReadOnlyList<string> offers, StateLayout layout, ConfigErrors errors)
    {
        var counters = new List<Counter>();
        for (var i = 0; i < caps.Count; i++)
        {
            var cap = caps[i];
            if (caps.Take(i).Any(c => c.Name == cap.Name))
                errors.Add(cap.Node.At, $"cap {cap.Name} is declared twice", "Rename or remove one of them");
            if (cap.Max < 1)
                errors.Add(cap.Node, "max", $"a cap of {cap.Max} can't be kept",
                    "Choose 1 or more; to forbid an offer, use eligible: 'false'");
            if (cap.Window <= TimeSpan.Zero)
                errors.Add(cap.Node, "window", $"a window of {cap.Window} holds nothing", "Choose a duration above 0, such as 1d");
            foreach (var name in cap.Offers)
                if (!offers.Contains(name))
                    errors.Add(cap.Node, "offers", $"'{name}' is no offer", KnownNames.Hint(name, offers, "offers"));
            var covered = offers.Select(o => cap.Offers.Count == 0 || cap.Offers.Contains(o)).ToArray();
            var length = 8 * (1 + Math.Max(1, cap.Max));
            var slots = cap.Per == CapScope.Customer ? 1 : covered.Count(c => c);
            if ((long)length * slots > MaxBytes)
            {
                errors.Add(cap.Node, "max", $"cap {cap.Name} takes {(long)length * slots} bytes in every profile, more than {MaxBytes}",
                    "Lower max, or name fewer offers");
                continue;
            }
            if (cap.Per == CapScope.Customer) counters.Add(Reserve(i, cap, $"cap/{cap.Name}", covered));
            else
                for (var offer = 0; offer < offers.Count; offer++)
                    if (covered[offer])
                        counters.Add(Reserve(i, cap, $"cap/{cap.Name}/{offers[offer]}", offers.Select((_, o) => o == offer).ToArray()));
        }
        return new Caps(caps, [.. counters], offers.Count);

        Counter Reserve(int index, CapOptions cap, string name, bool[] covers)
        {
            var max = Math.Max(1, cap.Max);
            var of = cap.Per != CapScope.Customer ? "" : cap.Offers.Count == 0 ? "of all offers"
                : $"of {string.Join(", ", cap.Offers.Order(StringComparer.Ordinal))}";
            return new Counter(index, layout.Reserve(name, 8 * (1 + max), $"times max={max}", of), max, (long)cap.Window.TotalMilliseconds,
                covers);
        }
    }

    private static int Count(ReadOnlySpan<byte> slot) => BinaryPrimitives.ReadInt32LittleEndian(slot);

    /// <summary>The kept times, ascending, behind the count.</summary>
    private static ReadOnlySpan<long> Times(ReadOnlySpan<byte> slot) => MemoryMarshal.Cast<byte, long>(slot[8..]);

    private static void Insert(Span<byte> slot, int max, long time)
    {
        var times = MemoryMarshal.Cast<byte, long>(slot[8..]);
        var count = Count(slot);
        var at = count;
        while (at > 0 && times[at - 1] > time) at--;
        if (count < max)
        {
            times[at..count].CopyTo(times[(at + 1)..]);
            times[at] = time;
            BinaryPrimitives.WriteInt32LittleEndian(slot, count + 1);
        }
        else if (at > 0)
        {
            times[1..at].CopyTo(times);
            times[at - 1] = time;
        }
    }

    /// <summary>One slot of times.</summary>
    private sealed record Counter(int Cap, Slot Slot, int Max, long Window, bool[] Offers);
}
