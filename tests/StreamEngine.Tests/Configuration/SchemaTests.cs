using System.Text.Json.Nodes;
using StreamEngine.Host.Configuration;
using Xunit;

namespace StreamEngine.Tests.Configuration;

public sealed class SchemaTests
{
    [Fact]
    public void The_committed_schema_is_what_the_options_say()
    {
        var committed = File.ReadAllText(Repository.Path("schemas", "streamengine.schema.json"));
        Assert.True(committed == ConfigSchema.Write(),
            "schemas/streamengine.schema.json is stale: run 'deploy/streamengine schema > schemas/streamengine.schema.json'.");
    }

    [Fact]
    public void Docs_bounds_enums_shorthands_and_keyed_lists_are_told()
    {
        var schema = JsonNode.Parse(ConfigSchema.Write())!;
        Assert.Equal("https://json-schema.org/draft/2020-12/schema", (string)schema["$schema"]!);
        Assert.Equal("#/$defs/event_source", (string)schema["properties"]!["events"]!["additionalProperties"]!["$ref"]!);
        Assert.Null(schema["$defs"]!["event_source"]!["properties"]!["name"]);
        Assert.Equal("The topic of rejected records.", (string)schema["$defs"]!["output"]!["properties"]!["dead_letter"]!["description"]!);
        Assert.Equal(256, (int)schema["$defs"]!["runtime"]!["properties"]!["workers"]!["maximum"]!);
        Assert.Equal(["dead-letter", "dead_letter", "drop"], schema["$defs"]!["duplicate"]!["properties"]!["fate"]!["enum"]!.AsArray()
            .Select(n => (string)n!));
        Assert.Equal(2, schema["$defs"]!["propensity"]!["anyOf"]!.AsArray().Count);
        Assert.False((bool)schema["additionalProperties"]!);
    }
}
