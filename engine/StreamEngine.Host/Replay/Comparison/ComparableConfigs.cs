using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Host.Configuration;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Replay.Comparison;

/// <summary>
/// Holds that two configs read the same events in the same order: only then the decisions of one have a counterpart in the other. Fields,
/// features and all that follows may differ.
/// </summary>
internal static class ComparableConfigs
{
    /// <summary>What a source may say differently: which fields are used, and what is masked in dead letters.</summary>
    private static readonly string[] Free = ["fields", "pii"];

    /// <summary>Adds a mistake for everything by which the two can't be compared, at its place in the second.</summary>
    /// <param name="a">The first config.</param>
    /// <param name="b">The second config.</param>
    /// <param name="files">The file of the first, for messages.</param>
    /// <param name="errors">Takes the mistakes.</param>
    public static void Check(HostOptions a, HostOptions b, string files, ConfigErrors errors)
    {
        foreach (var missing in a.Events.Where(s => !b.Events.Any(o => o.Name == s.Name)))
            errors.Add(b.Node, "events", $"there is no source '{missing.Name}', which {files} has",
                "Compare configs with the same sources: decisions on other events have no counterpart");
        foreach (var source in b.Events)
            if (a.Events.FirstOrDefault(s => s.Name == source.Name) is { } other) CheckSource(other, source, files, errors);
            else
                errors.Add(source.Node, "", $"{files} has no source '{source.Name}'",
                    "Compare configs with the same sources: decisions on other events have no counterpart");
        if (a.Time with { Node = ConfigNode.InCode } != b.Time with { Node = ConfigNode.InCode })
            errors.Add(b.Node, "time", $"event time is not handled as in {files}: other events would be let in, and timers fire at others",
                "Give both the same 'time'");
        if (a.Runtime.MaxRecordBytes != b.Runtime.MaxRecordBytes)
            errors.Add(b.Runtime.Node, "max_record_bytes", $"it is {b.Runtime.MaxRecordBytes} here and "
                + $"{a.Runtime.MaxRecordBytes} in {files}: other events would be let in", "Give both the same");
    }

    /// <summary>
    /// Adds a mistake for every source that is read with another schema, though it is written the same: each config's files are its own.
    /// </summary>
    /// <param name="a">The first config's engine.</param>
    /// <param name="b">The second config's engine.</param>
    /// <param name="files">The file of the first, for messages.</param>
    /// <param name="errors">Takes the mistakes.</param>
    public static void CheckSchemas(CompiledEngine a, CompiledEngine b, string files, ConfigErrors errors)
    {
        foreach (var source in b.Events.Sources)
            if (a.Events.Sources.FirstOrDefault(s => s.Name == source.Name) is { } other && other.ReaderSchema != source.ReaderSchema)
                errors.Add(source.Options.Node, "schema", $"the file '{source.Options.Schema}' says something else here than the one of "
                    + $"{files}: the two would not read the same events", "Give both the same schema");
    }

    private static void CheckSource(EventSourceOptions a, EventSourceOptions b, string files, ConfigErrors errors)
    {
        var names = (a.Node.Entries ?? []).Concat(b.Node.Entries ?? []).Select(e => e.Key).Distinct();
        foreach (var name in names.Except(Free))
            if (ConfigDifference.Between(a.Node[name], b.Node[name], name).Any())
                errors.Add(b.Node, name, $"it is {Said(b.Node[name])} here and {Said(a.Node[name])} in {files}: the two would not read the "
                    + "same events", "Write it as there");
    }

    private static string Said(ConfigNode? node) => ConfigDifference.Text(node) is { } text ? $"'{text}'" : "absent";
}
