using System.Text.Json;
using System.Text.RegularExpressions;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;
using StreamEngine.Configuration;
using JsonException = System.Text.Json.JsonException;

namespace StreamEngine.Events.Avro;

/// <summary>
/// A schema's JSON made ready for Apache's parser: bounded in size and depth, of shapes that the parser takes, and with nothing that does
/// not bear on the data. A reader's schema is held to the specification. A writer's is taken as it is: names that the parser would refuse
/// are replaced, and given back by <see cref="Names"/>; defaults and aliases, which only readers use, are left out.
/// </summary>
internal sealed partial class AvroSchemaText
{
    /// <summary>The properties that have a logical type with precision and scale, and aliases; the parser keeps them.</summary>
    public const string Logical = "logical", Aliases = "names";

    // The parser's time grows with the square of the fields: 20,000 take it two seconds.
    private const int MaxLength = 1 << 22, MaxNodes = 20_000, MaxDepth = 64;

    private static readonly string[] Primitives = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
    private readonly bool _strict;
    private readonly List<string> _defined = [];
    private readonly List<(string Field, string Json, JToken Default)> _defaults = [];
    private int _nodes;

    /// <exception cref="AvroSchemaException">The text is no JSON, too large, or not shaped as a schema is.</exception>
    public AvroSchemaText(string json, bool strict)
    {
        _strict = strict;
        if (json.Length > MaxLength) throw new AvroSchemaException($"the schema is longer than {MaxLength >> 20} MiB", 1);
        try
        {
            // The reader below takes more than JSON is, and names no line where it fails.
            using (JsonDocument.Parse(json, new JsonDocumentOptions
            {
                CommentHandling = JsonCommentHandling.Skip,
                AllowDuplicateProperties = !strict,
                MaxDepth = MaxDepth
            }))
                Prepared = Schema(Read(json));
        }
        catch (JsonException e)
        {
            throw new AvroSchemaException("not valid JSON: " + e.Message.Split(" LineNumber")[0], (int)(e.LineNumber ?? 0) + 1);
        }
        catch (JsonReaderException e)
        {
            throw new AvroSchemaException("not valid JSON: " + e.Message, e.LineNumber);
        }
        if (Prepared.Type == JTokenType.String && !Primitives.Contains((string)Prepared!))
            throw Error(Prepared.Annotation<Origin>()!.Token, Unknown((string)Prepared!));
    }

    /// <summary>Gives back the names that were replaced.</summary>
    public AvroNames Names { get; } = new();

    /// <summary>The schema as the parser is to have it.</summary>
    public JToken Prepared { get; }

    /// <summary>Reads JSON; texts that look like dates stay texts.</summary>
    public static JToken Read(string json)
    {
        using var reader = new JsonTextReader(new StringReader(json)) { DateParseHandling = DateParseHandling.None, MaxDepth = MaxDepth };
        return JToken.ReadFrom(reader);
    }

    /// <summary>What the parser, or who goes over its schema, found wrong, at its place.</summary>
    public AvroSchemaException Error(Exception e)
    {
        var message = Names.Given(e.Message.Split('\n')[0].TrimEnd());
        var path = Place().Match(message);
        if (path.Success) message = message[..path.Index];
        const string Undefined = "Undefined name: ";
        if (message.StartsWith(Undefined, StringComparison.Ordinal)) message = Unknown(message[Undefined.Length..]);
        var at = path.Success ? Prepared.SelectToken(path.Groups[1].Value) : Prepared;
        while (at is not null && at.Annotation<Origin>() is null) at = at.Parent;
        return Error(at?.Annotation<Origin>()?.Token, message);
    }

    /// <summary>The mistake of a default.</summary>
    public AvroSchemaException DefaultError(string field, string json, string message) =>
        Error(_defaults.FirstOrDefault(d => d.Field == field && d.Json == json).Default, $"the default of '{field}' {message}");

    private string Unknown(string name) =>
        $"unknown type '{Names.Given(name)}'" + (name.Length > 200 ? "" : KnownNames.DidYouMean(name, Primitives.Concat(_defined)));

    private static AvroSchemaException Error(JToken? at, string message) =>
        new(message, at is IJsonLineInfo line && line.HasLineInfo() ? line.LineNumber : 1);

    private JToken Schema(JToken node)
    {
        if (++_nodes > MaxNodes) throw Error(node, $"the schema has more than {MaxNodes} types and fields");
        var prepared = node switch
        {
            JValue { Type: JTokenType.String } name => Reference(name),
            JArray union => Union(union),
            JObject definition => Definition(definition),
            _ => throw Error(node, "a schema is a name, an object or an array of schemas"),
        };
        if (prepared.Annotation<Origin>() is null) prepared.AddAnnotation(new Origin(node));
        return prepared;
    }

    private JValue Reference(JToken name) =>
        new(Primitives.Contains((string)name!) || _strict ? (string)name! : Names.Safe((string)name!));

    private JArray Union(JArray union)
    {
        if (union.Count == 0) throw Error(union, "a union needs a branch");
        var branches = union.Select(Schema).ToList();
        if (branches.FindIndex(b => b is JArray) is var inner and >= 0)
            throw Error(union[inner], "a union may not hold a union directly");
        return new JArray(branches);
    }

