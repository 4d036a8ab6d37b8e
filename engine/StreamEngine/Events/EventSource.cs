using StreamEngine.Configuration;
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

    /// <summary>The purposes that its events speak of, as bits; all where no source has consent, as every purpose counts as given then.
    /// </summary>
    public ulong SpokenConsent => _shape.SpokenConsent;

    /// <summary>
    /// Whether event time is the log's own timestamp, at least where no field has one: the caller sets <see cref="Event.Time"/> before, and
    /// the decoder leaves it alone or sets what a field has.
    /// </summary>
    public bool TimeIsRecordTimestamp => _shape.TimeIsRecords;

    /// <summary>
    /// What identifies the schema that Avro records are read with; null where each is read with that which it was written with.
    /// </summary>
    public string? ReaderSchema => _avro?.Reader?.Identity;

    internal IMasker? Masker { get; }

    /// <summary>What is looked up in tables for its events.</summary>
    internal IReadOnlyList<Tables.Lookup> Lookups => _shape.Lookups;

    /// <summary>
    /// Says in words why a record of this source was rejected, as far as its decoder knows: the field, how its value begins and what was
    /// expected.
    /// </summary>
    /// <param name="e">The event as the decoder left it.</param>
    /// <param name="reason">Why it was rejected.</param>
    /// <param name="output">Takes UTF-8.</param>
    /// <returns>How many bytes were written.</returns>
    public int Explain(Event e, RejectReason reason, Span<byte> output)
    {
        var missing = reason switch
        {
            RejectReason.MissingCustomer => NoValue(Options.Customer),
            RejectReason.MissingId => NoValue(Options.Id),
            RejectReason.MissingTime => NoValue(Options.Time.Field),
            _ => null,
        };
        if (missing is not null) return System.Text.Encoding.UTF8.TryGetBytes(missing, output, out var length) ? length : 0;
        if (e.Fault.Kind == FaultKind.None) return 0;
        var target = _shape.Root.Find(e.Fault.Slot);
        return FaultText.Write(e.Fault, target, output);
    }

    /// <summary>The path of the field that a record of this source was rejected for; null where no single one is at fault.</summary>
    /// <param name="e">The event as the decoder left it.</param>
    /// <param name="reason">Why it was rejected.</param>
    public string? FieldAtFault(Event e, RejectReason reason) => reason switch
    {
        RejectReason.MissingCustomer => Options.Customer.All[0],
        RejectReason.MissingId => Options.Id.All[0],
        RejectReason.MissingTime or RejectReason.TooOld or RejectReason.FutureTime => Options.Time.Field.All[0],
        _ => e.Fault.Kind == FaultKind.None ? null : e.Fault.Path ?? _shape.Root.Find(e.Fault.Slot)?.Path,
    };

    /// <summary>
    /// Says in words which consent a record of this source lacks, and what it says instead (<c>***</c> where that is personal data): for
    /// the log.
    /// </summary>
    internal string ExplainConsent(Event e)
    {
        var missing = Options.Requires.Where(p => (e.Consent & _shape.Purposes.Bit(p)) == 0).ToList();
        var consent = Options.Consent!;
        var named = consent.Named.Where(n => missing.Contains(n.Key)).Select(n => n.Value);
        var field = string.Join(", ", (consent.One.Length > 0 ? [consent.One] : named).Select(p => $"'{p}'"));
        var said = consent.All.Any(p => PiiCheck.IsPersonal(Options, p)) ? "***" : FaultText.Show(e.ConsentSaid.Text);
        var found = !e.ConsentSaid.Present ? $"there is no value in {field}"
            : e.ConsentSaid.Length == 0 ? $"{field} says no"
            : consent.One.Length > 0 ? $"{field} says '{said}'" : $"'{said}' in {field} is no yes and no no";
        return $"they lack consent to {string.Join(", ", missing)}: {found}";
    }

    private static string NoValue(OneOrMore paths)
    {
        var fields = paths.All.Where(p => p != RecordPart.Key).ToList();
        var text = fields.Count == 0 ? "the record has no key" : $"no value in {string.Join(" or ", fields.Select(f => $"'{f.Trim()}'"))}";
        return fields.Count > 0 && fields.Count < paths.All.Count ? text + ", and no key" : text;
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
