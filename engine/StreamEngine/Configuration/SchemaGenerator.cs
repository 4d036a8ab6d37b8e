using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace StreamEngine.Configuration;

/// <summary>
/// Writes the JSON Schema (draft 2020-12) of a config from the option records that the binder reads, so that editors complete and check it.
/// </summary>
public static class SchemaGenerator
{
    private static readonly JsonSerializerOptions Written =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };

    /// <summary>The schema of a config whose root is <typeparamref name="T"/>, indented, with a final newline.</summary>
    public static string Write<T>(string id) where T : ILocated
    {
        var definitions = new SortedDictionary<string, JsonNode?>(StringComparer.Ordinal);
        var root = new JsonObject { ["$schema"] = "https://json-schema.org/draft/2020-12/schema", ["$id"] = id };
        foreach (var (name, value) in Mapping(typeof(T), false, definitions)) root[name] = value?.DeepClone();
        root["$defs"] = new JsonObject(definitions);
        return root.ToJsonString(Written) + "\n";
    }

    private static JsonObject Mapping(Type record, bool keyed, SortedDictionary<string, JsonNode?> definitions)
    {
        var properties = new JsonObject();
        foreach (var member in OptionShape.Members(record, keyed))
        {
            var schema = Of(member, definitions);
            if (member.Doc is { } doc) schema["description"] = doc;
            properties[member.Name] = schema;
        }
        var mapping = new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        if (record.GetCustomAttributes(typeof(DocAttribute), true) is [DocAttribute text]) mapping["description"] = text.Text;
        return mapping;
    }

    private static JsonObject Of(OptionShape shape, SortedDictionary<string, JsonNode?> definitions) => shape.Kind switch
    {
        ShapeKind.Scalar => Scalar(shape),
        ShapeKind.List => new JsonObject { ["type"] = "array", ["items"] = Of(shape.Item, definitions) },
        ShapeKind.Keyed => new JsonObject { ["type"] = "object", ["additionalProperties"] = Reference(shape.Item, true, definitions) },
        ShapeKind.Texts => new JsonObject { ["type"] = "object", ["additionalProperties"] = Text() },
        ShapeKind.OneOrMore => new JsonObject
        {
            ["anyOf"] = new JsonArray(Text(), new JsonObject { ["type"] = "array", ["items"] = Text(), ["minItems"] = 1 }),
        },
        ShapeKind.OneOrNamed => new JsonObject
        {
            ["anyOf"] = new JsonArray(Text(), new JsonObject { ["type"] = "object", ["additionalProperties"] = Text() }),
        },
        _ => Reference(shape, false, definitions),
    };

    private static JsonObject Reference(OptionShape shape, bool keyed, SortedDictionary<string, JsonNode?> definitions)
    {
        var name = Spelling.Snake(shape.Type.Name.Replace("Options", "", StringComparison.Ordinal));
        if (!definitions.ContainsKey(name))
        {
            definitions[name] = null; // taken before its members are written, should a record hold itself
            var mapping = Mapping(shape.Type, keyed, definitions);
            definitions[name] = shape.Shorthand is { } shorthand
                ? new JsonObject { ["anyOf"] = new JsonArray(Of(OptionShape.Of(shorthand), definitions), mapping) }
                : mapping;
        }
        return new JsonObject { ["$ref"] = $"#/$defs/{name}" };
    }

    private static JsonObject Scalar(OptionShape shape)
    {
        var type = shape.Type;
        if (type == typeof(string)) return Text();
        if (type.IsEnum)
            return new JsonObject { ["enum"] = new JsonArray([.. ScalarText.EnumNames(type).Select(n => JsonValue.Create(n))]) };
        if (type == typeof(bool)) return new JsonObject { ["type"] = "boolean" };
        if (type == typeof(DateTimeOffset)) return new JsonObject { ["type"] = "string", ["pattern"] = "^[0-9]{4}-[0-9]{2}-[0-9]{2}" };
        if (type == typeof(TimeSpan))
            return new JsonObject
            {
                ["anyOf"] =
                new JsonArray(new JsonObject { ["type"] = "string", ["pattern"] = ScalarText.DurationPattern },
                new JsonObject { ["const"] = 0 })
            };
        if (type == typeof(ByteSize))
            return new JsonObject
            {
                ["anyOf"] = new JsonArray(new JsonObject { ["type"] = "string", ["pattern"] = ScalarText.SizePattern },
                Bounded(new JsonObject { ["type"] = "integer" }, shape))
            };
        if (shape.MayBeMissing)
            return new JsonObject
            {
                // YAML reads .nan as a number, JSON has it as a text.
                ["anyOf"] = new JsonArray(new JsonObject { ["type"] = "number" }, new JsonObject { ["const"] = ScalarText.Missing }),
            };
        return Bounded(new JsonObject { ["type"] = type == typeof(double) ? "number" : "integer" }, shape);
    }

    private static JsonObject Bounded(JsonObject schema, OptionShape shape)
    {
        if (shape.Bounds is not { } bounds) return schema;
        schema["minimum"] = bounds.Min;
        schema["maximum"] = bounds.Max;
        return schema;
    }

    /// <summary>Any scalar: the config takes <c>version: 3</c> as the text "3".</summary>
    private static JsonObject Text() => new() { ["type"] = new JsonArray("string", "number", "boolean") };
}
