using StreamEngine.Events.Decoding;
using StreamEngine.Events.Masking;

namespace StreamEngine.Events;

/// <summary>One compiled source of events. Thread-safe; its decoders are not.</summary>
public sealed class EventSource
{
    private readonly EventShape _shape;
    private readonly AvroSource? _avro;

    internal EventSource(EventSourceOptions options, EventShape shape, AvroSource? avro, ulong requiredConsent, IMasker? masker)
    {
        _shape = shape;
        _avro = avro;
        Options = options;
        RequiredConsent = requiredConsent;
        Masker = masker;
    }

    /// <summary>The source's index: <see cref="Event.Source"/>.</summary>
    public int Index => _shape.Source;

    /// <summary>The source's name.</summary>
    public string Name => Options.Name;

    /// <summary>The topic it reads.</summary>
    public string Topic => Options.Topic;

    /// <summary>The options as configured.</summary>
    public EventSourceOptions Options { get; }

    /// <summary>The purposes that an event must have consent for, as bits.</summary>
    public ulong RequiredConsent { get; }

    /// <summary>
    /// Whether event time is the log's own timestamp: the decoder leaves <see cref="Event.Time"/> alone, and the caller sets it.
    /// </summary>
    public bool TimeIsRecordTimestamp => _shape.TimeIsRecords;

    internal IMasker? Masker { get; }

    /// <summary>A decoder for one thread, for records as the source's topic has them.</summary>
    /// <exception cref="InvalidOperationException">The source is CSV and its config names no columns.</exception>
    public IEventDecoder CreateDecoder() => Options.Format switch
    {
        RecordFormat.Json => new JsonEventDecoder(_shape),
        RecordFormat.Csv when Options.Columns.Count == 0 =>
            throw new InvalidOperationException($"The source '{Name}' is CSV; without 'columns' its records can be read from files with a "
            + "header only."),
        RecordFormat.Csv => new CsvEventDecoder(_shape, Options.Columns, Options.SeparatorByte),
        _ => new AvroEventDecoder(_avro!),
    };

    /// <summary>A decoder for one thread, for CSV records whose columns a file's header names.</summary>
    public IEventDecoder CreateDecoder(IReadOnlyList<string> columns) => new CsvEventDecoder(_shape, columns, Options.SeparatorByte);
}
