using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamEngine.State;

namespace StreamEngine.Decisions.Outcomes;

/// <summary>
/// The slot of a profile that keeps the customer's open decisions, the oldest first, and outcomes that came before their decision. Events
/// and decisions both write it: whoever applies an event lets the customer's waiting decisions be made first.
/// </summary>
internal sealed class OpenDecisions
{
    /// <summary>The most decisions that a customer may have open.</summary>
    public const int MostOpen = 256;

    /// <summary>How many early outcomes are kept; a further one takes the place of the oldest.</summary>
    public const int MostEarly = 4;

    /// <summary>No closing is waited for.</summary>
    public const long Never = -1;

    // Another experiment in the config must not change the layout at once.
    private const int ExperimentStep = 4;

    private readonly Slot _slot;
    private readonly int _most, _width, _experiments;
    private readonly long _span, _soonest;
    private readonly Learning[] _learning;
    private readonly bool _countsEarly;   // whether some reward counts before its decision is closed

    private OpenDecisions(Slot slot, int most, int experiments, long span, Learning[] learning)
    {
        (_slot, _most, _experiments, _span, _learning) = (slot, most, experiments, span, learning);
        _soonest = learning.Select(l => l.After).Append(span).Min();
        _countsEarly = _soonest < span;
        _width = WidthOf(experiments);
    }

    /// <summary>Reserves the slot.</summary>
    /// <param name="most">How many decisions it keeps.</param>
    /// <param name="experiments">How many experiments there are.</param>
    /// <param name="span">How long after it was made a decision is closed, ms of the watermark.</param>
    /// <param name="layout">The profile's layout.</param>
    /// <param name="learning">The placements that learn from rewards.</param>
    public static OpenDecisions Reserve(int most, int experiments, long span, StateLayout layout, params Learning[] learning)
    {
        var room = (experiments + ExperimentStep - 1) / ExperimentStep * ExperimentStep;
        var length = Unsafe.SizeOf<Head>() + MostEarly * Unsafe.SizeOf<EarlyOutcome>() + most * WidthOf(room);
        return new OpenDecisions(layout.Reserve("outcomes/open", length, $"decisions open={most} experiments={room}"), most, room, span,
            learning);
    }

    /// <summary>The slot's name in the layout.</summary>
    public string SlotName => _slot.Name;

    /// <summary>How many variations are kept with a decision.</summary>
    public int Experiments => _experiments;

    /// <summary>Empties the slot of a new profile.</summary>
    public void Initialize(Span<byte> profile)
    {
        _slot.In(profile).Clear();
        At(profile).Waiting = Never;
    }

    /// <summary>How many decisions are open.</summary>
    public int Count(ReadOnlySpan<byte> profile) => MemoryMarshal.AsRef<Head>(_slot.In(profile)).Count;

    /// <summary>Whether the customer's next decision may write a record: one must give way, or an outcome waits for it.</summary>
    public bool MayWrite(ReadOnlySpan<byte> profile) => MemoryMarshal.AsRef<Head>(_slot.In(profile)) is var head
        && (head.Count == _most || head.Early > 0);

    /// <summary>Whether a further decision needs the oldest one's place.</summary>
    public bool IsFull(Span<byte> profile) => At(profile).Count == _most;

    /// <summary>An open decision, 0 the oldest.</summary>
    public ref OpenDecision this[Span<byte> profile, int index] => ref MemoryMarshal.AsRef<OpenDecision>(Entry(profile, index));

    /// <summary>The hashes of a decision's variations; 0 where there are fewer.</summary>
    public Span<ulong> Variations(Span<byte> profile, int index) =>
        MemoryMarshal.Cast<byte, ulong>(Entry(profile, index)[Unsafe.SizeOf<OpenDecision>()..]);

    /// <summary>Makes room for a decision behind the others, empty; there must be room.</summary>
    /// <returns>Its index.</returns>
    public int Add(Span<byte> profile)
    {
        var index = At(profile).Count++;
        Entry(profile, index).Clear();
        return index;
    }

