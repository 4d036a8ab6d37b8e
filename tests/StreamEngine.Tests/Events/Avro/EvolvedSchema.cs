using System.Text.Json.Nodes;

namespace StreamEngine.Tests.Events.Avro;

/// <summary>
/// Readers' schemas made from a writer's, at every level: fields dropped, moved and added with defaults, numbers promoted; with <c>all</c>
/// also fields renamed by alias, enums that lack a symbol, and numbers promoted right inside arrays and maps, which Apache Avro's Python
/// library does not resolve.
/// </summary>
internal sealed class EvolvedSchema(int seed, bool all)
{
    private static readonly (string Type, string Default)[] Added =
    [
        ("""["string","null"]""", "\"new\""), ("\"double\"", "1.5"), ("\"boolean\"", "true"), ("\"long\"", "-7"), ("""["null","int"]""", "null"),
        ("""{"type":"array","items":"long"}""", "[1,2]"), ("""{"type":"map","values":"int"}""", """{"k0":1}"""),
        ("""{"type":"enum","name":"AE#","symbols":["X","Y"]}""", "\"Y\""),
        ("""{"type":"record","name":"AR#","fields":[{"name":"x","type":"int"},{"name":"y","type":"string","default":"d"}]}""", """{"x":7}"""),
    ];

    private readonly Random _random = new(seed);
    private readonly Dictionary<string, string> _old = [];
    private int _names;

    /// <summary>The reader's schema.</summary>
    public string Of(string writer)
    {
        var root = JsonNode.Parse(writer)!;
        Record(root.AsObject());
        return root.ToJsonString();
    }

    /// <summary>
    /// The evolved schema with renamed fields as the writer calls them: Apache's C# library reads a field that it has found by its alias,
    /// and then reads its default over it.
    /// </summary>
    public string WithOldNames(string evolved)
    {
        foreach (var (name, old) in _old)
            evolved = evolved.Replace($"\"name\":\"{name}\"", $"\"name\":\"{old}\"").Replace($",\"aliases\":[\"other\",\"{old}\"]", "");
        return evolved;
    }

    /// <summary>What the writer calls a field.</summary>
    public string OldName(string name) => _old.GetValueOrDefault(name, name);

    private JsonNode Type(JsonNode type)
    {
        switch (type)
        {
            case JsonArray branches:
                return new JsonArray([.. branches.Select(b => Type(b!.DeepClone()))]);
            case JsonValue name:
                // Long to float is left out: what a reader makes of the digits lost is not the same everywhere.
                var promoted = (name.GetValue<string>(), _random.Next(3)) switch
                {
                    ("int", 0) => "long",
                    ("int" or "long" or "float", 1) => "double",
                    var (same, _) => same,
                };
                return JsonValue.Create(promoted);
        }
        var definition = type.AsObject();
        foreach (var inner in (string[])["items", "values"])
            if (definition[inner] is { } element && (all || element is not JsonValue)) definition[inner] = Type(element.DeepClone());
        if (definition.ContainsKey("fields")) Record(definition);
        if (all && definition.ContainsKey("symbols"))
        {
            definition["symbols"] = new JsonArray("C", "OTHER", "A");
            definition["default"] = "OTHER";
        }
        return definition;
    }

    private void Record(JsonObject record)
    {
        var fields = record["fields"]!.AsArray().Select(f => f!.DeepClone().AsObject()).ToList();
        record["fields"] = new JsonArray();
        foreach (var field in fields) field["type"] = Type(field["type"]!.DeepClone());
        // A type that refers to itself stays: Apache's C# reader, the oracle, goes down into it without end when it is to skip it.
        if (fields.Count > 1 && _random.Next(2) == 0 && _random.Next(fields.Count) is var gone
            && !fields[gone].ToJsonString().Contains("\"next\"", StringComparison.Ordinal)) fields.RemoveAt(gone);
        if (all && _random.Next(2) == 0)
        {
            var renamed = fields[_random.Next(fields.Count)];
            renamed["aliases"] = new JsonArray("other", (string)renamed["name"]!);
            _old[$"renamed{_names}"] = (string)renamed["name"]!;
            renamed["name"] = $"renamed{_names++}";
        }
        for (var n = _random.Next(3); n > 0; n--)
        {
            var (type, value) = Added[_random.Next(Added.Length)];
            fields.Add(new JsonObject
            {
                ["name"] = $"added{_names++}",
                ["type"] = JsonNode.Parse(type.Replace("#", $"{_names++}")),
                ["default"] = JsonNode.Parse(value)
            });
        }
        var moved = fields.ToArray();
        _random.Shuffle(moved);
        record["fields"] = new JsonArray(moved);
    }
}
