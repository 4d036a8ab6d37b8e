using System.Collections;
using StreamEngine.Configuration;
using StreamEngine.Host.Cli;

namespace StreamEngine.Host.Configuration;

/// <summary>A config that was read and bound; mistakes are in the errors, of which all are told at once.</summary>
/// <param name="Options">The options.</param>
/// <param name="BaseDirectory">The folder that the config's relative paths start from.</param>
internal sealed record LoadedConfig(HostOptions Options, string BaseDirectory)
{
    /// <summary>Stands for a file that can't be read as a config: nothing more can be said about it.</summary>
    public static LoadedConfig Unreadable { get; } = new(new HostOptions(), ".");
}

/// <summary>Reads a config file, then <c>STREAMENGINE__*</c> variables, then <c>--set</c>: the later one wins.</summary>
internal static class ConfigLoader
{
    private const string Prefix = "STREAMENGINE__";

    /// <summary>Loads a config.</summary>
    /// <param name="file">The config file.</param>
    /// <param name="sets">The values of <c>--set</c>, each <c>path=value</c>.</param>
    /// <param name="environment">The environment's variables.</param>
    /// <param name="errors">Gets every mistake.</param>
    public static LoadedConfig Load(string file, IReadOnlyList<string> sets, IDictionary environment, ConfigErrors errors)
    {
        var root = YamlConfigReader.ReadFile(file, errors);
        if (root is null) return LoadedConfig.Unreadable;
        if (root.Scalar is not null || root.Items is not null)
        {
            errors.Add(root.At with { Path = "config" }, "this is no config: it is not a mapping",
                "Begin with the options of a config, one 'name: value' a line");
            return LoadedConfig.Unreadable;
        }
        var overrides = FromEnvironment(environment, errors).Concat(FromCommandLine(sets, errors)).ToList();
        root = ConfigOverrides.Apply<HostOptions>(root, overrides, errors);
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        var options = Secrets.Read(OptionsBinder.Bind<HostOptions>(root, errors), folder, errors);
        return new LoadedConfig(options, folder);
    }

    private static IEnumerable<ConfigOverride> FromCommandLine(IReadOnlyList<string> sets, ConfigErrors errors)
    {
        foreach (var set in sets)
        {
            var path = SharedOptions.PathOf(set);
            var source = $"--set {path}";
            if (!SharedOptions.HasValue(set))
                errors.Add(new ConfigLocation(source, 0, 0, "set"), "there is no value", "Write --set path.in.config=value");
            else if (!TooDeep(source, path.Split('.'), errors) && Value(source, set[(path.Length + 1)..], errors) is { } value)
                yield return new ConfigOverride(source, path.Split('.'), value);
        }
    }

    private static IEnumerable<ConfigOverride> FromEnvironment(IDictionary environment, ConfigErrors errors)
    {
        var names = environment.Keys.Cast<string>().Where(n => n.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            .Order(StringComparer.Ordinal);
        foreach (var name in names)
        {
            var path = name[Prefix.Length..].ToLowerInvariant().Split("__");
            if (!TooDeep(name, path, errors) && Value(name, (string)environment[name]!, errors) is { } value)
                yield return new ConfigOverride(name, path, value, IgnoreCase: true);
        }
    }

    private static bool TooDeep(string source, string[] path, ConfigErrors errors)
    {
        if (path.Length <= YamlConfigReader.MostLevels) return false;
        errors.Add(new ConfigLocation(Spelling.Short(source), 0, 0, "set"), $"the path has {path.Length} parts",
            "Write the path of one value");
        return true;
    }

    /// <summary>A scalar as it stands; <c>[...]</c> and <c>{...}</c> are read as YAML, null where they are none.</summary>
    private static ConfigNode? Value(string source, string text, ConfigErrors errors)
    {
        return text.StartsWith('[') || text.StartsWith('{') ? YamlConfigReader.Read(source, text, errors)
            : new ConfigNode(new ConfigLocation(source, 0, 0, "")) { Scalar = text };
    }
}