    /// <summary>Takes a decision out.</summary>
    public void Remove(Span<byte> profile, int index)
    {
        var count = At(profile).Count--;
        var entries = _slot.In(profile)[(Unsafe.SizeOf<Head>() + MostEarly * Unsafe.SizeOf<EarlyOutcome>())..];
        entries[((index + 1) * _width)..(count * _width)].CopyTo(entries[(index * _width)..]);
        entries.Slice((count - 1) * _width, _width).Clear();
    }

    /// <summary>The open decision of a position; -1 where there is none.</summary>
    public int Find(Span<byte> profile, DecisionPosition position)
    {
        for (var i = At(profile).Count - 1; i >= 0; i--)
            if (this[profile, i].Position == position) return i;
        return -1;
    }

    /// <summary>Keeps an outcome that came before its decision.</summary>
    public void AddEarly(Span<byte> profile, in EarlyOutcome early)
    {
        ref var head = ref At(profile);
        if (head.Early == MostEarly) RemoveEarly(profile, 0);
        Early(profile)[head.Early++] = early;
    }

    /// <summary>Takes out the first early outcome of a position, if there is one.</summary>
    public bool TryTakeEarly(Span<byte> profile, DecisionPosition position, out EarlyOutcome found)
    {
        found = default;
        var early = Early(profile);
        for (var i = 0; i < At(profile).Early; i++)
        {
            if (new DecisionPosition(early[i].Source, early[i].Offset, early[i].Ordinal) != position) continue;
            found = early[i];
            RemoveEarly(profile, i);
            return true;
        }
        return false;
    }

    /// <summary>When a decision is closed, ms: the watermark must be past it, so that no outcome that counts can still be let in.</summary>
    public long ClosesAt(in OpenDecision decision) => ClosesAt(decision.DecidedAt);

    /// <summary>When a decision that is made then is closed, ms.</summary>
    public long ClosesAt(long decidedAt) => decidedAt + _span;

    /// <summary>When a decision that is made then is closed, or its reward counts, at the earliest, ms.</summary>
    public long SoonestOf(long decidedAt) => decidedAt + _soonest;

    /// <summary>
    /// When a decision's reward counts for its arm, ms of the watermark as for closings; <see cref="long.MaxValue"/> where it does not, or
    /// has.
    /// </summary>
    public long CountsAt(in OpenDecision decision) => (decision.Flags & (OpenFlags.IsDefault | OpenFlags.Counted)) == 0
        && Learns(decision.Placement) is var index and >= 0 ? decision.DecidedAt + _learning[index].After : long.MaxValue;

    /// <summary>The exploration of a placement that learns; -1 of another.</summary>
    public int ExplorationOf(in OpenDecision decision) =>
        Learns(decision.Placement) is var index and >= 0 ? _learning[index].Exploration : -1;

    /// <summary>
    /// The earliest closing, where it has to be scheduled; it is then taken as scheduled. Where one waits already it does not: a decision
    /// that is closed before that (a request may have been ahead of its customer's events) is closed with it, so that a profile has one
    /// entry in the heap. Only a reward that counts before its decision is closed does not wait for it. The entry of the closing stays in
    /// the heap then, a decision remembers it, and it is what is waited for again once the reward has counted.
    /// </summary>
    public bool MustSchedule(Span<byte> profile, out long due)
    {
        due = long.MaxValue;
        ref var head = ref At(profile);
        if (head.Count == 0 || head.Waiting != Never && !_countsEarly) return false;
        var (counts, closes, wakes, first) = (long.MaxValue, long.MaxValue, long.MaxValue, 0);
        for (var i = 0; i < head.Count; i++)
        {
            ref var decision = ref this[profile, i];
            counts = Math.Min(counts, CountsAt(decision));
            if (WakesAt(decision) is var at and not Never) wakes = Math.Min(wakes, at);
            if (ClosesAt(decision) >= closes) continue;
            (closes, first) = (ClosesAt(decision), i);
        }
        // An entry that is due before the first closing is as good as one for it: whatever is open then is scheduled anew.
        due = Math.Min(counts, Math.Min(wakes, closes));
        if (head.Waiting != Never && head.Waiting <= due) return false;
        head.Waiting = due;
        if (due == wakes) return false;
        if (_countsEarly && due == closes) Remember(ref this[profile, first], due);
        return true;
    }

