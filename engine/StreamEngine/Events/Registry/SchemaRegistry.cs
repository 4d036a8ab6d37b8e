using StreamEngine.Configuration;

namespace StreamEngine.Events.Registry;

/// <summary>Opens the registry that the config names.</summary>
public static class SchemaRegistry
{
    /// <summary>A folder's or an HTTP registry; a mistake goes to <paramref name="errors"/> and gives an empty registry.</summary>
    public static ISchemaRegistry Open(SchemaOptions options, string baseDirectory, TimeProvider clock, ConfigErrors errors)
    {
        var isUrl = options.Registry.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
            || options.Registry.StartsWith("https://", StringComparison.OrdinalIgnoreCase);
        if (isUrl && Uri.TryCreate(options.Registry, UriKind.Absolute, out var url))
            return new HttpSchemaRegistry(url, options.Credentials, clock);
        try
        {
            var folder = Path.Combine(baseDirectory, options.Registry);
            // The default folder need not be there: a config without Avro has no use for it.
            if (!isUrl && options.Node["registry"] is not null && !Directory.Exists(folder))
                errors.Add(options.Node, "registry", $"there is no folder '{folder}'", "Make it, or name another: the path is relative to "
                    + "the config file; a registry's address begins with http:// or https://.");
            if (!isUrl) return new FolderSchemaRegistry(folder);
            // Not told: it may hold a password.
            errors.Add(options.Node, "registry", "this is no address",
                "Write a folder, or a URL such as https://registry.example:8081.");
        }
        catch (SchemaRegistryException e)
        {
            errors.Add(options.Node, "registry", e.Message, "Mend the file, or take it out of the folder.");
        }
        return new FolderSchemaRegistry("");
    }
}
