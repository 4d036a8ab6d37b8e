using System.CommandLine;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Events.Tables;
using StreamEngine.Host.Configuration;

namespace StreamEngine.Host.Replay;

/// <summary>
/// The files that stand in for tables where there is no log. A table that is a topic changes while an engine runs; over files it is one
/// version, that of the file.
/// </summary>
internal static class TableFiles
{
    /// <summary>The column with the key where the config takes the record's, which a file's rows do not have.</summary>
    private const string KeyColumn = "key";

    public static readonly Option<string[]> Tables = Make();

    /// <summary>The config with files in the place of topics; a topic that none stands in for is a mistake.</summary>
    /// <param name="config">The config as read.</param>
    /// <param name="given">NAME=FILE, as the command line has them.</param>
    /// <param name="errors">Takes the mistakes.</param>
    /// <param name="beside">The tables of another config that the files are for as well.</param>
    public static LoadedConfig In(LoadedConfig config, string[]? given, ConfigErrors errors, IReadOnlyList<TableOptions>? beside = null)
    {
        if (ReferenceEquals(config, LoadedConfig.Unreadable)) return config;
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        var names = config.Options.Tables.Concat(beside ?? []).Select(t => t.Name).Distinct().ToList();
        foreach (var entry in given ?? [])
        {
            var name = entry[..entry.IndexOf('=', StringComparison.Ordinal)];
            if (!names.Contains(name))
                errors.Add(new ConfigLocation(Tables.Name, 0, 0, entry), $"there is no table '{name}'",
                    names.Count == 0 ? "The config has none." : $"The tables are: {string.Join(", ", names)}.");
            files[name] = Path.GetFullPath(entry[(name.Length + 1)..]);
        }
        foreach (var table in config.Options.Tables)
            if (table.Topic.Length > 0 && !files.ContainsKey(table.Name))
                errors.Add(table.Node, "topic", $"the table '{table.Name}' is a topic, and this command reads files",
                    $"Give its rows as CSV with a header or NDJSON: {Tables.Name} {table.Name}=FILE.");
        if (files.Count == 0) return config;
        return config with
        {
            Options = config.Options with
            {
                Tables = [.. config.Options.Tables.Select(t => !files.TryGetValue(t.Name, out var file) ? t : t with
                {
                    File = file,
                    Topic = "",
                    Key = t.Key.Field == RecordPart.Key ? t.Key with { Field = KeyColumn } : t.Key,
                })],
            },
        };
    }

    private static Option<string[]> Make()
    {
        var option = new Option<string[]>("--table")
        {
            Description = "The rows of a table, in place of what the config says: CSV with a header or NDJSON, plain or gzip. A table that "
                + "is a topic needs one.",
            HelpName = "NAME=FILE",
        };
        option.Validators.Add(r =>
        {
            foreach (var token in r.Tokens)
                if (token.Value.IndexOf('=', StringComparison.Ordinal) is var at && (at < 1 || at == token.Value.Length - 1))
                    r.AddError($"--table takes NAME=FILE, not '{token.Value}'.");
        });
        return option;
    }
}
