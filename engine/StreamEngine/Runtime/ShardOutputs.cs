using System.Buffers;
using System.Globalization;
using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Audiences;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Events;

namespace StreamEngine.Runtime;

/// <summary>
/// (9) Everything a shard writes: actions, decision records and marks, outcomes, changes of audiences, dead letters, late records. All of
/// it lands in the interval's outputs.
/// </summary>
internal sealed class ShardOutputs
{
    /// <summary>What a dead letter adds to a record, at most, and the log's own overhead.</summary>
    private const int Envelope = 2_048;

    /// <summary>The most bytes of shared numbers in a mark, but for a single one that has more.</summary>
    public const int MostShared = 8_192;

    private readonly CompiledEngine _engine;
    private readonly OutputTopics _topics;
    private readonly PartitionCounts _counts;
    private readonly OutputBuffer _outputs;
    private readonly int _partition;
    private readonly DecisionRecordWriter _decisions;
    private readonly ActionRecordWriter _actions;
    private readonly DeadLetterWriter _deadLetters;
    private readonly OutcomeRecordWriter? _outcomeRecords;
    private readonly AudienceRecordWriter? _audiences;
    private readonly ArrayBufferWriter<byte> _masked = new();
    private readonly byte[] _detail = new byte[512];
    private readonly ArrayBufferWriter<byte> _values = new();
    private readonly Dictionary<string, byte[]> _tallyKeys = [];
    private readonly string _tallyPrefix;
    private readonly bool[] _hasPii;

    public ShardOutputs(CompiledEngine engine, int partition, PartitionCounts counts, OutputBuffer outputs)
    {
        var sources = engine.Events.Sources;
        string[] topics = [.. sources.Select(s => s.Topic)];
        _engine = engine;
        _topics = engine.Outputs;
        _counts = counts;
        _outputs = outputs;
        _partition = partition;
        var framed = engine.OutputIds is { } registered ? RecordFrame.Registered(registered.Ids) : null;
        var json = engine.Options.Outputs.Format == OutputFormat.Json;
        _decisions = new DecisionRecordWriter(engine.Options.Name, topics, engine.Policy, engine.ConfigHash, framed);
        _actions = new ActionRecordWriter(engine.Options.Name, topics, engine.Policy, engine.ConfigHash,
            json ? RecordFrame.Json("action") : framed);
        if (_topics.Outcomes >= 0)
            _outcomeRecords = new OutcomeRecordWriter(engine.Options.Name, topics, engine.Policy, engine.ConfigHash,
                engine.Segments, json ? RecordFrame.Json(engine.Outputs.OutcomeSchema) : framed);
        if (_topics.Audiences >= 0)
            _audiences = new AudienceRecordWriter(engine.Options.Name, engine.Segments, engine.ConfigHash,
                json ? RecordFrame.Json("audience") : framed);
        _deadLetters = new DeadLetterWriter(topics, json ? RecordFrame.Json("dead-letter") : framed);
        _tallyPrefix = SharedRecord.Prefix(engine.Options.Name);
        _hasPii = [.. sources.Select(s => s.Options.Pii.Count > 0)];
    }

    /// <summary>The action, where an offer is shown, then the decision record.</summary>
    public void Decided(in DecisionRequest request, Decision decision, ReadOnlySpan<double> vector)
    {
        if (decision.Outcome == Outcome.Served)
        {
            var topic = _topics.ActionsOf(decision.Chosen);
            if (topic >= 0) _actions.Write(_outputs, topic, PartitionOf(request.CustomerId, _counts.OfOutput(topic)), request, decision);
        }
        _decisions.Write(_outputs, _topics.Decisions, request, decision, vector);
    }

    /// <summary>What became of a decision.</summary>
    public void BecameOf(in OutcomeRecord record, ReadOnlySpan<byte> customer) => _outcomeRecords!.Write(_outputs, _topics.Outcomes,
        PartitionOf(customer, _counts.OfOutput(_topics.Outcomes)), _partition, record);

