using StreamEngine.Connectors;
using StreamEngine.Events;

namespace StreamEngine.Runtime;

/// <summary>
/// A record whose schema can't be asked for now: the registry is away, the record is not at fault. The shard stands before it, with nothing
/// of it applied; what follows is read again once the schema is there.
/// </summary>
internal sealed class SchemaWait(RecordDecoder decoder, ShardState shard)
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(200);

    private readonly RecordBatch _held = new();
    private Event? _scratch;
    private long _asked;

    /// <summary>Why the shard waits; null where it does not.</summary>
    public string? Reason { get; private set; }

    /// <summary>Whether the shard can go on where it stands; looks at most every 200 ms whether the schema is there.</summary>
    public bool IsOver()
    {
        if (Reason is null) return true;
        if (shard.Time.GetElapsedTime(_asked) < AskAgain) return false;
        _asked = shard.Time.GetTimestamp();
        Reason = Missing(_held, 0, _held[0].Topic);
        return Reason is null;
    }

    /// <summary>Whether a record can be decoded now; else the shard waits before it.</summary>
    public bool Knows(RecordBatch batch, int index, int source)
    {
        if (Missing(batch, index, source) is not { } reason) return true;
        Hold(batch, index, source, reason);
        return false;
    }

    /// <summary>The shard waits before a record.</summary>
    public void Hold(RecordBatch batch, int index, int source, string reason)
    {
        ref readonly var record = ref batch[index];
        _held.Clear();
        _held.Add(source, record.Partition, record.Offset, record.Timestamp, batch.Key(index), record.Key.Length >= 0, batch.Value(index),
            record.Value.Length >= 0);
        _asked = shard.Time.GetTimestamp();
        Reason = reason;
    }

    private string? Missing(RecordBatch batch, int index, int source) =>
        decoder.Missing(batch, batch[index], source, _scratch ??= new Event(shard.Engine.Events.Fields));
}
