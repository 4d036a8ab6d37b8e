using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamEngine.Events;
using StreamEngine.State;

namespace StreamEngine.Decisions;

/// <summary>What a sticky experiment made of a customer. The names, in snake case, are the metric's labels.</summary>
public enum StickyFate : byte
{
    /// <summary>The experiment is not sticky, or the customer is outside of it.</summary>
    None,

    /// <summary>The variation was assigned now, and is kept from now on.</summary>
    Assigned,

    /// <summary>The variation that was kept holds.</summary>
    Kept,

    /// <summary>The same, and by today's weights or coverage the customer would not be in it.</summary>
    Moved,

    /// <summary>The customer was assigned under too low a bucket version, and is in the experiment no more.</summary>
    Blocked,
}

/// <summary>
/// The slot of a profile that keeps a customer's variation of one experiment, as GrowthBook's sticky buckets do: under the bucket version
/// that assigned it, and the lowest version that ever assigned one. Decisions write it, and no event does.
/// </summary>
public sealed class StickyBuckets
{
    /// <summary>What slots are called.</summary>
    public const string SlotPrefix = "experiment/";

    private readonly Slot _slot;
    private readonly int _version, _least;
    private readonly byte[] _name;
    private readonly ulong[] _variations;

    /// <summary>Reserves the slot of an experiment.</summary>
    internal StickyBuckets(ExperimentOptions options, StateLayout layout)
    {
        _slot = layout.Reserve(SlotPrefix + options.Name, Unsafe.SizeOf<Entry>(), "sticky bucket");
        (_version, _least, _name) = (options.BucketVersion, options.MinBucketVersion, SpanWriter.Encode(options.Name));
        _variations = [.. options.Variations.Select(v => HashOf([.. _name, .. SpanWriter.Encode(v.Name)]))];
    }

    /// <summary>The version that assigns.</summary>
    public int Version => _version;

    /// <summary>Empties the slot of a new profile.</summary>
    public void Initialize(Span<byte> profile) => At(profile) = new Entry { Lowest = -1 };

    /// <summary>The variation that is kept; -1 for none, or for one that the config has no more.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="isBlocked">Whether the customer was assigned under too low a version, and is out for good.</param>
    public int Find(ReadOnlySpan<byte> profile, out bool isBlocked)
    {
        ref readonly var entry = ref MemoryMarshal.AsRef<Entry>(_slot.In(profile));
        isBlocked = entry.Lowest >= 0 && entry.Lowest < _least;
        return isBlocked || entry.Variation == 0 || entry.Version != _version ? -1 : Array.IndexOf(_variations, entry.Variation);
    }

    /// <summary>Keeps a variation that was assigned now.</summary>
    public void Keep(Span<byte> profile, int variation) => Keep(profile, _variations[variation], _version);

    /// <summary>Keeps what a logged decision was assigned; false where that is of another experiment.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="names">The names of experiment and variation as they were written.</param>
    /// <param name="version">The bucket version that assigned it.</param>
    internal bool Keep(Span<byte> profile, ReadOnlySpan<byte> names, int version)
    {
        if (!names.StartsWith(_name)) return false;
        Keep(profile, HashOf(names), version);
        return true;
    }

    private void Keep(Span<byte> profile, ulong variation, int version)
    {
        ref var entry = ref At(profile);
        (entry.Variation, entry.Version) = (variation, version);
        if (entry.Lowest < 0 || version < entry.Lowest) entry.Lowest = version;
    }

    private static ulong HashOf(ReadOnlySpan<byte> names) => Hash64.Of(names) is var hash and not 0 ? hash : 1;

    private ref Entry At(Span<byte> profile) => ref MemoryMarshal.AsRef<Entry>(_slot.In(profile));

    [StructLayout(LayoutKind.Sequential, Pack = 8)]
    private struct Entry
    {
        public ulong Variation;   // the hash of its name and the experiment's; 0 where none is kept
        public int Version;
        public int Lowest;        // -1 where none was ever assigned
    }
}
