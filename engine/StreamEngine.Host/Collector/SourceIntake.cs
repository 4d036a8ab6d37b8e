using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using StreamEngine.Events;
using StreamEngine.Host.Configuration;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Collector;

/// <summary>
/// Judges the events of one source as the engine's shards will, by the same decoders, and puts those that can be written into a batch: what
/// the engine would reject is told to the sender now, who can mend it. Thread-safe.
/// </summary>
internal sealed class SourceIntake
{
    private const string Unchangeable = "it is no JSON object, is nested too deep, has a name twice, or a text with half a character";

    private readonly ConcurrentBag<Reader> _readers = [];
    private readonly EventSource _source;
    private readonly FieldCatalog _fields;
    private readonly JsonEdits? _edits;
    private readonly long _earliest, _maxFuture;
    private readonly int _mostBytes;

    /// <param name="options">What the config says of the source as one that is collected.</param>
    /// <param name="engine">The engine, which says how its events are read.</param>
    /// <param name="edits">Changes JSON events; null where none have to be.</param>
    /// <param name="largestRecord">The most bytes of a record, key and value, that the log takes.</param>
    public SourceIntake(CollectorSourceOptions options, CompiledEngine engine, JsonEdits? edits, int largestRecord)
    {
        Options = options;
        _source = engine.Events.Sources.First(s => s.Name == options.Name);
        (_fields, _edits) = (engine.Events.Fields, edits);
        _earliest = engine.Options.Time.Earliest.ToUnixTimeMilliseconds();
        _maxFuture = (long)engine.Options.Time.MaxFuture.TotalMilliseconds;
        _mostBytes = (int)Math.Min(largestRecord, engine.Options.Runtime.MaxRecordBytes.Bytes);
    }

    /// <summary>What the config says of it.</summary>
    public CollectorSourceOptions Options { get; }

    /// <summary>The source's name.</summary>
    public string Name => Options.Name;

    /// <summary>The topic that is written.</summary>
    public string Topic => _source.Topic;

    /// <summary>Whether its events are JSON, else Avro.</summary>
    public bool IsJson => _source.Options.Format == RecordFormat.Json;

    /// <summary>Judges an event, and adds it to the batch where it can be written.</summary>
    /// <param name="value">The event's bytes as they came.</param>
    /// <param name="index">Its place in the request.</param>
    /// <param name="batch">Takes it.</param>
    /// <param name="id">Its id.</param>
    /// <param name="error">Why it was rejected.</param>
    public EventOutcome Judge(ReadOnlySpan<byte> value, int index, EventBatch batch, out EventId id, out EventError? error)
    {
        if (!_readers.TryTake(out var reader)) reader = new Reader(_source.CreateDecoder(), new Event(_fields));
        try
        {
            return Judge(reader, value, index, batch, out id, out error);
        }
        finally
        {
            _readers.Add(reader);
        }
    }

    private EventOutcome Judge(Reader reader, ReadOnlySpan<byte> value, int index, EventBatch batch, out EventId id, out EventError? error)
    {
        (id, error) = (default, null);
        var begin = batch.Length;
        if (_edits is { Hashes: true })
        {
            var changed = _edits.Hash(value, out var unhashed);
            if (unhashed is not null)
                return Reject(index, RejectReason.WrongType, unhashed, "it is to be hashed, and is neither a text nor a number", out error);
            if (changed is not { } hashed) return Reject(index, RejectReason.Malformed, null, Unchangeable, out error);
            value = hashed;
        }
        var length = Put(value, batch, Options.Arrival, Iso(batch.Arrived));
        if (length < 0) return Reject(index, RejectReason.Malformed, null, Unchangeable, out error);
        var reason = Decode(reader, batch, begin, length);
        if (reason == RejectReason.MissingId && Options.MakeId is { } made)
        {
            var idless = batch.Buffer.AsSpan(begin, length).ToArray();
            batch.CutTo(begin);
            length = Put(idless, batch, made, Guid.NewGuid().ToString());
            if (length < 0) return Reject(index, RejectReason.Malformed, null, Unchangeable, out error);
            reason = Decode(reader, batch, begin, length);
        }
        var e = reader.Event;
        if (reason == RejectReason.None) reason = Bounds(e, length, batch.Arrived);
        if (reason != RejectReason.None)
        {
            batch.CutTo(begin);
            return Reject(index, reason, _source.FieldAtFault(e, reason), Say(reader, reason, length), out error);
        }
        var outcome = EventOutcome.Accepted;
        if ((e.Consent & _source.RequiredConsent) != _source.RequiredConsent && Options.WithoutConsent != WithoutConsent.Pass)
        {
            outcome = EventOutcome.NoConsent;
            if (Options.WithoutConsent == WithoutConsent.Drop || _edits!.Reduce(batch.Buffer.AsSpan(begin, length)) is not { } less)
            {
                batch.CutTo(begin);
                return outcome;
            }
            batch.CutTo(begin);
            length = Put(less, batch);
            if (Decode(reader, batch, begin, length) != RejectReason.None)
            {
                batch.CutTo(begin); // what it takes to know the customer lies within a list
                return outcome;
            }
        }
        id = EventId.Of(e);
        var key = batch.Append(e.Customer.Text.ToArray());
        batch.Records.Add(new Record(key, batch.Length - key, begin, length));
        return outcome;
    }

