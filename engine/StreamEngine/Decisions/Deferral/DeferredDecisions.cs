using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamEngine.Events;
using StreamEngine.State;

namespace StreamEngine.Decisions;

/// <summary>
/// The slot of a profile that keeps the customer's decisions that wait for the end of quiet hours, the oldest first: at most one of each
/// trigger and placement. Decisions write it, and the watermark takes from it: whoever moves the watermark past an end lets those decisions
/// be made first that could put one in, or another one in its place.
/// </summary>
internal sealed class DeferredDecisions
{
    /// <summary>The longest placement that is kept.</summary>
    public const int PlacementBytes = 110;

    /// <summary>No end is waited for.</summary>
    public const long Never = -1;

    private readonly Slot _slot;
    private readonly int _most;
    private readonly Dictionary<ulong, int> _triggers;
    private readonly ulong[] _hashes;

    private DeferredDecisions(Slot slot, int most, IReadOnlyList<CompiledTrigger> triggers)
    {
        (_slot, _most) = (slot, most);
        _hashes = [.. triggers.Select(t => Hash64.Of(System.Text.Encoding.UTF8.GetBytes(t.Name)))];
        _triggers = _hashes.Select((h, i) => KeyValuePair.Create(h, i)).DistinctBy(t => t.Key).ToDictionary();
    }

    /// <summary>The slot's name in the layout.</summary>
    public string SlotName => _slot.Name;

    /// <summary>Reserves the slot.</summary>
    /// <param name="most">How many decisions it keeps.</param>
    /// <param name="triggers">The triggers, by whose names they are kept.</param>
    /// <param name="layout">The profile's layout.</param>
    public static DeferredDecisions Reserve(int most, IReadOnlyList<CompiledTrigger> triggers, StateLayout layout) =>
        new(layout.Reserve("decisions/deferred", Unsafe.SizeOf<Head>() + most * Unsafe.SizeOf<Entry>(), $"decisions deferred={most}"), most,
            triggers);

    /// <summary>What a trigger is called in the slot.</summary>
    public ulong TriggerHash(int trigger) => _hashes[trigger];

    /// <summary>The trigger that is called so; -1 where the config has it no more.</summary>
    public int Trigger(ulong hash) => _triggers.GetValueOrDefault(hash, -1);

    /// <summary>Empties the slot of a new profile.</summary>
    public void Initialize(Span<byte> profile)
    {
        _slot.In(profile).Clear();
        At(profile).Waiting = Never;
    }

    /// <summary>How many decisions wait.</summary>
    public int Count(ReadOnlySpan<byte> profile) => MemoryMarshal.AsRef<Head>(_slot.In(profile)).Count;

    /// <summary>The end that a profile waits for; <see cref="Never"/> for none.</summary>
    public long Waiting(ReadOnlySpan<byte> profile) => MemoryMarshal.AsRef<Head>(_slot.In(profile)).Waiting;

    /// <summary>The decisions that wait, the oldest first.</summary>
    public IEnumerable<(int Trigger, string Placement, long Until)> All(byte[] profile)
    {
        for (var i = 0; i < Count(profile); i++)
        {
            var entry = Entries(profile)[i];
            yield return (Trigger(entry.Trigger), System.Text.Encoding.UTF8.GetString(entry.Placement), entry.Until);
        }
    }

    /// <summary>Lets a decision wait, behind the others.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="trigger">What its trigger is called here.</param>
    /// <param name="placement">Its placement; one that is too long is not kept.</param>
    /// <param name="until">The end that it waits for, ms.</param>
    /// <returns>Which one's place it took; none where there was room.</returns>
    public DeferralFate Add(Span<byte> profile, ulong trigger, ReadOnlySpan<byte> placement, long until)
    {
        if (placement.Length > PlacementBytes) return DeferralFate.TooLong;
        ref var head = ref At(profile);
        var entries = Entries(profile);
        var fate = DeferralFate.None;
        var same = 0;
        while (same < head.Count && !(entries[same].Trigger == trigger && entries[same].Placement.SequenceEqual(placement))) same++;
        if (same < head.Count || head.Count == _most)
        {
            fate = same < head.Count ? DeferralFate.Replaced : DeferralFate.Displaced;
            Remove(profile, same < head.Count ? same : 0);
        }
        entries[head.Count++].Set(trigger, placement, until);
        return fate;
    }

    /// <summary>
    /// When the profile has to be looked at, where that has to be scheduled; it is then taken as scheduled. Where a look waits already that
    /// comes no later it does not; one that comes later comes to nothing.
    /// </summary>
    public bool MustSchedule(Span<byte> profile, out long due)
    {
        ref var head = ref At(profile);
        due = long.MaxValue;
        foreach (ref var entry in Entries(profile)[..head.Count]) due = Math.Min(due, entry.Until);
        if (head.Count == 0 || head.Waiting != Never && head.Waiting <= due) return false;
        head.Waiting = due;
        return true;
    }

    /// <summary>Whether this is the look that the profile waits for; then it waits for none any more.</summary>
    public bool IsDue(Span<byte> profile, long due)
    {
        ref var head = ref At(profile);
        if (head.Waiting != due) return false;
        head.Waiting = Never;
        return true;
    }

    /// <summary>Takes out the first decision whose end has come.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="due">The time that has come, ms.</param>
    /// <param name="trigger">Its trigger; -1 where the config has it no more.</param>
    /// <param name="placement">Its placement.</param>
    /// <returns>Whether there was one.</returns>
    public bool TryTake(Span<byte> profile, long due, out int trigger, out byte[] placement)
    {
        (trigger, placement) = (-1, []);
        var entries = Entries(profile);
        for (var i = 0; i < At(profile).Count; i++)
        {
            if (entries[i].Until > due) continue;
            trigger = Trigger(entries[i].Trigger);
            placement = entries[i].Placement.ToArray();
            Remove(profile, i);
            return true;
        }
        return false;
    }

    private void Remove(Span<byte> profile, int index)
    {
        var count = At(profile).Count--;
        var entries = Entries(profile);
        entries[(index + 1)..count].CopyTo(entries[index..]);
        entries[count - 1] = default;
    }

    private ref Head At(Span<byte> profile) => ref MemoryMarshal.AsRef<Head>(_slot.In(profile));

    private Span<Entry> Entries(Span<byte> profile) => MemoryMarshal.Cast<byte, Entry>(_slot.In(profile)[Unsafe.SizeOf<Head>()..]);

    [StructLayout(LayoutKind.Sequential, Pack = 8)]
    private struct Head
    {
        public int Count;
        public long Waiting;   // when its entry in the heap is due
    }

    /// <summary>A decision that waits.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 8)]
    private struct Entry
    {
        public long Until;
        public ulong Trigger;   // the hash of its name
        private short _length;
        private PlacementText _placement;

        [UnscopedRef]
        public readonly ReadOnlySpan<byte> Placement =>
            MemoryMarshal.CreateReadOnlySpan(in Unsafe.As<PlacementText, byte>(ref Unsafe.AsRef(in _placement)), _length);

        public void Set(ulong trigger, ReadOnlySpan<byte> placement, long until)
        {
            (Trigger, Until, _length) = (trigger, until, (short)placement.Length);
            placement.CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.As<PlacementText, byte>(ref _placement), PlacementBytes));
        }
    }

    /// <summary>Room for the text.</summary>
    [InlineArray(PlacementBytes)]
    private struct PlacementText
    {
        private byte _first;
    }
}
