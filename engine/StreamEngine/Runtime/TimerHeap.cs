namespace StreamEngine.Runtime;

/// <summary>
/// A shard's waiting timers: a binary heap by due time, then key, then timer, so that the order of firing never depends on the order of
/// scheduling. One entry per profile and timer at most. Keys live in blocks of 16-byte cells that are reused, so scheduling allocates only
/// while the heap grows.
/// </summary>
public sealed class TimerHeap
{
    private struct Entry
    {
        public long Due;
        public int Timer;
        public byte[] Key;
        public int KeyLength;
    }

    private Entry[] _heap = new Entry[64];
    private readonly Stack<byte[]>[] _free = [new(), new(), new(), new(), new()];

    /// <summary>How many timers wait.</summary>
    public int Count { get; private set; }

    /// <summary>The earliest due time, ms; <see cref="long.MaxValue"/> where none waits.</summary>
    public long NextDue => Count == 0 ? long.MaxValue : _heap[0].Due;

    /// <summary>Schedules a timer.</summary>
    public void Push(long due, int timer, ReadOnlySpan<byte> key)
    {
        if (Count == _heap.Length) Array.Resize(ref _heap, Count * 2);
        var entry = new Entry { Due = due, Timer = timer, Key = Rent(key.Length), KeyLength = key.Length };
        key.CopyTo(entry.Key);
        var i = Count++;
        while (i > 0 && Before(entry, _heap[(i - 1) / 2]))
        {
            _heap[i] = _heap[(i - 1) / 2];
            i = (i - 1) / 2;
        }
        _heap[i] = entry;
    }

    /// <summary>Takes the earliest timer out; give its key back with <see cref="Return"/>.</summary>
    public void Pop(out long due, out int timer, out byte[] key, out int keyLength)
    {
        var top = _heap[0];
        (due, timer, key, keyLength) = (top.Due, top.Timer, top.Key, top.KeyLength);
        var last = _heap[--Count];
        _heap[Count] = default;
        var i = 0;
        while (true)
        {
            var child = 2 * i + 1;
            if (child >= Count) break;
            if (child + 1 < Count && Before(_heap[child + 1], _heap[child])) child++;
            if (!Before(_heap[child], last)) break;
            _heap[i] = _heap[child];
            i = child;
        }
        if (Count > 0) _heap[i] = last;
    }

    /// <summary>Makes a popped key's bytes free again.</summary>
    public void Return(byte[] key)
    {
        var size = Class(key.Length);
        if (size < _free.Length && key.Length == 16 << size) _free[size].Push(key);
    }

    private static bool Before(in Entry a, in Entry b)
    {
        if (a.Due != b.Due) return a.Due < b.Due;
        var order = a.Key.AsSpan(0, a.KeyLength).SequenceCompareTo(b.Key.AsSpan(0, b.KeyLength));
        return order != 0 ? order < 0 : a.Timer < b.Timer;
    }

    private byte[] Rent(int length)
    {
        var size = Class(length);
        if (size >= _free.Length) return new byte[length];
        return _free[size].TryPop(out var key) ? key : new byte[16 << size];
    }

    /// <summary>0 for up to 16 bytes, 1 for up to 32, and so on.</summary>
    private static int Class(int length) => length <= 16 ? 0 : 32 - System.Numerics.BitOperations.LeadingZeroCount((uint)(length - 1)) - 4;
}