    private RejectReason Decode(Reader reader, EventBatch batch, int begin, int length)
    {
        var e = reader.Event;
        e.BeginBatch();
        e.Clear();
        if (_source.TimeIsRecordTimestamp) e.Time = batch.Arrived;
        return reader.Decoder.Decode(batch.Buffer, new Range32(begin, length), new Range32(begin, 0), e);
    }

    private RejectReason Bounds(Event e, int length, long now) =>
        e.Customer.Text.Length > Shard.MaxIdBytes || e.Id.Length > Shard.MaxIdBytes || e.Customer.Text.Length + length > _mostBytes
            ? RejectReason.Oversized
        : e.Time < _earliest ? RejectReason.TooOld
        : e.Time > now + _maxFuture ? RejectReason.FutureTime
        : RejectReason.None;

    private string Say(Reader reader, RejectReason reason, int length)
    {
        if (reason == RejectReason.Oversized)
            return length > _mostBytes ? $"it has {length} bytes, at most {_mostBytes} are taken"
                : $"the customer id or event id has more than {Shard.MaxIdBytes} bytes, or both with the event more than {_mostBytes}";
        if (reason is RejectReason.TooOld or RejectReason.FutureTime)
            return $"its time is {Iso(reader.Event.Time)}, {(reason == RejectReason.TooOld ? $"before {Iso(_earliest)}"
                : "further in the future than time.max_future allows")}";
        return Encoding.UTF8.GetString(reader.Detail, 0, _source.Explain(reader.Event, reason, reader.Detail));
    }

    private EventOutcome Reject(int index, RejectReason reason, string? field, string detail, out EventError error)
    {
        error = new EventError(index, EngineMetrics.Reasons[(int)reason], field, detail, EventError.RemedyOf(reason));
        return EventOutcome.Rejected;
    }

    /// <summary>Appends an event, with a text at its top where one is given; its length, or -1 where it can't be changed.</summary>
    private int Put(ReadOnlySpan<byte> value, EventBatch batch, string? name = null, string text = "")
    {
        var begin = batch.Length;
        var end = name is null ? -1 : value.LastIndexOf((byte)'}');
        if (end >= 0)
        {
            // What may be there already is replaced: whoever reads the log must not find two. An escape could hide the name.
            var quoted = JsonSerializer.SerializeToUtf8Bytes(name);
            if (value.IndexOf(quoted) >= 0 || value.IndexOf("\\u"u8) >= 0)
            {
                if (_edits!.Set(value, name!, text) is not { } changed) return -1;
                batch.Append(changed);
                return batch.Length - begin;
            }
            batch.Append(value[..end]);
            if (value[..end].TrimEnd(" \t\r\n"u8) is not [.., (byte)'{']) batch.Append(","u8);
            batch.Append(quoted);
            batch.Append(Encoding.UTF8.GetBytes($":\"{text}\""));
            value = value[end..];
        }
        batch.Append(value);
        return batch.Length - begin;
    }

    internal static string Iso(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(ms, -62_135_596_800_000, 253_402_300_799_999))
        .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private sealed record Reader(IEventDecoder Decoder, Event Event)
    {
        public byte[] Detail { get; } = new byte[512];
    }
}
