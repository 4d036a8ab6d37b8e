using System.Text.Json;
using StreamEngine.Configuration;

namespace StreamEngine.Events.Avro;

/// <summary>Reads a schema's JSON into <see cref="AvroSchema"/>, resolving names as they are defined.</summary>
internal sealed class AvroSchemaParser
{
    private static readonly Dictionary<string, AvroKind> Primitives = new()
    {
        ["null"] = AvroKind.Null,
        ["boolean"] = AvroKind.Boolean,
        ["int"] = AvroKind.Int,
        ["long"] = AvroKind.Long,
        ["float"] = AvroKind.Float,
        ["double"] = AvroKind.Double,
        ["bytes"] = AvroKind.Bytes,
        ["string"] = AvroKind.String,
    };

    private readonly Dictionary<string, AvroSchema> _named = [];
    private readonly List<AvroField> _defaults = [];

    /// <exception cref="AvroSchemaException">The JSON is no valid schema.</exception>
    public AvroSchema Parse(LocatedJson root)
    {
        var schema = Schema(root, "");
        // Defaults are checked last: they may be of types that were not complete when the field was read.
        foreach (var field in _defaults) AvroDefaults.Value(field.Schema, field.Default!);
        return schema;
    }

    private AvroSchema Schema(LocatedJson node, string space) => node.Kind switch
    {
        JsonTokenType.String => Reference(node, node.Text, space),
        JsonTokenType.StartArray => Union(node, space),
        JsonTokenType.StartObject => Complex(node, space),
        _ => throw node.Error("a schema is a name, an object or an array of schemas"),
    };

    private AvroSchema Reference(LocatedJson node, string name, string space)
    {
        if (Primitives.TryGetValue(name, out var kind)) return new AvroSchema(kind) { FullName = name };
        if (_named.TryGetValue(Qualify(name, space), out var schema) || _named.TryGetValue(name, out schema)) return schema;
        var known = Primitives.Keys.Concat(_named.Keys).ToList();
        throw node.Error($"unknown type '{name}'{KnownNames.DidYouMean(name, known)}; the types known here are {string.Join(", ", known)}");
    }

    private AvroSchema Union(LocatedJson node, string space)
    {
        var branches = new List<AvroSchema>();
        foreach (var item in node.Items)
        {
            var branch = Schema(item, space);
            if (branch.Kind == AvroKind.Union) throw item.Error("a union may not hold a union directly");
            if (branches.Any(b => b.Kind == branch.Kind && (!b.IsNamed || b.FullName == branch.FullName)))
                throw item.Error($"the union has '{branch.FullName}' twice");
            branches.Add(branch);
        }
        if (branches.Count == 0) throw node.Error("a union needs a branch");
        return new AvroSchema(AvroKind.Union) { FullName = "union", Branches = branches };
    }

    private AvroSchema Complex(LocatedJson node, string space)
    {
        var type = node["type"] ?? throw node.Error("the schema has no 'type'");
        if (type.Kind != JsonTokenType.String) return Schema(type, space);
        return type.Text switch
        {
            "record" or "error" => Record(node, space),
            "enum" => Enum(node, space),
            "fixed" => Fixed(node, space),
            "array" => new AvroSchema(AvroKind.Array) { FullName = "array", Element = Schema(Need(node, "items"), space) },
            "map" => new AvroSchema(AvroKind.Map) { FullName = "map", Element = Schema(Need(node, "values"), space) },
            _ when Primitives.TryGetValue(type.Text, out var kind) => Primitive(node, type.Text, kind),
            _ => Reference(type, type.Text, space),
        };
    }

    private static AvroSchema Primitive(LocatedJson node, string name, AvroKind kind)
    {
        var logical = AvroLogicalParser.Of(node, kind, 0, out var precision, out var scale);
        return new AvroSchema(kind) { FullName = name, Logical = logical, Precision = precision, Scale = scale };
    }

