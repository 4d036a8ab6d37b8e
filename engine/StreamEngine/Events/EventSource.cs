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

    /// <summary>Whether a path is personal data.</summary>
    internal bool IsPersonal(string path) =>
        Options.Pii.Any(p => path == p || path.StartsWith(p + ".", StringComparison.Ordinal));

    /// <summary>
    /// Says in words why a record of this source was rejected, as far as its decoder knows: the field, how its value begins (masked where
    /// it is personal data) and what was expected.
    /// </summary>
    /// <param name="e">The event as the decoder left it.</param>
    /// <param name="reason">Why it was rejected.</param>
    /// <param name="output">Takes UTF-8.</param>
    /// <returns>How many bytes were written.</returns>
    public int Explain(Event e, RejectReason reason, Span<byte> output)
    {
        var missing = reason switch
        {
            RejectReason.MissingCustomer => Options.Customer == "key" ? "the record has no key" : $"no value in '{Options.Customer}'",
            RejectReason.MissingId => $"no value in '{Options.Id.Trim()}'",
            RejectReason.MissingTime => $"no value in '{Options.Time.Field}'",
            _ => null,
        };
        if (missing is not null) return System.Text.Encoding.UTF8.TryGetBytes(missing, output, out var length) ? length : 0;
        if (e.Fault.Kind == FaultKind.None) return 0;
        var target = _shape.Root.Find(e.Fault.Slot);
        return FaultText.Write(e.Fault, target, IsPersonal(e.Fault.Path ?? target?.Path ?? ""), output);
    }

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