    /// <summary>When an entry in the heap is due that a decision remembers; <see cref="Never"/> where it remembers none.</summary>
    public long WakesAt(in OpenDecision decision) =>
        (decision.Flags & OpenFlags.Wakes) != 0 ? ClosesAt(decision) - decision.Ahead : Never;

    /// <summary>Lets a decision remember an entry in the heap, such as that of the one whose place it takes.</summary>
    /// <param name="decision">The decision; one that is closed before the entry is due can't.</param>
    /// <param name="due">When the entry is due; <see cref="Never"/> for none.</param>
    public void Remember(ref OpenDecision decision, long due)
    {
        if (due == Never || ClosesAt(decision) - due is not (var ahead and >= 0 and <= uint.MaxValue)) return;
        decision.Flags |= OpenFlags.Wakes;
        decision.Ahead = (uint)ahead;
    }

    /// <summary>
    /// An entry has left the heap: whether this is the closing that is waited for; then nothing is waited for any more.
    /// </summary>
    public bool IsDue(Span<byte> profile, long due)
    {
        ref var head = ref At(profile);
        for (var i = 0; i < head.Count; i++)
        {
            ref var decision = ref this[profile, i];
            if (WakesAt(decision) == due) (decision.Flags, decision.Ahead) = (decision.Flags & ~OpenFlags.Wakes, 0);
        }
        if (head.Waiting != due) return false; // the entry of an older version of a loaded profile
        head.Waiting = Never;
        return true;
    }

    /// <summary>The closing that a profile waits for; <see cref="Never"/> for none.</summary>
    public long Waiting(ReadOnlySpan<byte> profile) => MemoryMarshal.AsRef<Head>(_slot.In(profile)).Waiting;

    /// <summary>Lets a profile that was written with longer windows wait no longer than these.</summary>
    public void Rearm(Span<byte> profile)
    {
        ref var head = ref At(profile);
        if (head.Waiting != Never) head.Waiting = Math.Min(head.Waiting, Earliest(profile));
    }

    private long Earliest(Span<byte> profile)
    {
        var earliest = long.MaxValue;
        for (var i = 0; i < At(profile).Count; i++)
        {
            ref var decision = ref this[profile, i];
            earliest = Math.Min(earliest, Math.Min(ClosesAt(decision), CountsAt(decision)));
        }
        return earliest;
    }

    private int Learns(ulong placement)
    {
        for (var i = 0; i < _learning.Length; i++)
            if (_learning[i].Placement == placement) return i;
        return -1;
    }

    private static int WidthOf(int experiments) => Unsafe.SizeOf<OpenDecision>() + experiments * sizeof(ulong);

    private ref Head At(Span<byte> profile) => ref MemoryMarshal.AsRef<Head>(_slot.In(profile));

    private Span<EarlyOutcome> Early(Span<byte> profile) => MemoryMarshal.Cast<byte, EarlyOutcome>(
        _slot.In(profile).Slice(Unsafe.SizeOf<Head>(), MostEarly * Unsafe.SizeOf<EarlyOutcome>()));

    private void RemoveEarly(Span<byte> profile, int index)
    {
        var early = Early(profile);
        early[(index + 1)..].CopyTo(early[index..]);
        early[^1] = default;
        At(profile).Early--;
    }

    private Span<byte> Entry(Span<byte> profile, int index) => _slot.In(profile)
        .Slice(Unsafe.SizeOf<Head>() + MostEarly * Unsafe.SizeOf<EarlyOutcome>() + index * _width, _width);

    /// <summary>A placement that learns from rewards.</summary>
    /// <param name="Placement">The hash of its name.</param>
    /// <param name="Exploration">The index of its exploration.</param>
    /// <param name="After">How long after a decision its reward counts, ms.</param>
    internal readonly record struct Learning(ulong Placement, int Exploration, long After);

    [StructLayout(LayoutKind.Sequential, Pack = 8)]
    private struct Head
    {
        public int Count;
        public int Early;
        public long Waiting;   // when its entry in the heap is due
    }
}
