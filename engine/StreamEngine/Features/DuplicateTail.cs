using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace StreamEngine.Features;

/// <summary>
/// The remembered ids in a profile's tail: a 16-byte header, a queue of (hash, time) in order of arrival in a ring, and from <see
/// cref="FirstIndexed"/> entries on an open-addressing index from hash to place in the ring (linear probing, at most half full, deletion by
/// shifting back), so that a lookup never walks the ring.
/// 16 bytes an id while few, 24 to 32 when many.
/// </summary>
internal readonly ref struct DuplicateTail
{
    /// <summary>The smallest ring.</summary>
    public const int Smallest = 8;

    /// <summary>Rings from this size on have an index; a smaller one is faster to walk.</summary>
    private const int FirstIndexed = 32;

    private readonly Span<byte> _bytes;

    /// <summary>Looks at a tail; for reading alone where the profile is read-only.</summary>
    public DuplicateTail(ReadOnlySpan<byte> bytes) =>
        _bytes = MemoryMarshal.CreateSpan(ref MemoryMarshal.GetReference(bytes), bytes.Length);

    /// <summary>Entries the ring can hold; 0 in a new profile.</summary>
    public int Capacity => Header.Capacity;

    /// <summary>Entries in the ring.</summary>
    public int Count => Header.Count;

    /// <summary>Event time of the longest remembered id; the ring is not empty.</summary>
    public long FirstTime => Entries[Header.First].Time;

    private ref TailHeader Header => ref Unsafe.As<byte, TailHeader>(ref MemoryMarshal.GetReference(_bytes));

    private Span<TailEntry> Entries =>
        MemoryMarshal.Cast<byte, TailEntry>(_bytes.Slice(Unsafe.SizeOf<TailHeader>(), Header.Capacity * Unsafe.SizeOf<TailEntry>()));

    /// <summary>Places in the ring plus 1; 0 where the index has no entry.</summary>
    private Span<int> Index => MemoryMarshal.Cast<byte, int>(
        _bytes.Slice(Unsafe.SizeOf<TailHeader>() + Header.Capacity * Unsafe.SizeOf<TailEntry>(),
            IndexLength(Header.Capacity) * sizeof(int)));

    /// <summary>Bytes of a tail with so many entries.</summary>
    public static int Length(int capacity) => Unsafe.SizeOf<TailHeader>() + capacity * Unsafe.SizeOf<TailEntry>()
        + IndexLength(capacity) * sizeof(int);

    /// <summary>Whether an id is remembered with an event time not before <paramref name="oldest"/>.</summary>
    public bool Contains(ulong hash, long oldest)
    {
        var entries = Entries;
        if (Capacity < FirstIndexed)
        {
            var place = Header.First;
            for (var i = 0; i < Count; i++)
            {
                if (entries[place].Hash == hash && entries[place].Time >= oldest) return true;
                if (++place == entries.Length) place = 0;
            }
            return false;
        }
        var index = Index;
        for (var slot = Home(hash, index.Length); index[slot] != 0; slot = (slot + 1) & (index.Length - 1))
        {
            ref var entry = ref entries[index[slot] - 1];
            if (entry.Hash == hash && entry.Time >= oldest) return true;
        }
        return false;
    }

    /// <summary>Appends an id; there must be room.</summary>
    public void Add(ulong hash, long time)
    {
        var place = Header.First + Header.Count;
        if (place >= Capacity) place -= Capacity;
        Entries[place] = new TailEntry { Hash = hash, Time = time };
        Header.Count++;
        if (Capacity >= FirstIndexed) Link(Index, hash, place);
    }

    /// <summary>Forgets the longest remembered id; there must be one.</summary>
    public void RemoveFirst()
    {
        var place = Header.First;
        if (Capacity >= FirstIndexed) Unlink(place);
        Header.First = place + 1 == Capacity ? 0 : place + 1;
        Header.Count--;
    }

    /// <summary>Adds the newest ids to an empty tail, as many as it holds.</summary>
    public void CopyNewestTo(DuplicateTail other)
    {
        var entries = Entries;
        for (var i = Math.Max(0, Count - other.Capacity); i < Count; i++)
        {
            ref var entry = ref entries[(Header.First + i) % Capacity];
            other.Add(entry.Hash, entry.Time);
        }
    }

    /// <summary>
    /// Takes the largest doubling of the ring that the tail's bytes have room for, up to <paramref name="most"/> entries; nothing where
    /// there is none.
    /// </summary>
    public void Grow(int most)
    {
        var old = Capacity;
        var capacity = Math.Max(old, Smallest);
        while (capacity < most && Length(Math.Min(capacity * 2, most)) <= _bytes.Length) capacity = Math.Min(capacity * 2, most);
        if (capacity == old) return;
        if (Length(capacity) > _bytes.Length)
            throw new ArgumentException($"the profile's tail has {_bytes.Length} bytes; {Length(capacity)} are needed");

        // Entries before the wrap move to the new end, so that the ring stays in order.
        ref var header = ref Header;
        header.Capacity = capacity;
        var entries = Entries;
        if (header.First + header.Count > old)
        {
            entries[header.First..old].CopyTo(entries[(header.First + capacity - old)..]);
            header.First += capacity - old;
        }
        if (capacity < FirstIndexed) return;
        var index = Index;
        index.Clear();
        for (var i = 0; i < header.Count; i++)
        {
            var place = header.First + i;
            if (place >= capacity) place -= capacity;
            Link(index, entries[place].Hash, place);
        }
    }

    private static int IndexLength(int capacity) => capacity < FirstIndexed ? 0 : (int)BitOperations.RoundUpToPowerOf2((uint)capacity * 2);

    /// <summary>Where a hash belongs: the top bits of its product with 2^64 / golden ratio (Knuth, TAOCP 3, 6.4).</summary>
    private static int Home(ulong hash, int length) => (int)(hash * 0x9E3779B97F4A7C15 >> (64 - BitOperations.Log2((uint)length)));

    private static void Link(Span<int> index, ulong hash, int place)
    {
        var slot = Home(hash, index.Length);
        while (index[slot] != 0) slot = (slot + 1) & (index.Length - 1);
        index[slot] = place + 1;
    }

    /// <summary>
    /// Deletes without leaving a mark: what follows in the run moves back where it may (Knuth, TAOCP 3, 6.4, algorithm R).
    /// </summary>
    private void Unlink(int place)
    {
        var index = Index;
        var entries = Entries;
        var mask = index.Length - 1;
        var free = Home(entries[place].Hash, index.Length);
        while (index[free] != place + 1) free = (free + 1) & mask;
        for (var slot = (free + 1) & mask; index[slot] != 0; slot = (slot + 1) & mask)
        {
            var home = Home(entries[index[slot] - 1].Hash, index.Length);
            if (((slot - home) & mask) < ((slot - free) & mask)) continue;
            index[free] = index[slot];
            free = slot;
        }
        index[free] = 0;
    }
}

/// <summary>The tail's header.</summary>
internal struct TailHeader
{
    public int Capacity;
    public int Count;
    public int First;
    public int Reserved;
}

/// <summary>A remembered id.</summary>
internal struct TailEntry
{
    public ulong Hash;
    public long Time;
}
