using StreamEngine.Configuration;

namespace StreamEngine.Events.Registry;

/// <summary>Opens the registry that the config names.</summary>
public static class SchemaRegistry
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>Whether a registry is named by its URL, and is no folder.</summary>
    public static bool IsUrl(string registry) => registry.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
        || registry.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// A folder's registry, or one over a network; a mistake goes to <paramref name="errors"/> and gives an empty registry.
    /// </summary>
    public static ISchemaRegistry Open(SchemaOptions options, string baseDirectory, RegistryAccess access, TimeProvider clock,
        ConfigErrors errors)
    {
        if (IsUrl(options.Registry))
        {
            if (access.Connect is null)
                errors.Add(options.Node, "registry", "a registry behind a URL can't be reached from here", "Name a folder.");
            else if (access.Connect(options, baseDirectory, errors) is { } source)
                return new CachedSchemaRegistry(source, options.Patience, clock, ask => AtStart(ask, options, access, clock));
            return new FolderSchemaRegistry("");
        }
        try
        {
            var folder = Path.Combine(baseDirectory, options.Registry);
            // The default folder need not be there: a config without Avro has no use for it.
            if (options.Node["registry"] is not null && !Directory.Exists(folder))
                errors.Add(options.Node, "registry", $"there is no folder '{folder}'", "Make it, or name another: the path is relative to "
                    + "the config file; a registry's address begins with http:// or https://.");
            return new FolderSchemaRegistry(folder);
        }
        catch (SchemaRegistryException e)
        {
            errors.Add(options.Node, "registry", e.Message, "Mend the file, or take it out of the folder.");
        }
        return new FolderSchemaRegistry("");
    }

    /// <summary>Asks once, or until there is an answer where the config says so.</summary>
    internal static T AtStart<T>(Func<T> ask, SchemaOptions options, RegistryAccess access, TimeProvider clock)
    {
        for (var (tries, tell) = (1, 1); ; tries++)
        {
            try
            {
                return ask();
            }
            catch (SchemaRegistryException e) when (!e.Unusable && access.MayWait && options.AtStart == RegistryAway.Wait)
            {
                // Told at the first try and at widening intervals.
                if (tries == tell) access.Say($"the start waits for the schema registry (schemas.at_start: wait): {e.Message}");
                if (tries == tell) tell *= 3;
                Task.Delay(Pause, clock, access.Stop).GetAwaiter().GetResult();
            }
        }
    }
}
