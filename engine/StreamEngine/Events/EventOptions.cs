using StreamEngine.Configuration;
using StreamEngine.Events.Registry;

namespace StreamEngine.Events;

/// <summary>How the bytes of a source's records are written.</summary>
public enum RecordFormat
{
    /// <summary>
    /// Avro binary: Confluent wire format (byte 0, schema id) or single-object encoding (C3 01, fingerprint), told apart by the first
    /// bytes; bare Avro where neither fits and a schema is given.
    /// </summary>
    Avro,

    /// <summary>One JSON object per record.</summary>
    Json,

    /// <summary>One CSV line per record; the header is given by <c>columns</c> (files bring their own).</summary>
    Csv,
}

/// <summary>How Avro records say which schema wrote them.</summary>
public enum AvroFraming
{
    /// <summary>The first bytes tell: 0 is Confluent, C3 01 single-object; what fits neither is bare where a schema is given.</summary>
    Auto,

    /// <summary>Confluent's wire format: byte 0, schema id as int32 big-endian.</summary>
    Confluent,

    /// <summary>Single-object encoding: C3 01, fingerprint as 8 bytes little-endian.</summary>
    SingleObject,

    /// <summary>No frame: every record is written with the source's schema.</summary>
    Bare,
}

/// <summary>How the text of files is encoded.</summary>
public enum TextEncoding
{
    /// <summary>UTF-8, with or without a mark.</summary>
    Utf8,

    /// <summary>ISO 8859-1.</summary>
    Latin1,

    /// <summary>Windows code page 1252: Latin-1 with a euro sign and typographic quotes.</summary>
    Windows1252,

    /// <summary>UTF-16; the mark tells the order of bytes, little-endian without one.</summary>
    Utf16,
}

/// <summary>Whether texts that look the same are made the same.</summary>
public enum TextNormalization
{
    /// <summary>They stay as they come.</summary>
    None,

    /// <summary>Unicode's normal form C.</summary>
    Nfc,
}

/// <summary>One source of events: a topic, or files in a replay, and how its records become events.</summary>
public sealed record EventSourceOptions : ILocated
{
    /// <summary>The source's name: the event type where <see cref="Type"/> is not given.</summary>
    public string Name { get; init; } = "";

    [Doc("The topic to read. All source topics must have the same number of partitions: partition p of each belongs to shard p.")]
    public string Topic { get; init; } = "";

    [Doc("How the records are written: avro, json or csv.")]
    public RecordFormat Format { get; init; } = RecordFormat.Avro;

    [Doc("The reader's Avro schema file, relative to the config file. Without it the writer's schema is used as it is.")]
    public string? Schema { get; init; }

    [Doc("How Avro records say which schema wrote them: auto, confluent, single-object or bare. Set it for bare records: some begin like a "
        + "frame.")]
    public AvroFraming Framing { get; init; } = AvroFraming.Auto;

    [Doc("Column names of headerless CSV records, in order.")]
    public IReadOnlyList<string> Columns { get; init; } = [];

    [Doc("What separates the fields of CSV records: one ASCII character, such as ';' or '|'; '\\t' for a tab.")]
    public string Separator { get; init; } = ",";

    /// <summary><see cref="Separator"/> as it stands in the records; a quote, which can't separate, where it can't be used.</summary>
    public byte SeparatorByte => Separator switch
    {
        "\\t" => (byte)'\t',
        [var c] when char.IsAscii(c) && c is not ('\r' or '\n') => (byte)c,
        _ => (byte)'"',
    };

    [Doc("How the source's CSV and NDJSON files are encoded: utf8, latin1, windows1252 or utf16. Records of a topic are UTF-8.")]
    public TextEncoding Encoding { get; init; } = TextEncoding.Utf8;

    [Doc("Texts that stand for no value, as a whole, such as NULL, \\N or NaN; of CSV and JSON.")]
    public IReadOnlyList<string> Nulls { get; init; } = [];

    [Doc("Whether numbers written as text have a decimal comma (12,50); then a point is no part of a number. Of CSV and JSON texts.")]
    public bool DecimalComma { get; init; }

    [Doc("The time zone of times written as text without an offset, by its IANA name, such as Europe/Berlin; UTC where absent.")]
    public string? Zone { get; init; }

    [Doc("The field with the customer id, as a dotted path, or $key for the record's key; of several, [userId, anonymousId], the first "
        + "that has a value.")]
    public OneOrMore Customer { get; init; } = "customer_id";

    [Doc("The field with the event id, or of several the first that has a value; hash(field, ...) over fields where the data has none.")]
    public OneOrMore Id { get; init; } = "event_id";

