using System.Text.Json;
using System.Text.Json.Nodes;

namespace StreamEngine.Connectors.SchemaRegistry;

/// <summary>
/// Writes the named types of other schemas out where a schema first uses them, as Avro wants it: whoever parses the result needs to know of
/// no references. Every name becomes a full one, so that no namespace around it changes what it means.
/// </summary>
internal sealed class SchemaReferences
{
    private static readonly HashSet<string> Primitives = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];

    private readonly Dictionary<string, (JsonObject Type, string Space)> _types = [];
    private readonly HashSet<string> _written = [];

    /// <summary>Adds the types that a schema defines.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public void Add(string schema) => Collect(JsonNode.Parse(schema), "");

    /// <summary>The schema with everything that it refers to.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public string WriteOut(string schema)
    {
        _written.Clear();
        return Type(JsonNode.Parse(schema), "")!.ToJsonString();
    }

    private void Collect(JsonNode? node, string space)
    {
        if (node is JsonArray branches)
            foreach (var branch in branches) Collect(branch, space);
        if (node is not JsonObject type) return;
        if (FullName(type, space) is { } name)
        {
            _types.TryAdd(name, (type, space));
            space = SpaceOf(name);
        }
        foreach (var part in new[] { "type", "items", "values" }) Collect(type[part], space);
        if (type["fields"] is JsonArray fields)
            foreach (var field in fields) Collect(field?["type"], space);
    }

    private JsonNode? Type(JsonNode? node, string space) => node switch
    {
        JsonArray branches => new JsonArray([.. branches.Select(b => Type(b, space))]),
        JsonObject type => Defined(type, space),
        JsonValue value when value.TryGetValue<string>(out var name) => Named(name, space),
        _ => node?.DeepClone(),
    };

    private JsonNode Named(string name, string space)
    {
        if (Primitives.Contains(name)) return name;
        var full = name.Contains('.') || space.Length == 0 ? name : $"{space}.{name}";
        if (!_written.Contains(full) && !_types.ContainsKey(full)) full = name;
        return !_written.Contains(full) && _types.TryGetValue(full, out var known) ? Defined(known.Type, known.Space) : full;
    }

    private JsonNode Defined(JsonObject type, string space)
    {
        var copy = new JsonObject();
        if (FullName(type, space) is { } name)
        {
            if (!_written.Add(name)) return name;
            copy["name"] = name;
            // A name without a point has no namespace: it must not take that of the type around it.
            if (!name.Contains('.')) copy["namespace"] = "";
            space = SpaceOf(name);
        }
        foreach (var (key, value) in type)
            if (!copy.ContainsKey(key) && key != "namespace")
                copy[key] = key switch
                {
                    "type" or "items" or "values" => Type(value, space),
                    "fields" when value is JsonArray fields => new JsonArray([.. fields.Select(f => Field(f, space))]),
                    "aliases" when value is JsonArray aliases => new JsonArray([.. aliases.Select(a => (JsonNode?)Alias(a, space))]),
                    _ => value?.DeepClone(),
                };
        return copy;
    }

    private JsonNode? Field(JsonNode? field, string space)
    {
        if (field?.DeepClone() is not JsonObject copy) return field?.DeepClone();
        copy["type"] = Type(copy["type"], space);
        return copy;
    }

    private static string? Alias(JsonNode? alias, string space) =>
        alias?.ToString() is { } name && space.Length > 0 && !name.Contains('.') ? $"{space}.{name}" : alias?.ToString();

    /// <summary>The full name of a type that is defined here; null where the object defines none.</summary>
    private static string? FullName(JsonObject type, string space)
    {
        if (type["type"] is not JsonValue kind || !kind.TryGetValue<string>(out var text)
            || text is not ("record" or "error" or "enum" or "fixed") || type["name"]?.ToString() is not { } name) return null;
        if (name.Contains('.')) return name;
        var own = type["namespace"]?.ToString() ?? space;
        return own.Length == 0 ? name : $"{own}.{name}";
    }

    private static string SpaceOf(string name) => name.LastIndexOf('.') is var point and > 0 ? name[..point] : "";
}
