using StreamEngine.Events;

namespace StreamEngine.Connectors;

/// <summary>Where one polled record came from and where its bytes stand in the batch's buffer.</summary>
public struct RecordInfo
{
    /// <summary>Index of the topic in the worker's subscription.</summary>
    public int Topic;

    /// <summary>The partition.</summary>
    public int Partition;

    /// <summary>The offset in the partition.</summary>
    public long Offset;

    /// <summary>The log's timestamp, ms since 1970-01-01 UTC.</summary>
    public long Timestamp;

    /// <summary>The key's bytes; length -1 where the record has no key.</summary>
    public Range32 Key;

    /// <summary>The value's bytes; length -1 for a tombstone.</summary>
    public Range32 Value;
}

/// <summary>
/// The records of one poll, copied into one buffer (a copy of a few hundred bytes is cheaper than the life-time rules of native memory).
/// Reused from poll to poll. Records of one partition stand together, in offset order.
/// </summary>
public sealed class RecordBatch
{
    private RecordInfo[] _records = new RecordInfo[64];
    private int _used;

    /// <summary>The bytes of all keys and values. Replaced when it grows, so read it after the poll, not before.</summary>
    public byte[] Buffer { get; private set; } = new byte[1 << 13];

    /// <summary>How many records there are.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of keys and values in the batch.</summary>
    public int Bytes => _used;

    /// <summary>The record at that index.</summary>
    public ref readonly RecordInfo this[int index] => ref _records[index];

    /// <summary>The record's key; empty where it has none.</summary>
    public ReadOnlySpan<byte> Key(int index) => Slice(_records[index].Key);

    /// <summary>The record's value; empty for a tombstone.</summary>
    public ReadOnlySpan<byte> Value(int index) => Slice(_records[index].Value);

    /// <summary>Whether the log should read the records' <c>traceparent</c> headers: only where somebody traces.</summary>
    public bool KeepsTraceParents { get; set; }

    /// <summary>Whether that holds for the next record: of a batch, 32 headers are kept at most.</summary>
    public bool TakesTraceParent => KeepsTraceParents && TraceParents.Count < 32;

    /// <summary>Some of these headers, where asked for.</summary>
    public List<byte[]> TraceParents { get; } = [];

    /// <summary>Forgets the records.</summary>
    public void Clear()
    {
        TraceParents.Clear();
        Count = 0;
        _used = 0;
    }

    /// <summary>Appends a copy of a record.</summary>
    public void Add(int topic, int partition, long offset, long timestamp, ReadOnlySpan<byte> key, bool hasKey, ReadOnlySpan<byte> value,
        bool hasValue)
    {
        if (Count == _records.Length) Array.Resize(ref _records, Count * 2);
        ref var record = ref _records[Count++];
        record.Topic = topic;
        record.Partition = partition;
        record.Offset = offset;
        record.Timestamp = timestamp;
        record.Key = hasKey ? Copy(key) : new Range32(_used, -1);
        record.Value = hasValue ? Copy(value) : new Range32(_used, -1);
    }

    private ReadOnlySpan<byte> Slice(Range32 range) => range.Length <= 0 ? default : Buffer.AsSpan(range.Start, range.Length);

    private Range32 Copy(ReadOnlySpan<byte> bytes)
    {
        if (_used + bytes.Length > Buffer.Length)
        {
            var larger = new byte[Math.Max(Buffer.Length * 2, _used + bytes.Length)];
            Buffer.AsSpan(0, _used).CopyTo(larger);
            Buffer = larger;
        }
        bytes.CopyTo(Buffer.AsSpan(_used));
        _used += bytes.Length;
        return new Range32(_used - bytes.Length, bytes.Length);
    }
}
