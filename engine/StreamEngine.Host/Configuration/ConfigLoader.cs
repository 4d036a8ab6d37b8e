using System.Collections;
using StreamEngine.Configuration;

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
        var options = OptionsBinder.Bind<HostOptions>(root, errors);
        return new LoadedConfig(options, Path.GetDirectoryName(Path.GetFullPath(file))!);
    }

    private static IEnumerable<ConfigOverride> FromCommandLine(IReadOnlyList<string> sets, ConfigErrors errors)
    {
        foreach (var set in sets)
        {
            var equals = set.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                errors.Add(new ConfigLocation($"--set {set}", 0, 0, "set"), "there is no value", "Write --set path.in.config=value");
            else
                yield return new ConfigOverride($"--set {set[..equals]}", set[..equals].Split('.'),
                    Value($"--set {set[..equals]}", set[(equals + 1)..], errors));
        }
    }

    private static IEnumerable<ConfigOverride> FromEnvironment(IDictionary environment, ConfigErrors errors)
    {
        var names = environment.Keys.Cast<string>().Where(n => n.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            .Order(StringComparer.Ordinal);
        foreach (var name in names)
            yield return new ConfigOverride(name, name[Prefix.Length..].ToLowerInvariant().Split("__"),
                Value(name, (string)environment[name]!, errors), IgnoreCase: true);
    }

    /// <summary>A scalar as it stands; <c>[...]</c> and <c>{...}</c> are read as YAML.</summary>
    private static ConfigNode Value(string source, string text, ConfigErrors errors)
    {
        var plain = new ConfigNode(new ConfigLocation(source, 0, 0, "")) { Scalar = text };
        return text.StartsWith('[') || text.StartsWith('{') ? YamlConfigReader.Read(source, text, errors) ?? plain : plain;
    }
}
