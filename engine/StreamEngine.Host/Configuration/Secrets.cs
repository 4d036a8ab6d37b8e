using StreamEngine.Configuration;
using StreamEngine.Connectors.Kafka;

namespace StreamEngine.Host.Configuration;

/// <summary>
/// Reads what a config keeps in files of its own, so that no secret needs to stand in it or on a command line, which every user of the
/// machine can see: <c>kafka.settings.NAME_file</c>. What reaches the schema registry has files of its own.
/// </summary>
internal static class Secrets
{
    private const string Suffix = "_file";

    /// <summary>The options with the files' contents in place of their names; what can't be read is a mistake.</summary>
    public static HostOptions Read(HostOptions options, string folder, ConfigErrors errors)
    {
        if (!options.Kafka.Settings.Keys.Any(k => k.EndsWith(Suffix, StringComparison.Ordinal))) return options;
        var node = options.Kafka.Node["settings"] ?? options.Kafka.Node;
        var settings = new Dictionary<string, string>();
        foreach (var (key, value) in options.Kafka.Settings)
        {
            var name = key.EndsWith(Suffix, StringComparison.Ordinal) ? key[..^Suffix.Length] : key;
            if (name == key) settings[key] = value;
            // Written with an underscore in the environment: a setting that itself ends in ".file".
            else if (KafkaSettings.IsKnown($"{name}.file")) settings[$"{name}.file"] = value;
            else if (options.Kafka.Settings.ContainsKey(name)) Twice(node, key, name, errors);
            else if (SecretFile.Read(value, folder, node, key, errors) is { } text) settings[name] = text;
        }
        return options with { Kafka = options.Kafka with { Settings = settings } };
    }

    private static void Twice(ConfigNode node, string key, string other, ConfigErrors errors) =>
        errors.Add(node, key, $"'{other}' is given as well", "Keep one of the two");
}