    private AvroSchema Record(LocatedJson node, string space)
    {
        var full = FullName(node, space, out var inner);
        var schema = Define(node, new AvroSchema(AvroKind.Record) { FullName = full, Aliases = Aliases(node, inner) });
        var fields = new List<AvroField>();
        var names = new HashSet<string>();
        foreach (var item in ArrayOf(node, "fields"))
        {
            if (item.Kind != JsonTokenType.StartObject) throw item.Error("a field is an object with 'name' and 'type'");
            var name = Text(item, "name");
            if (!IsName(name))
                throw item["name"]!.Error($"'{name}' is no valid field name (letters, digits and _, not beginning with a digit)");
            if (!names.Add(name)) throw item["name"]!.Error($"the record has the field '{name}' twice");
            var field = new AvroField
            {
                Index = fields.Count,
                Name = name,
                Schema = Schema(Need(item, "type"), inner),
                Aliases = item["aliases"] is { } aliases ? Strings(aliases) : [],
                Default = item["default"],
            };
            fields.Add(field);
            if (field.HasDefault) _defaults.Add(field);
        }
        schema.Fields = fields;
        return schema;
    }

    private AvroSchema Enum(LocatedJson node, string space)
    {
        var full = FullName(node, space, out var inner);
        var symbols = new List<string>();
        foreach (var item in ArrayOf(node, "symbols"))
        {
            if (item.Kind != JsonTokenType.String || !IsName(item.Text))
                throw item.Error($"'{item.Text}' is no valid symbol (letters, digits and _, not beginning with a digit)");
            if (symbols.Contains(item.Text)) throw item.Error($"the enum has the symbol '{item.Text}' twice");
            symbols.Add(item.Text);
        }
        var fallback = node["default"];
        if (fallback is not null && !symbols.Contains(fallback.Text))
            throw fallback.Error($"the default '{fallback.Text}' is none of the symbols");
        return Define(node, new AvroSchema(AvroKind.Enum)
        {
            FullName = full,
            Aliases = Aliases(node, inner),
            Symbols = symbols,
            DefaultSymbol = fallback?.Text
        });
    }

    private AvroSchema Fixed(LocatedJson node, string space)
    {
        var full = FullName(node, space, out var inner);
        var size = Need(node, "size");
        if (!int.TryParse(size.Text, out var bytes) || bytes < 0) throw size.Error("the size of a fixed is a number of bytes, 0 or more");
        var logical = AvroLogicalParser.Of(node, AvroKind.Fixed, bytes, out var precision, out var scale);
        return Define(node, new AvroSchema(AvroKind.Fixed)
        {
            FullName = full,
            Aliases = Aliases(node, inner),
            Size = bytes,
            Logical = logical,
            Precision = precision,
            Scale = scale,
        });
    }

    private AvroSchema Define(LocatedJson node, AvroSchema schema)
    {
        if (Primitives.ContainsKey(schema.FullName))
            throw node["name"]!.Error($"'{schema.FullName}' is a primitive type and can't be defined");
        if (!_named.TryAdd(schema.FullName, schema)) throw node["name"]!.Error($"the type '{schema.FullName}' is defined twice");
        return schema;
    }

    private static string FullName(LocatedJson node, string space, out string inner)
    {
        var name = Text(node, "name");
        if (!name.Contains('.'))
        {
            inner = node["namespace"] is { Kind: JsonTokenType.String } given ? given.Text : space;
            name = Qualify(name, inner);
        }
        inner = name.Contains('.') ? name[..name.LastIndexOf('.')] : "";
        if (!name.Split('.').All(IsName))
            throw node["name"]!.Error($"'{name}' is no valid name (letters, digits and _, parts joined by dots)");
        return name;
    }

    private static List<string> Aliases(LocatedJson node, string space) =>
        node["aliases"] is { } aliases ? [.. Strings(aliases).Select(a => Qualify(a, space))] : [];

    private static string Qualify(string name, string space) => space.Length == 0 || name.Contains('.') ? name : $"{space}.{name}";

    private static LocatedJson Need(LocatedJson node, string key) => node[key] ?? throw node.Error($"'{key}' is missing");

    private static string Text(LocatedJson node, string key)
    {
        var value = Need(node, key);
        return value.Kind == JsonTokenType.String ? value.Text : throw value.Error($"'{key}' must be a text");
    }

    private static List<LocatedJson> ArrayOf(LocatedJson node, string key)
    {
        var value = Need(node, key);
        return value.Kind == JsonTokenType.StartArray ? value.Items : throw value.Error($"'{key}' must be an array");
    }

    private static List<string> Strings(LocatedJson node)
    {
        if (node.Kind != JsonTokenType.StartArray || node.Items.Any(i => i.Kind != JsonTokenType.String))
            throw node.Error("must be an array of names");
        return [.. node.Items.Select(i => i.Text)];
    }

    private static bool IsName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
