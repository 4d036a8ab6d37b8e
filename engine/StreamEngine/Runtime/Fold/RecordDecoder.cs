using StreamEngine.Connectors;
using StreamEngine.Events;
using StreamEngine.Events.Registry;

namespace StreamEngine.Runtime;

/// <summary>(2) Projects a record into the shard's event, by its source's decoder.</summary>
internal sealed class RecordDecoder
{
    /// <summary>
    /// How long a registry that is away is waited for before the process stops and says so; well below the time after which the group takes
    /// the worker for dead.
    /// </summary>
    private static readonly TimeSpan RegistryPatience = TimeSpan.FromSeconds(60);

    private readonly Event _event;
    private readonly IEventDecoder[] _decoders;
    private readonly bool[] _timeIsRecords;
    private readonly int _maxRecordBytes;
    private readonly TimeProvider _time;

    /// <param name="shard">The shard whose event is filled.</param>
    /// <param name="decoders">Decoders by source; null for those that the config asks for.</param>
    public RecordDecoder(ShardState shard, IReadOnlyList<IEventDecoder>? decoders)
    {
        var sources = shard.Engine.Events.Sources;
        (_event, _time) = (shard.Event, shard.Time);
        _decoders = [.. decoders ?? [.. sources.Select(s => s.CreateDecoder())]];
        _timeIsRecords = [.. sources.Select(s => s.TimeIsRecordTimestamp)];
        _maxRecordBytes = (int)Math.Min(int.MaxValue, shard.Engine.Options.Runtime.MaxRecordBytes.Bytes);
    }

    /// <summary>Decodes; what can't be decoded, or is too long to be written about, has a reason.</summary>
    public RejectReason Decode(RecordBatch batch, in RecordInfo record, int source)
    {
        _event.Clear();
        _event.Source = source;
        var reason = record.Value.Length > _maxRecordBytes ? RejectReason.Oversized
            : record.Value.Length < 0 ? RejectReason.Malformed
            : Project(batch, record, source);
        if (_timeIsRecords[source]) _event.Time = record.Timestamp;
        return reason == RejectReason.None && (_event.Customer.Text.Length > Shard.MaxIdBytes || _event.Id.Length > Shard.MaxIdBytes)
            ? RejectReason.Oversized : reason;
    }

    /// <summary>A schema registry that is away is waited for: the record is not at fault, and nothing of it was applied.</summary>
    private RejectReason Project(RecordBatch batch, in RecordInfo record, int source)
    {
        for (long began = 0; ;)
        {
            try
            {
                return _decoders[source].Decode(batch.Buffer, record.Value, record.Key, _event);
            }
            catch (SchemaRegistryException) when (began == 0 || _time.GetElapsedTime(began) < RegistryPatience)
            {
                if (began == 0) began = _time.GetTimestamp();
                Task.Delay(TimeSpan.FromSeconds(1), _time).Wait();
                _event.Clear();
                _event.Source = source;
            }
        }
    }
}
