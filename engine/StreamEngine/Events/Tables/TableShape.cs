using System.Globalization;
using StreamEngine.Configuration;
using StreamEngine.Events.Decoding;

namespace StreamEngine.Events.Tables;

/// <summary>A table as the config declares it: its key and its fields, without rows.</summary>
public sealed class TableShape
{
    /// <summary>What the key is called among the fields of <see cref="Source"/>.</summary>
    internal const string KeyName = "key";

    /// <summary>What to do about a file that is not UTF-8.</summary>
    public const string EncodingRemedy = "Set the table's encoding: latin1, windows1252 or utf16, or save the file as UTF-8.";

    private TableShape(TableOptions options, int index, FieldType keyType, FieldCatalog fields) =>
        (Options, Index, KeyType, Fields) = (options, index, keyType, fields);

    /// <summary>The options as configured.</summary>
    public TableOptions Options { get; }

    /// <summary>The table's place in the config, from 0.</summary>
    public int Index { get; }

    /// <summary>The table's name.</summary>
    public string Name => Options.Name;

    /// <summary>Whether keys are texts or whole numbers: <see cref="FieldType.String"/> or <see cref="FieldType.Int"/>.</summary>
    public FieldType KeyType { get; }

    /// <summary>Whether its rows are the records of a topic.</summary>
    public bool IsTopic => Options.Topic.Length > 0;

    /// <summary>What lookups can take from it.</summary>
    public FieldCatalog Fields { get; }

    /// <summary>
    /// The table's rows as a source of events, so that a row is read by the decoders, and by the rules for numbers, times and texts, that
    /// events are read by.
    /// </summary>
    /// <param name="format">How rows are written: JSON or CSV.</param>
    /// <param name="columns">The columns that a CSV file's header names.</param>
    public EventSourceOptions Source(RecordFormat format, IReadOnlyList<string> columns) => new()
    {
        Name = Name,
        Format = format,
        Columns = columns,
        Separator = Options.Separator,
        Encoding = Options.Encoding,
        Nulls = Options.Nulls,
        DecimalComma = Options.DecimalComma,
        Customer = Options.Key.Field,
        // An event needs an id, a row does not: where the record's key is the row's, no field need be there.
        Id = Options.Key.Field == RecordPart.Key ? "\\$key" : Options.Key.Field,
        Time = new TimeFieldOptions { Field = RecordPart.Timestamp },
        Fields =
        [
            .. Options.Key.Field == RecordPart.Key ? Array.Empty<FieldOptions>()
                : [new FieldOptions { Name = KeyName, From = Options.Key.Field, Type = Options.Key.Type, Node = Options.Key.Node }],
            .. Options.Fields.Select((f, i) => new FieldOptions
            {
                Name = ColumnName(i),
                From = f.From ?? f.Name,
                Type = f.Type,
                Node = f.Node,
            }),
        ],
        Node = Options.Node,
    };

    /// <summary>
    /// What a field is called among the fields of <see cref="Source"/>: not by its own name, which may be one that an event can't have.
    /// </summary>
    /// <param name="index">The field's place in the table.</param>
    internal static string ColumnName(int index) => string.Create(CultureInfo.InvariantCulture, $"f{index}");

    /// <summary>Checks a table's options; every mistake is told, and names that can't be used are told once.</summary>
    internal static TableShape Declare(TableOptions options, int index, ConfigErrors errors)
    {
        if (!LookupText.IsName(options.Name))
            errors.Add(options.Node, "", $"'{options.Name}' can't be used in a lookup", "Use letters, digits and _, no digit first.");
        if (options.Topic.Length > 0) CheckTopic(options, errors);
        else if (options.File.Length == 0)
            errors.Add(options.Node, "file", "the table names no file",
                "Name a CSV file with a header, or an NDJSON file; .gz too. Or name a topic.");
        if (new EventSourceOptions { Separator = options.Separator }.SeparatorByte == '"')
            errors.Add(options.Node, "separator", $"'{options.Separator}' can't separate fields",
                "Write one ASCII character that is no quote or line break, such as ';' or '|', or '\\t' for a tab.");
        var fields = new List<Field>();
        var unusable = new HashSet<string>();
        foreach (var field in options.Fields)
        {
            if (!LookupText.IsName(field.Name))
                errors.Add(field.Node, "", $"'{field.Name}' can't be used in a lookup",
                    "Use letters, digits and _, and give the column's own name as 'from'.");
            CheckPath(field.From ?? field.Name, field.Node, field.From is null ? "" : "from", errors);
            if (FieldTypeText.TryParse(field.Type, out var type, out var scale, out _, out var problem))
                fields.Add(new Field(fields.Count, field.Name, type, scale));
            else
            {
                unusable.Add(field.Name);
                errors.Add(field.Node, "type", problem, "A table has single values: string, double, decimal(N), int, bool, timestamp.");
            }
        }
        if (options.Fields.Count == 0)
            errors.Add(options.Node, "fields", "the table has no fields",
                "Name the columns that lookups take values from, e.g. fields: { category: string, margin: double }.");
        return new TableShape(options, index, KeyTypeOf(options, errors), new FieldCatalog(fields) { Unusable = unusable });
    }

    private static void CheckTopic(TableOptions options, ConfigErrors errors)
    {
        if (options.File.Length > 0)
            errors.Add(options.Node, "file", "the table names a file and a topic", "Take one of them out.");
        if (options.Format != RecordFormat.Json)
            errors.Add(options.Node, "format", $"a table's topic can't be {Spelling.Snake($"{options.Format}")}",
                "Write its values as JSON.");
        if (options.Encoding != TextEncoding.Utf8)
            errors.Add(options.Node, "encoding", "a topic's records are read as UTF-8; 'encoding' is of files", "Take it out.");
        if (options.Separator != ",")
            errors.Add(options.Node, "separator", "only CSV has a separator", "Take it out.");
    }

    private static FieldType KeyTypeOf(TableOptions options, ConfigErrors errors)
    {
        var (key, node) = (options.Key, options.Key.Node == ConfigNode.InCode ? options.Node : options.Key.Node);
        if (key.Field.Length == 0) errors.Add(options.Node, "key", "the table has no key", "Name the column with the key.");
        else if (options.Topic.Length == 0 || key.Field != RecordPart.Key)
            CheckPath(key.Field, node, node.Entries is null ? "" : "field", errors);
        switch (key.Type)
        {
            case "string": return FieldType.String;
            case "int": return FieldType.Int;
        }
        errors.Add(node, "type", $"a key can't be of the type '{key.Type}'", "Write string or int.");
        return FieldType.String;
    }

    private static void CheckPath(string path, ConfigNode node, string key, ConfigErrors errors)
    {
        if (PathNode.Fault(path) is { } fault) errors.Add(node, key, fault.Message, fault.Remedy);
    }
}
