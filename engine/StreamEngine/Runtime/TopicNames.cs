using StreamEngine.Configuration;

namespace StreamEngine.Runtime;

/// <summary>
/// Holds that the engine and its topics have names which a log takes, and that no topic has two uses: a shard restores itself from its
/// sources, decisions and checkpoints, and would meet records there that are none of these.
/// </summary>
internal static class TopicNames
{
    /// <summary>The longest name of a topic.</summary>
    private const int MostBytes = 249;

    private const string ControlPath = "control.topic";

    /// <summary>Adds every mistake.</summary>
    public static void Check(EngineOptions options, ConfigErrors errors)
    {
        CheckEngine(options, errors);
        if (options.Events.Count == 0)
            errors.Add(options.Node, "events", "no event source is declared", "Declare at least one source under events.");
        var uses = Uses(options).ToList();
        foreach (var use in uses)
            if (use.Topic.Length == 0) errors.Add(use.Node, use.Key, Missing(use), "Name a topic; only actions may be turned off.");
            else if (!IsName(use.Topic))
                errors.Add(use.Node, use.Key, $"'{Printable.Text(use.Topic)}' can't be a topic's name",
                    $"Use letters, digits, '.', '_' and '-', at most {MostBytes} of them");
        for (var i = 0; i < uses.Count; i++) CheckAlone(uses, i, errors);
    }

    /// <summary>Adds the mistake where the control topic is another one as well: whoever switches would write into it.</summary>
    public static void CheckControl(EngineOptions options, ConfigErrors errors)
    {
        var uses = Uses(options).ToList();
        if (uses.FindIndex(u => u.Path == ControlPath) is var control and >= 0) CheckAlone(uses, control, errors);
    }

    private static void CheckAlone(List<Use> uses, int i, ConfigErrors errors)
    {
        if (uses.FindIndex(0, i, u => u.Topic.Length > 0 && u.Topic == uses[i].Topic && !MayShare(uses[i], u)) is var other and >= 0)
            errors.Add(uses[i].Node, uses[i].Key,
                $"topic '{Printable.Text(uses[i].Topic)}' is also that of {uses[other].Path} ({At(uses[other])})",
                "Give each a topic of its own: records of two kinds in one topic break the restore and its readers");
    }

    private static void CheckEngine(EngineOptions options, ConfigErrors errors)
    {
        // Part of the consumer group, of transactional ids and of folders' names.
        const int most = 200;
        var name = options.Name;
        if (string.IsNullOrWhiteSpace(name) || name is "." or ".." || name.Any(char.IsControl) || Uri.EscapeDataString(name).Length > most)
            errors.Add(options.Node, "name", $"'{Printable.Text(name)}' can't be an engine's name",
                $"Write a name on one line, of at most {most} characters (others than ASCII letters and digits count several)");
    }

    private static IEnumerable<Use> Uses(EngineOptions options)
    {
        var outputs = options.Outputs;
        foreach (var source in options.Events)
            yield return new Use(Kind.Source, source.Topic, source.Node, "topic", $"events.{source.Name}.topic");
        yield return new Use(Kind.Alone, outputs.Decisions, outputs.Node, "decisions", "outputs.decisions");
        yield return new Use(Kind.Alone, outputs.DeadLetter, outputs.Node, "dead_letter", "outputs.dead_letter");
        yield return new Use(Kind.Alone, outputs.Late, outputs.Node, "late", "outputs.late");
        if (options.Outcomes is not null)
            yield return new Use(Kind.Alone, outputs.Outcomes, outputs.Node, "outcomes", "outputs.outcomes");
        if (options.Audiences.Segments.Count > 0)
            yield return new Use(Kind.Alone, outputs.Audiences, outputs.Node, "audiences", "outputs.audiences");
        if (outputs.Actions.Length > 0) yield return new Use(Kind.Actions, outputs.Actions, outputs.Node, "actions", "outputs.actions");
        foreach (var (channel, topic) in outputs.Channels)
            yield return new Use(Kind.Actions, topic, outputs.Node["channels"] ?? outputs.Node, channel, $"outputs.channels.{channel}");
        if (options.Checkpoints.Topic.Length > 0)
            yield return new Use(Kind.Alone, options.Checkpoints.Topic, options.Checkpoints.Node, "topic", "checkpoints.topic");
        foreach (var table in options.Tables)
            if (table.Topic.Length > 0) yield return new Use(Kind.Table, table.Topic, table.Node, "topic", $"tables.{table.Name}.topic");
        if (SharingOptions.AreUsed(options))
            yield return new Use(Kind.Alone, options.Shared.Topic, options.Shared.Node, "topic", "shared.topic");
        if (options.Control.Topic.Length > 0)
            yield return new Use(Kind.Alone, options.Control.Topic, options.Control.Node, "topic", ControlPath);
    }

    /// <summary>
    /// Actions of several channels are of one kind, as are several tables of one topic; two sources of one topic are told where sources are
    /// compiled.
    /// </summary>
    private static bool MayShare(Use a, Use b) => a.Kind == b.Kind && a.Kind != Kind.Alone;

    private static string Missing(Use use) => use.Kind == Kind.Source ? "the source has no topic" : "the topic's name is empty";

    private static string At(Use use) => use.Node[use.Key] is { } node ? node.At.ToString() : "its default";

    private static bool IsName(string topic) => topic.Length <= MostBytes && topic is not ("." or "..")
        && topic.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    private enum Kind
    {
        Source,
        Actions,
        Table,
        Alone,
    }

    private sealed record Use(Kind Kind, string Topic, ConfigNode Node, string Key, string Path);
}
