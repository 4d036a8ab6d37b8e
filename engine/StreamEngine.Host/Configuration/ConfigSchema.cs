using StreamEngine.Configuration;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Configuration;

/// <summary>The JSON Schema of a config, committed as <c>schemas/streamengine.schema.json</c>.</summary>
internal static class ConfigSchema
{
    /// <summary>Writes the schema.</summary>
    public static string Write() => SchemaGenerator.Write<EngineOptions>("streamengine.schema.json");
}
