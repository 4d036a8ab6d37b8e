using StreamEngine.Configuration;

namespace StreamEngine.Events.Tables;

/// <summary>One table of reference data: rows of a file or a topic, by key, from which fields of events are looked up.</summary>
public sealed record TableOptions : ILocated
{
    /// <summary>The table's name in lookups.</summary>
    public string Name { get; init; } = "";

    [Doc("The file with the rows, relative to the config file: CSV with a header, or NDJSON; plain or gzip.")]
    public string File { get; init; } = "";

    [Doc("The compacted topic with the rows, in place of a file: one partition, JSON values, and the row's key as the record's. The newest "
        + "record of a key is its row, one without a value deletes it; every process follows the topic while it runs.")]
    public string Topic { get; init; } = "";

    [Doc("How the topic's values are written: json.")]
    public RecordFormat Format { get; init; } = RecordFormat.Json;

    [Doc("The column with the key, or { field: column, type: int }; each key stands in one row only. Of a topic the field of the value "
        + "that repeats the record's key, or $key where the value does not.")]
    public TableKeyOptions Key { get; init; } = new();

    [Doc("The columns that lookups take values from: name to type, or name to { from: column, type: ... }.")]
    [Keyed]
    public IReadOnlyList<TableFieldOptions> Fields { get; init; } = [];

    [Doc("What separates the fields of a CSV row: one ASCII character, such as ';' or '|'; '\\t' for a tab.")]
    public string Separator { get; init; } = ",";

    [Doc("How the file is encoded: utf8, latin1, windows1252 or utf16.")]
    public TextEncoding Encoding { get; init; } = TextEncoding.Utf8;

    [Doc("Texts that stand for no value, as a whole, such as NULL, \\N or NaN.")]
    public IReadOnlyList<string> Nulls { get; init; } = [];

    [Doc("Whether numbers written as text have a decimal comma (12,50); then a point is no part of a number.")]
    public bool DecimalComma { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>Where the key of a table's rows stands.</summary>
[Shorthand(nameof(Field))]
public sealed record TableKeyOptions : ILocated
{
    [Doc("The column; in NDJSON a dotted path.")]
    public string Field { get; init; } = "";

    [Doc("string or int, as the field of the event that it is compared with.")]
    public string Type { get; init; } = "string";

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>One column of a table that lookups take values from.</summary>
[Shorthand(nameof(Type))]
public sealed record TableFieldOptions : ILocated
{
    /// <summary>The name in lookups: <c>TABLE[event.KEY].NAME</c>.</summary>
    public string Name { get; init; } = "";

    [Doc("string, double, decimal(N), int, bool, timestamp or timestamp(FORMAT).")]
    public string Type { get; init; } = "string";

    [Doc("The column, where it differs from the name; in NDJSON a dotted path.")]
    public string? From { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