    /// <summary>A customer has entered or left a segment.</summary>
    public void Changed(in AudienceRecord record) => _audiences!.Write(_outputs, _topics.Audiences,
        PartitionOf(record.Customer, _counts.OfOutput(_topics.Audiences)), _partition, record);

    /// <summary>Reads a decision's id: false where it is none of this shard's.</summary>
    public bool TryParseId(ReadOnlySpan<byte> id, out DecisionPosition position) =>
        _outcomeRecords!.TryParse(id, out var partition, out position) && partition == _partition;

    /// <summary>A decision's id, as its record has it: engine, topic, partition, offset, ordinal.</summary>
    public string DecisionId(int source, long offset, int ordinal) =>
        string.Create(CultureInfo.InvariantCulture,
            $"{_engine.Options.Name}/{_engine.Events.Sources[source].Topic}/{_partition}/{offset}/{ordinal}");

    /// <summary>The action of a decision that is logged already.</summary>
    public void Again(in LoggedDecision entry, ReadOnlySpan<byte> value)
    {
        if (entry.Outcome != Outcome.Served) return;
        var topic = _topics.ActionsOf(Encoding.UTF8.GetString(entry.Channel.Of(value)));
        if (topic >= 0)
            _actions.Rewrite(_outputs, topic, PartitionOf(entry.Customer.Of(value), _counts.OfOutput(topic)), entry, value);
    }

    /// <summary>The watermark was moved by idleness after a record.</summary>
    public void Watermark(Cause at, long watermark) => _decisions.WriteWatermark(_outputs, _topics.Decisions, at.Source, _partition,
        at.Offset, at.Ordinal, Math.Max(0, watermark), watermark);

    /// <summary>A source was read up to and with a record, then another source followed.</summary>
    public void Order(Cause at, long watermark) => _decisions.WriteOrder(_outputs, _topics.Decisions, at.Source, _partition,
        at.Offset, at.Ordinal, Math.Max(0, watermark), watermark);

    /// <summary>A record was refused by the clock or the registry.</summary>
    public void Refused(Cause at, long watermark) => _decisions.WriteRefused(_outputs, _topics.Decisions, at.Source, _partition,
        at.Offset, at.Ordinal, Math.Max(0, watermark), watermark);

    /// <summary>Decisions behind this follow other switches, or events other versions of tables.</summary>
    public void Switched(Cause at, long watermark, Switches switches, TableVersions tables) =>
        _decisions.WriteSwitches(_outputs, _topics.Decisions, at.Source, _partition, at.Offset, at.Ordinal,
            Math.Max(0, watermark), watermark, switches, tables.Encoded);

    /// <summary>Decisions behind this follow other shared numbers.</summary>
    public void Shared(Cause at, long watermark, long version, ReadOnlySpan<byte> numbers) =>
        _decisions.WriteShared(_outputs, _topics.Decisions, at.Source, _partition, at.Offset, at.Ordinal, Math.Max(0, watermark), watermark,
            version, numbers);

    /// <summary>What the shard adds to a shared number.</summary>
    public void Tallied(Tally tally, long at)
    {
        if (!_tallyKeys.TryGetValue(tally.Name, out var key))
            _tallyKeys[tally.Name] = key = SharedRecord.Key(_tallyPrefix, _partition, tally.Name);
        _values.ResetWrittenCount();
        SharedRecord.Write(_values, tally.Values);
        _outputs.Add(_topics.Shared, 0, _partition, at, key, _values.WrittenSpan);
    }

