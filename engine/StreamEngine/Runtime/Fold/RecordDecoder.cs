using StreamEngine.Connectors;
using StreamEngine.Events;
using StreamEngine.Events.Registry;

namespace StreamEngine.Runtime;

/// <summary>(2) Projects a record into the shard's event, by its source's decoder.</summary>
internal sealed class RecordDecoder
{
    private readonly Event _event;
    private readonly IEventDecoder[] _decoders;
    private readonly bool[] _timeIsRecords;
    private readonly int _maxRecordBytes;

    /// <param name="shard">The shard whose event is filled.</param>
    /// <param name="decoders">Decoders by source; null for those that the config asks for.</param>
    public RecordDecoder(ShardState shard, IReadOnlyList<IEventDecoder>? decoders)
    {
        var sources = shard.Engine.Events.Sources;
        _event = shard.Event;
        _decoders = [.. decoders ?? [.. sources.Select(s => s.CreateDecoder())]];
        _timeIsRecords = [.. sources.Select(s => s.TimeIsRecordTimestamp)];
        _maxRecordBytes = (int)Math.Min(int.MaxValue, shard.Engine.Options.Runtime.MaxRecordBytes.Bytes);
    }

    /// <summary>
    /// Why the schema of the record decoded last could not be asked for: the registry is away, the record is not at fault. Null where it
    /// could.
    /// </summary>
    public string? Unasked { get; private set; }

    /// <summary>Decodes; what can't be decoded, or is too long to be written about, has a reason.</summary>
    public RejectReason Decode(RecordBatch batch, in RecordInfo record, int source)
    {
        _event.Clear();
        _event.Source = source;
        Unasked = null;
        if (_timeIsRecords[source]) _event.Time = record.Timestamp;
        var reason = !IsDecoded(record) ? record.Value.Length < 0 ? RejectReason.Malformed : RejectReason.Oversized
            : Project(batch, record, source, _event);
        return reason == RejectReason.None && (_event.Customer.Text.Length > Shard.MaxIdBytes || _event.Id.Length > Shard.MaxIdBytes)
            ? RejectReason.Oversized : reason;
    }

    /// <summary>Why a record's schema can't be had; null where it can, or where it is known that there is none.</summary>
    /// <param name="batch">What holds the record.</param>
    /// <param name="record">The record.</param>
    /// <param name="source">Its source.</param>
    /// <param name="scratch">An event of its own: texts of the last one may still be waited for by decisions.</param>
    public string? Missing(RecordBatch batch, in RecordInfo record, int source, Event scratch)
    {
        if (!IsDecoded(record)) return null;
        scratch.BeginBatch();
        scratch.Clear();
        Unasked = null;
        Project(batch, record, source, scratch);
        return Unasked;
    }

    private bool IsDecoded(in RecordInfo record) => record.Value.Length >= 0 && record.Value.Length <= _maxRecordBytes;

    private RejectReason Project(RecordBatch batch, in RecordInfo record, int source, Event target)
    {
        try
        {
            return _decoders[source].Decode(batch.Buffer, record.Value, record.Key, target);
        }
        catch (SchemaRegistryException e)
        {
            Unasked = e.Message;
            return RejectReason.UnknownSchema;
        }
    }
}