    [Doc("nfc puts customer and event ids into Unicode's normal form C, so that an accent is the same however it is written; none leaves "
        + "them as they come.")]
    public TextNormalization Normalize { get; init; }

    [Doc("The field with the event time.")]
    public TimeFieldOptions Time { get; init; } = new();

    [Doc("The field with the event type; without it every event has the source's name as its type.")]
    public string? Type { get; init; }

    [Doc("The field with the purposes that the customer consents to (a list, a text with one, or an object of purpose to true), or a field "
        + "for each purpose: { ads: context.consent.ads, ... }.")]
    public OneOrNamed? Consent { get; init; }

    [Doc("Purposes that an event of this source needs to be admitted.")]
    public IReadOnlyList<string> Requires { get; init; } = [];

    [Doc("Paths of fields with personal data: masked in dead letters, never kept; what is read of a record for anything but its consent "
        + "can't lie in, below or above them. Late records go to their topic as they are.")]
    public IReadOnlyList<string> Pii { get; init; } = [];

    [Doc("The fields that features, rules and models use: name to type, or name to { from: path, type: ... }.")]
    [Keyed]
    public IReadOnlyList<FieldOptions> Fields { get; init; } = [];

    /// <summary>The paths that are read of a record's value, each with the option that names it.</summary>
    public IEnumerable<(string Path, string Option)> Reads() =>
    [
        .. Customer.All.Where(p => p != RecordPart.Key).Select(p => (p, "customer")),
        .. Id.All.SelectMany(IdPaths).Select(p => (p, "id")),
        .. Time.Field.All.Where(p => p != RecordPart.Timestamp).Select(p => (p, "time")),
        .. Type is { Length: > 0 } type ? [(type, "type")] : Array.Empty<(string, string)>(),
        .. (Consent?.All ?? []).Select(p => (p, "consent")),
        .. Fields.Where(f => f.Lookup is null).Select(f => (f.From ?? f.Name, $"fields.{f.Name}")),
    ];

    /// <summary>The parts of <c>hash(part, ...)</c>; null where an id is none.</summary>
    internal static string[]? HashParts(string id) => !id.Trim().StartsWith("hash(", StringComparison.Ordinal) ? null
        : id.Trim() is [.., ')'] text ? text[5..^1].Split(',', StringSplitOptions.TrimEntries) : [""];

    /// <summary>A declared field that is hashed is read as such.</summary>
    private IEnumerable<string> IdPaths(string id) =>
        HashParts(id)?.Where(p => p.Length > 0 && !Fields.Any(f => f.Name == p)) ?? [id.Trim()];

    /// <summary>The schemas of the container files that the records come from; none where they come from a topic.</summary>
    internal IReadOnlyList<AvroFileSchema> FileSchemas { get; private init; } = [];

    /// <summary>
    /// The same source read from Avro container files: its records have Confluent's header, with the place of their file's schema in the
    /// list, from 1, as the id.
    /// </summary>
    public EventSourceOptions WithFileSchemas(IReadOnlyList<AvroFileSchema> schemas) => this with { FileSchemas = schemas };

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>Where the event time stands and how it is written.</summary>
[Shorthand(nameof(Field))]
public sealed record TimeFieldOptions : ILocated
{
    [Doc("The field, as a dotted path, or $timestamp for the record's own time, as the log has it; of several the first that has a value.")]
    public OneOrMore Field { get; init; } = "event_time";

