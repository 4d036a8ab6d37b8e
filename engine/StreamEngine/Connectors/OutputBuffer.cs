namespace StreamEngine.Connectors;

/// <summary>One output record's place in the buffer.</summary>
public struct OutputInfo
{
    /// <summary>Index of the topic in the worker's list of output topics.</summary>
    public int Topic;

    /// <summary>The target partition.</summary>
    public int Partition;

    /// <summary>The shard that wrote it (its partition), so that a lost shard's outputs can be left out of a resend.</summary>
    public int Shard;

    /// <summary>The record's timestamp, ms since 1970-01-01 UTC.</summary>
    public long Timestamp;

    internal int Start, KeyLength, ValueLength;
}

/// <summary>
/// The encoded outputs of one commit interval, in order, in one growable buffer: kept until the commit is confirmed, because state can't be
/// rolled back and the same bytes must be sent again after an abort.
/// </summary>
public sealed class OutputBuffer
{
    private byte[] _bytes = new byte[1 << 16];
    private OutputInfo[] _records = new OutputInfo[256];
    private int _used;
    private int _open = -1;

    /// <summary>The most bytes of a record, key and value, that the log takes.</summary>
    public int MaxRecordBytes { get; set; } = int.MaxValue;

    /// <summary>
    /// The W3C <c>traceparent</c> header of what is written from now on, as a log that knows headers writes it; empty where nobody traces.
    /// </summary>
    public byte[] TraceParent { get; set; } = [];

    /// <summary>Index of the topic whose records carry no such header: they are for the engine alone. -1 where there is none.</summary>
    public int Untraced { get; init; } = -1;

    /// <summary>How many records there are.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes held.</summary>
    public int Bytes => _used;

    /// <summary>The record at that index.</summary>
    public ref readonly OutputInfo this[int index] => ref _records[index];

    /// <summary>The record's key.</summary>
    public ReadOnlySpan<byte> Key(int index) => _bytes.AsSpan(_records[index].Start, _records[index].KeyLength);

    /// <summary>The record's value.</summary>
    public ReadOnlySpan<byte> Value(int index) =>
        _bytes.AsSpan(_records[index].Start + _records[index].KeyLength, _records[index].ValueLength);

    /// <summary>The record's <c>traceparent</c> header; empty where it has none.</summary>
    public ReadOnlySpan<byte> TraceParentOf(int index) => _records[index].Topic == Untraced ? default : TraceParent;

    /// <summary>
    /// Starts a record: writes its key; the value is then written with <see cref="Reserve"/> and <see cref="Advance"/>, and closed by <see
    /// cref="End"/>.
    /// </summary>
    public void Begin(int topic, int partition, int shard, long timestamp, ReadOnlySpan<byte> key)
    {
        if (Count == _records.Length) Array.Resize(ref _records, Count * 2);
        _open = Count;
        ref var record = ref _records[_open];
        record = new OutputInfo
        {
            Topic = topic,
            Partition = partition,
            Shard = shard,
            Timestamp = timestamp,
            Start = _used,
            KeyLength = key.Length
        };
        key.CopyTo(Reserve(key.Length));
        Advance(key.Length);
    }

    /// <summary>Free space of at least <paramref name="length"/> bytes behind what is written.</summary>
    public Span<byte> Reserve(int length)
    {
        var needed = (long)_used + length;
        if (needed > _bytes.Length) Array.Resize(ref _bytes, Grown(_bytes.Length, needed));
        return _bytes.AsSpan(_used);
    }

    /// <summary>The length that a buffer grows to: twice its own, as far as arrays go, and at least what is needed.</summary>
    /// <exception cref="OverflowException">More is needed than a number of bytes can be.</exception>
    internal static int Grown(int length, long needed) => checked((int)Math.Max(Math.Min(length * 2L, Array.MaxLength), needed));

    /// <summary>Takes <paramref name="length"/> bytes of the reserved space as written.</summary>
    public void Advance(int length) => _used += length;

    /// <summary>Closes the open record.</summary>
    public void End()
    {
        ref var record = ref _records[_open];
        record.ValueLength = _used - record.Start - record.KeyLength;
        Count++;
        _open = -1;
    }

    /// <summary>Adds a whole record.</summary>
    public void Add(int topic, int partition, int shard, long timestamp, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Begin(topic, partition, shard, timestamp, key);
        value.CopyTo(Reserve(value.Length));
        Advance(value.Length);
        End();
    }

    /// <summary>Takes another buffer's records in behind its own, and leaves the other one empty.</summary>
    public void TakeFrom(OutputBuffer other)
    {
        if (Count + other.Count > _records.Length) Array.Resize(ref _records, Math.Max(_records.Length * 2, Count + other.Count));
        var shift = _used;
        other._bytes.AsSpan(0, other._used).CopyTo(Reserve(other._used));
        Advance(other._used);
        for (var i = 0; i < other.Count; i++)
        {
            ref var record = ref _records[Count++];
            record = other._records[i];
            record.Start += shift;
        }
        other.Clear();
    }

    /// <summary>Leaves out the records of lost shards; the others keep their order and bytes.</summary>
    public void Drop(Func<int, bool> lost)
    {
        var kept = 0;
        for (var i = 0; i < Count; i++)
            if (!lost(_records[i].Shard)) _records[kept++] = _records[i];
        Count = kept;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Count = 0;
        _used = 0;
        TraceParent = [];
    }
}
