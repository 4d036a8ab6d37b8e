using StreamEngine.Configuration;

namespace StreamEngine.Host.Configuration;

/// <summary>The JSON Schema of a config, committed as <c>schemas/streamengine.schema.json</c>.</summary>
internal static class ConfigSchema
{
    /// <summary>Writes the schema.</summary>
    public static string Write() => SchemaGenerator.Write<HostOptions>("streamengine.schema.json");
}