    [Doc("How it is written: millis, seconds, micros, iso, or a .NET pattern such as 'yyyy-MM-dd HH:mm:ss' (UTC). Avro timestamps need "
        + "none.")]
    public string? Format { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>One projected field.</summary>
[Shorthand(nameof(Type))]
public sealed record FieldOptions : ILocated
{
    /// <summary>The name in expressions: <c>event.NAME</c>.</summary>
    public string Name { get; init; } = "";

    [Doc("string, double, decimal(N), int, bool or timestamp; timestamp(FORMAT) where numbers are not milliseconds or text is not ISO "
        + "8601: seconds, micros, or a .NET pattern. list(TYPE) is a list of such values; a list of records has 'items'.")]
    public string Type { get; init; } = "string";

    [Doc("The path in the record, where it differs from the name: dots step into records and objects, numbers into "
        + "arrays; '\\\\.' is a dot within a name.")]
    public string? From { get; init; }

    [Doc("Takes the value from a table and not from the record, by another field as the key: TABLE[event.KEY].FIELD, such as "
        + "products[event.product].category. The type is that of the table's field.")]
    public string? Lookup { get; init; }

    [Doc("For a lookup: the value where the event has the key and the table no value for it. Without it the field is absent then.")]
    public string? Default { get; init; }

    [Doc("For a list of records: the fields of an item, name to type, or name to { from: path within the item, type: ... }.")]
    [Keyed]
    public IReadOnlyList<ItemFieldOptions> Items { get; init; } = [];

    [Doc("The most items of a list; an event with more goes to the dead letter as too-many-items.")]
    [Bounds(1, MostItems)]
    public int MaxItems { get; init; } = 256;

    [Doc("What separates the items of a list in one text, in a CSV column: one ASCII character.")]
    public string Separator { get; init; } = "|";

    /// <summary>The largest <see cref="MaxItems"/>: an item's place has to fit into the last bits of what breaks ties.</summary>
    internal const int MostItems = 4096;

    /// <summary>The paths of all that is read: of a list of records those of the items' fields; none of what is looked up.</summary>
    internal IEnumerable<string> Paths => Lookup is not null ? [] : Items.Count == 0 ? [From ?? Name]
        : Items.Where(i => i.Lookup is null).Select(i => $"{From ?? Name}.{i.From ?? i.Name}");

    /// <summary>The type as it is declared, with the fields of items; of what is looked up the lookup.</summary>
    internal string TypeText => Lookup is not null ? LookupText(Lookup, Default) : Items.Count == 0 ? Type
        : $"list({string.Join(", ", Items.Select(i => i.Lookup is not null ? $"{i.Name} {LookupText(i.Lookup, i.Default)}"
            : $"{i.Name} {i.Type}" + (i.From is null || i.From == i.Name ? "" : $" from {i.From}")))})";

    private static string LookupText(string lookup, string? standIn) =>
        standIn is null ? $"lookup {lookup}" : $"lookup {lookup} default '{standIn}'";

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>One field of a list's items.</summary>
[Shorthand(nameof(Type))]
public sealed record ItemFieldOptions : ILocated
{
    /// <summary>The name in expressions: <c>item.NAME</c>.</summary>
    public string Name { get; init; } = "";

    [Doc("string, double, decimal(N), int, bool, timestamp or timestamp(FORMAT).")]
    public string Type { get; init; } = "string";

    [Doc("The path within the item, where it differs from the name.")]
    public string? From { get; init; }

    [Doc("Takes the value from a table, by another field of the item as the key: TABLE[item.KEY].FIELD.")]
    public string? Lookup { get; init; }

    [Doc("For a lookup: the value where the item has the key and the table no value for it.")]
    public string? Default { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>Event time: watermark, lateness and bounds.</summary>
public sealed record TimeOptions : ILocated
{
    [Doc("The watermark of a partition is its newest event time minus this; with several sources, that of the slowest.")]
    [Bounds(0, 86_400 * 7)]
    public TimeSpan OutOfOrderness { get; init; } = TimeSpan.Zero;

    [Doc("An event older than the watermark by more than this goes to the late topic; up to then it counts, in any order, to the same "
        + "result.")]
    [Bounds(0, 86_400 * 60)]
    public TimeSpan Lateness { get; init; } = TimeSpan.FromHours(1);

    [Doc("An event further in the future than this, by the clock, is rejected: one wrong clock would otherwise make every later event "
        + "late.")]
    [Bounds(0, 86_400 * 3_650)]
    public TimeSpan MaxFuture { get; init; } = TimeSpan.FromHours(1);

    [Doc("An event before this time is rejected, ISO 8601.")]
    public DateTimeOffset Earliest { get; init; } = DateTimeOffset.UnixEpoch;

    [Doc("When a partition brings nothing for this long (wall clock), its watermark follows the clock, so that timers fire; 0 turns it "
        + "off. With several sources, a source that is silent for this long (5s where 0) holds the others' watermark back no more.")]
    [Bounds(0, 86_400)]
    public TimeSpan IdleAfter { get; init; } = TimeSpan.Zero;

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>What becomes of a repeated event.</summary>
public enum DuplicateFate
{
    /// <summary>To the dead letter, with reason duplicate.</summary>
    DeadLetter,

    /// <summary>Counted and dropped.</summary>
    Drop,
}

/// <summary>Duplicates by event id, kept with the profile.</summary>
public sealed record DuplicateOptions : ILocated
{
    [Doc("How long, in event time, an event id is remembered; a repeat within it is found for certain. 0 turns it off.")]
    [Bounds(0, 86_400 * 90)]
    public TimeSpan Horizon { get; init; } = TimeSpan.FromHours(1);

    [Doc("The most ids remembered per customer; past it the oldest are forgotten early, and counted.")]
    [Bounds(16, 1 << 20)]
    public int MaxPerCustomer { get; init; } = 65_536;

    [Doc("dead-letter or drop.")]
    public DuplicateFate Fate { get; init; } = DuplicateFate.DeadLetter;

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
