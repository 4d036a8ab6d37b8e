using StreamEngine.Connectors;

namespace StreamEngine.Testing.Simulation;

/// <summary>Reads one partition outside any group, as far as everything is decided.</summary>
internal sealed class SimReader(SimLog log) : ILogReader
{
    private SimPartition? _partition;
    private long _position;

    public long Position => _position;

    public void Assign(TopicPartition partition, long offset) => (_partition, _position) = (log.Known(partition), offset);

    public void Read(RecordBatch batch, int maxRecords, TimeSpan timeout)
    {
        batch.Clear();
        log.Schedule.At(SimPoint.Reading);
        var before = _position;
        if (_partition!.Read(batch, 0, ref _position, log.Schedule.Take(maxRecords)) > 0 || _position > before) return;
        log.Schedule.Wait(timeout);
        log.Tick();
    }

    public void Dispose()
    {
    }
}

/// <summary>Appends records that belong to no transaction.</summary>
internal sealed class SimWriter(SimLog log) : ILogWriter
{
    public void Write(string topic, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long timestamp)
    {
        if (log.Partitions(topic) is not (var partitions and > 0)) throw new LogException($"Topic {topic} does not exist.");
        log.Known(new TopicPartition(topic, key.IsEmpty ? 0 : Murmur2.Partition(key, partitions))).Append(key, value, timestamp);
    }

    public void Flush()
    {
    }

    public void Dispose()
    {
    }
}
