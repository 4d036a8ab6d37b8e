using System.Globalization;
using System.Text.Json;
using StreamEngine.Activation.Webhook;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Events.Avro;

namespace StreamEngine.Activation.Records;

/// <summary>The type of a column.</summary>
internal enum ColumnType
{
    /// <summary>Text; lists and records as JSON.</summary>
    Text,

    /// <summary>64-bit floating point.</summary>
    Double,

    /// <summary>A 64-bit integer.</summary>
    Long,

    /// <summary>True or false.</summary>
    Bool,

    /// <summary>A moment, in milliseconds.</summary>
    Time,
}

/// <summary>
/// A column: its name, the field it takes its values from, their type by the records' schema, and the filters that they go through.
/// </summary>
internal sealed record RecordColumn(string Name, string Path, ColumnType Type, BodyTemplate? Filtered = null)
{
    /// <summary>The value as text; null where the record has none.</summary>
    public string? Text(ActivationRecord record) => Filtered is not null ? Filtered.Render(record) is { Length: > 0 } text ? text : null
        : record.Field(Path) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText();

    /// <summary>The value of a number; null where the record has none, or one that JSON can't hold.</summary>
    public double? Double(ActivationRecord record) => record.Field(Path) is { ValueKind: JsonValueKind.Number } value ? value.GetDouble()
        : Text(record) switch { "Infinity" => double.PositiveInfinity, "-Infinity" => double.NegativeInfinity, _ => null };

    /// <summary>The value of an integer.</summary>
    public long? Long(ActivationRecord record) =>
        record.Field(Path) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out var number) ? number : null;

    /// <summary>The value of a boolean.</summary>
    public bool? Bool(ActivationRecord record) =>
        record.Field(Path) is { ValueKind: JsonValueKind.True or JsonValueKind.False } value ? value.GetBoolean() : null;

    /// <summary>The value of a moment, in UTC.</summary>
    public DateTime? Time(ActivationRecord record) => DateTimeOffset.TryParse(Text(record), CultureInfo.InvariantCulture,
        DateTimeStyles.AssumeUniversal, out var time) ? time.UtcDateTime : null;
}

/// <summary>Reads <c>columns</c> by the schema of the engine's records.</summary>
internal static class RecordColumns
{
    /// <summary>Compiles the mapping, all outermost fields where it is empty; a field that is not there is told.</summary>
    public static IReadOnlyList<RecordColumn> Compile(IReadOnlyDictionary<string, string> columns, RecordKind kind, ConfigNode node,
        ConfigErrors errors)
    {
        var schema = AvroSchema.Parse(OutputSchemas.Text(kind.Word()));
        if (columns.Count == 0) return [.. schema.Fields.Select(f => new RecordColumn(f.Name, f.Name, Type(f.Schema)))];
        var compiled = new List<RecordColumn>();
        foreach (var (name, text) in columns)
        {
            var path = text.Split('|')[0].Trim();
            BodyTemplate? filtered = null;
            if (path != text.Trim() && (filtered = BodyTemplate.ParseValue(text, kind, out var fault)) is null)
                errors.Add(node["columns"] ?? node, name, $"its filters are no Liquid: {fault}", "Write FIELD | FILTER: ARGUMENT");
            else if (Find(schema, path) is { } field)
                compiled.Add(new RecordColumn(name, path, filtered is null ? Type(field) : ColumnType.Text, filtered));
            else
                errors.Add(node["columns"] ?? node, name, $"the records have no field '{Printable.Text(Spelling.Short(path))}'",
                    $"The fields are: {string.Join(", ", schema.Fields.Select(f => f.Name))}");
        }
        return compiled;
    }

    private static AvroSchema? Find(AvroSchema schema, string path)
    {
        foreach (var name in path.Split('.'))
            if (Known(schema) is { Kind: AvroKind.Map, Element: { } value }) schema = value;
            else if (Known(schema).Field(name) is { } field) schema = field.Schema;
            else return null;
        return schema;
    }

    /// <summary>What a value is where there is one.</summary>
    private static AvroSchema Known(AvroSchema schema) =>
        schema.Kind == AvroKind.Union ? schema.Branches.First(b => b.Kind != AvroKind.Null) : schema;

    private static ColumnType Type(AvroSchema schema) => Known(schema) switch
    {
        { Kind: AvroKind.Double } => ColumnType.Double,
        { Kind: AvroKind.Boolean } => ColumnType.Bool,
        { Logical: AvroLogical.TimestampMillis } => ColumnType.Time,
        { Kind: AvroKind.Int or AvroKind.Long } => ColumnType.Long,
        _ => ColumnType.Text,
    };
}
