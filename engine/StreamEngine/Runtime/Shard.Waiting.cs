using StreamEngine.Connectors;
using StreamEngine.Events;
using StreamEngine.Events.Registry;

namespace StreamEngine.Runtime;

/// <content>
/// A record whose schema can't be asked for now: the registry is away, the record is not at fault. The shard stands before it, with nothing
/// of it applied; what follows is read again once the schema is there.
/// </content>
public sealed partial class Shard
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(200);

    private readonly RecordBatch _held = new();
    private Event? _tried;
    private long _triedAt;
    private string? _unasked;     // why the record just decoded was not: it must wait

    /// <summary>Why it waits; null where it does not.</summary>
    public string? WaitsFor { get; private set; }

    /// <summary>Whether it can go on where it stands; looks at most every 200 ms whether the schema is there.</summary>
    public bool GoesOn()
    {
        if (WaitsFor is null) return true;
        if (_time.GetElapsedTime(_triedAt) < AskAgain) return false;
        _triedAt = _time.GetTimestamp();
        WaitsFor = Missing(_held, 0, _held[0].Topic);
        return WaitsFor is null;
    }

    /// <summary>Whether a record can be decoded now; else the shard waits.</summary>
    internal bool Knows(RecordBatch batch, int index, int source)
    {
        if (Missing(batch, index, source) is not { } reason) return true;
        Wait(batch, index, source, reason);
        return false;
    }

    private void Wait(RecordBatch batch, int index, int source, string reason)
    {
        ref readonly var record = ref batch[index];
        _held.Clear();
        _held.Add(source, record.Partition, record.Offset, record.Timestamp, batch.Key(index), record.Key.Length >= 0, batch.Value(index),
            record.Value.Length >= 0);
        _triedAt = _time.GetTimestamp();
        WaitsFor = reason;
    }

    /// <summary>Why a record's schema can't be had; null where it can, or where it is known that there is none.</summary>
    private string? Missing(RecordBatch batch, int index, int source)
    {
        ref readonly var record = ref batch[index];
        if (!IsDecoded(record)) return null;
        // An event of its own: texts of the last one may still be waited for by decisions.
        _tried ??= new Event(_engine.Events.Fields);
        _tried.BeginBatch();
        _tried.Clear();
        try
        {
            _decoders[source].Decode(batch.Buffer, record.Value, record.Key, _tried);
            return null;
        }
        catch (SchemaRegistryException e)
        {
            return e.Message;
        }
    }

    private bool IsDecoded(in RecordInfo record) => record.Value.Length >= 0 && record.Value.Length <= _maxRecordBytes;

    private RejectReason Decode(RecordBatch batch, in RecordInfo record, int source)
    {
        try
        {
            return _decoders[source].Decode(batch.Buffer, record.Value, record.Key, _event);
        }
        catch (SchemaRegistryException e)
        {
            // What a predecessor left was looked at before it is processed: then nobody knew the schema.
            if (_tail is null) _unasked = e.Message;
            return RejectReason.UnknownSchema;
        }
    }
}