    private JToken Definition(JObject node)
    {
        var type = node["type"] ?? throw Error(node, "the schema has no 'type'");
        if (type.Type != JTokenType.String) return Inner(node, type);
        var name = (string)type!;
        switch (name)
        {
            case "record" or "error":
                var record = Named(node, "record");
                record["fields"] = new JArray(List(node, "fields").Select(Field));
                return record;
            case "enum":
                var symbols = Named(node, name);
                symbols["symbols"] = new JArray(List(node, "symbols").Select(Symbol));
                if (_strict && node["default"] is { } fallback) symbols["default"] = Text(fallback, "default");
                return symbols;
            case "fixed":
                var bytes = Named(node, name);
                bytes["size"] = Need(node, "size").DeepClone();
                return WithLogical(bytes, node, AvroKind.Fixed);
            case "array": return new JObject { ["type"] = name, ["items"] = Schema(Need(node, "items")) };
            case "map": return new JObject { ["type"] = name, ["values"] = Schema(Need(node, "values")) };
            default:
                if (Array.IndexOf(Primitives, name) is var kind and >= 0)
                    return WithLogical(new JObject { ["type"] = name }, node, (AvroKind)kind);
                return Schema(type);
        }
    }

    /// <summary>A type inside <c>type</c>, which the parser does not take; some writers put the logical type outside.</summary>
    private JToken Inner(JObject outer, JToken type)
    {
        if (outer["logicalType"] is { } logical && type is JObject inner && inner["logicalType"] is null
            && inner["type"] is JValue { Value: string name } && (name == "fixed" || Primitives.Contains(name)))
        {
            var joined = (JObject)inner.DeepClone();
            (joined["logicalType"], joined["precision"], joined["scale"]) = (logical, outer["precision"], outer["scale"]);
            return Schema(joined);
        }
        return Schema(type);
    }

    private JObject Named(JObject node, string type)
    {
        var name = Need(node, "name");
        if (_strict && Primitives.Contains(Text(name, "name"))) throw Error(name, $"'{name}' is a primitive type and can't be defined");
        var prepared = new JObject { ["type"] = type, ["name"] = Name(name, "name") };
        if (node["namespace"] is { Type: JTokenType.String } space && ((string)space!).Length > 0)
            prepared["namespace"] = Name(space, "namespace");
        _defined.Add((string)name!);
        return WithAliases(prepared, node);
    }

    private JObject Field(JToken node)
    {
        if (node is not JObject field) throw Error(node, "a field is an object with 'name' and 'type'");
        var prepared = new JObject { ["name"] = Name(Need(field, "name"), "field"), ["type"] = Schema(Need(field, "type")) };
        prepared.AddAnnotation(new Origin(field));
        WithAliases(prepared, field);
        if (!_strict || field["default"] is not { } value) return prepared;
        // As a text with the JSON: the parser would make dates of texts.
        var json = value.ToString(Formatting.None);
        _defaults.Add(((string)field["name"]!, json, value));
        prepared["default"] = json;
        return prepared;
    }

    /// <summary>As a property of ours: the parser shows no type's aliases, and takes none that is another field's name.</summary>
    private JObject WithAliases(JObject prepared, JObject node)
    {
        if (_strict && node["aliases"] is not null)
            prepared[Aliases] = string.Join(' ', List(node, "aliases").Select(a => Name(a, "alias")));
        return prepared;
    }

    private JObject WithLogical(JObject prepared, JObject node, AvroKind kind)
    {
        var size = node["size"] is JValue { Value: long and >= 0 and <= int.MaxValue } n ? (int)n : 0;
        if (AvroLogicalText.Of(node, kind, size) is { } logical) prepared[Logical] = logical;
        return prepared;
    }

    private string Symbol(JToken token)
    {
        var symbol = Text(token, "symbol");
        return !_strict || AvroNames.IsName(symbol) ? symbol
            : throw Error(token, $"'{symbol}' is no valid symbol (letters, digits and _, not beginning with a digit)");
    }

    private string Name(JToken token, string what)
    {
        var name = Text(token, what);
        if (!_strict) return Names.Safe(name);
        return (what is "field" ? AvroNames.IsName(name) : name.Split('.').All(AvroNames.IsName)) ? name
            : throw Error(token, $"'{name}' is no valid {what} (letters, digits and _, not beginning with a digit)");
    }

    private static string Text(JToken token, string what) =>
        token.Type == JTokenType.String ? (string)token! : throw Error(token, $"'{what}' must be a text");

    private static JToken Need(JObject node, string key) => node[key] ?? throw Error(node, $"'{key}' is missing");

    private static JArray List(JObject node, string key) =>
        Need(node, key) is var value && value is JArray list ? list : throw Error(value, $"'{key}' must be an array");

    [GeneratedRegex(@" at '([^']*)'")]
    private static partial Regex Place();

    /// <summary>Where a prepared part stood in the text.</summary>
    private sealed record Origin(JToken Token);
}
