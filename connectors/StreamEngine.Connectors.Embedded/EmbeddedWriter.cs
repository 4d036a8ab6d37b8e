using StreamEngine.Connectors.Embedded.Storage;

namespace StreamEngine.Connectors.Embedded;

/// <summary>Appends records in closed groups: every few thousand records or hundred kilobytes, and on flush.</summary>
internal sealed class EmbeddedWriter(EmbeddedLog log) : ILogWriter
{
    private const int MaxRecords = 4096;
    private const int MaxBytes = 256 << 10;

    private readonly GroupBuffer _group = new();
    private readonly GroupEncoder _encoder = new(log.Store.ChunkBytes);
    private readonly List<byte[]> _chunks = [];
    private Topic? _topic;
    private long _end;

    public void Write(string topic, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long timestamp)
    {
        if (_topic?.Name != topic) _topic = log.Known(topic);
        log.Store.ThrowIfTooLarge(topic, key, value);
        _group.Add(_topic.FirstPartition + Murmur2.Partition(key, _topic.Partitions), timestamp, key, value);
        if (_group.Count >= MaxRecords || _group.Bytes >= MaxBytes) Append();
    }

    public void Flush()
    {
        Append();
        log.Store.WaitDurable(_end);
    }

    public void Dispose() => Flush();

    private void Append()
    {
        if (_group.Count == 0) return;
        _encoder.Encode(_group, default, log.Store.Catalog.PartitionCount, _chunks);
        _group.Clear();
        _end = log.Store.Append(_chunks);
    }
}