    /// <summary>
    /// A rejected record: late ones as they are to the late topic, the others to the dead letter, masked; without consent only position and
    /// hash.
    /// </summary>
    public void Rejected(RecordBatch batch, int index, Event e, RejectReason reason)
    {
        ref readonly var record = ref batch[index];
        if (reason == RejectReason.Late && Fits(record))
        {
            _outputs.Add(_topics.Late, _partition % _counts.OfOutput(_topics.Late), _partition, record.Timestamp, batch.Key(index),
                batch.Value(index));
            return;
        }
        if (reason == RejectReason.Duplicate && _engine.Options.Duplicates.Fate == DuplicateFate.Drop) return;
        var value = batch.Value(index);
        var letter = new DeadLetter
        {
            Reason = reason,
            Topic = e.Source,
            Partition = record.Partition,
            Offset = record.Offset,
            Timestamp = Math.Max(0, record.Timestamp),
            Original = value,
        };
        if (reason != RejectReason.NoConsent)
        {
            letter.Detail = _detail.AsSpan(0, Detail(record, e, reason));
            letter.Key = batch.Key(index);
            letter.Keep = record.Value.Length >= 0;
            letter.Kept = value;
            if (_hasPii[e.Source])
            {
                // What can't be parsed can't be masked: then nothing of it is kept.
                _masked.ResetWrittenCount();
                letter.Keep = letter.Masked = letter.Keep && _engine.Events.TryMask(e.Source, value, _masked);
                letter.Kept = letter.Keep ? _masked.WrittenSpan : default;
            }
            // A record that the log would not take back is told by position and hash; it must not stop the shard.
            if (!Fits(record) || letter.Key.Length + letter.Kept.Length + Envelope > _outputs.MaxRecordBytes)
            {
                letter.Keep = letter.Masked = false;
                letter.Kept = default;
            }
            if (letter.Key.Length + Envelope > _outputs.MaxRecordBytes) letter.Key = default;
        }
        _deadLetters.Write(_outputs, _topics.DeadLetter, _partition % _counts.OfOutput(_topics.DeadLetter), letter);
    }

    /// <summary>Says what exactly is wrong, in words for the log. Allocates.</summary>
    public string Explain(in RecordInfo record, Event e, RejectReason reason) => reason == RejectReason.NoConsent
        ? _engine.Events.Sources[e.Source].ExplainConsent(e) : Encoding.UTF8.GetString(_detail, 0, Detail(record, e, reason));

    /// <summary>Says what exactly is wrong, in words for whoever reads the dead letter.</summary>
    private int Detail(in RecordInfo record, Event e, RejectReason reason)
    {
        var (time, runtime, source) = (_engine.Options.Time, _engine.Options.Runtime, _engine.Events.Sources[e.Source]);
        var text = reason switch
        {
            RejectReason.Oversized when record.Value.Length > runtime.MaxRecordBytes.Bytes =>
                $"longer than runtime.max_record_bytes, {runtime.MaxRecordBytes}",
            RejectReason.Oversized => $"the customer id or event id has more than {Shard.MaxIdBytes} bytes",
            RejectReason.WrongPartition => $"the record is in partition {record.Partition}, its customer hashes to another",
            RejectReason.FutureTime => $"event time {Time(e.Time)} is ahead of the clock by more than time.max_future, "
                + $"{Spelling.Duration(time.MaxFuture)}",
            RejectReason.TooOld => $"event time {Time(e.Time)} is before time.earliest, {Time(time.Earliest.ToUnixTimeMilliseconds())}",
            RejectReason.Late => $"event time {Time(e.Time)} is before the watermark by more than time.lateness, "
                + $"{Spelling.Duration(time.Lateness)}",
            _ => null,
        };
        if (text is null) return source.Explain(e, reason, _detail);
        return Encoding.UTF8.TryGetBytes(text, _detail, out var length) ? length : 0;
    }

    private static string Time(long ms) => !TimeText.InRange(ms) ? ms.ToString(CultureInfo.InvariantCulture)
        : DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private bool Fits(in RecordInfo record) => Math.Max(0, record.Key.Length) + Math.Max(0, record.Value.Length)
        + Envelope <= _outputs.MaxRecordBytes;

    private int PartitionOf(ReadOnlySpan<byte> customer, int partitions) => partitions == 1 ? 0 : Murmur2.Partition(customer, partitions);
}
