using StreamEngine.Activation.Files;
using StreamEngine.Activation.Flow;
using StreamEngine.Activation.Postgres;
using StreamEngine.Activation.Records;
using StreamEngine.Activation.Redis;
using StreamEngine.Activation.Webhook;
using StreamEngine.Configuration;
using StreamEngine.Runtime;

namespace StreamEngine.Activation;

/// <summary>Checks the connectors of a config before anything starts, and makes them ready.</summary>
public static class ActivationCheck
{
    /// <summary>Compiles all connectors; those with mistakes, all of which are told, are left out.</summary>
    /// <param name="all">The section.</param>
    /// <param name="engine">The engine's config.</param>
    /// <param name="folder">The config's folder, from which relative paths start.</param>
    /// <param name="errors">Takes every mistake.</param>
    public static IReadOnlyList<CompiledActivation> Compile(IReadOnlyList<ActivationOptions> all, EngineOptions engine, string folder,
        ConfigErrors errors)
    {
        string[] identifiers = [.. engine.Audiences.Identifiers.Select(i => i.Name)];
        var used = TopicsOf(engine).ToHashSet(StringComparer.Ordinal);
        var compiled = new List<CompiledActivation>();
        var folders = new HashSet<string>(StringComparer.Ordinal);
        foreach (var options in all)
        {
            CheckFolder(options.Files, folder, folders, errors);
            CheckName(options, errors);
            CheckDeadLetter(options, used, errors);
            if (Kind(options, engine, errors) is not { } kind) continue;
            var filter = options.Where is { } where ? RecordFilter.Compile(where, kind, identifiers, errors) : null;
            if (Target(options, kind, identifiers, folder, errors) is { } open && (options.Where is null || filter is not null))
                compiled.Add(new CompiledActivation(options, options.Topic ?? engine.Outputs.Actions, kind, filter, open));
        }
        return compiled;
    }

    private static Func<SinkSetup, ISink>? Target(ActivationOptions options, RecordKind kind, IReadOnlyList<string> identifiers,
        string folder, ConfigErrors errors)
    {
        var targets = new (string Name, object? Section)[]
        {
            ("webhook", options.Webhook), ("files", options.Files), ("postgres", options.Postgres), ("redis", options.Redis),
        };
        var given = targets.Where(t => t.Section is not null).Select(t => t.Name).ToList();
        if (given.Count != 1)
        {
            errors.Add(options.Node.At, given.Count == 0 ? "it does not say where to"
                : $"it has several targets: {string.Join(", ", given)}",
                $"Give it one of {string.Join(", ", targets.Select(t => t.Name))}");
            return null;
        }
        if (options.Webhook is { } webhook)
            return WebhookCall.Compile(webhook, kind, identifiers, folder, errors) is { } call ? setup => new WebhookSink(call, setup)
                : null;
        if (options.Files is { } files)
            return FilesTarget.Compile(files, kind, folder, errors) is { } target ? _ => new FileSink(target) : null;
        if (options.Postgres is { } postgres)
            return PostgresTarget.Compile(postgres, kind, folder, errors) is { } table ? setup => new PostgresSink(table, setup) : null;
        return RedisSink.Compile(options.Redis!, folder, errors) is { } redis ? setup => new RedisSink(options.Redis!, redis, setup)
            : null;
    }

    private static RecordKind? Kind(ActivationOptions options, EngineOptions engine, ConfigErrors errors)
    {
        var topic = options.Topic ?? engine.Outputs.Actions;
        string[] actions = [.. new[] { engine.Outputs.Actions }.Concat(engine.Outputs.Channels.Values).Where(t => t.Length > 0).Distinct()];
        if (actions.Contains(topic)) return RecordKind.Action;
        var others = new List<(string Topic, RecordKind Kind)> { (engine.Outputs.Decisions, RecordKind.Decision) };
        if (engine.Outcomes is not null) others.Add((engine.Outputs.Outcomes, RecordKind.Outcome));
        if (engine.Audiences.Segments.Count > 0) others.Add((engine.Outputs.Audiences, RecordKind.Audience));
        foreach (var (name, kind) in others)
            if (topic == name) return kind;
        errors.Add(options.Node, "topic", topic.Length == 0 ? "outputs.actions is empty: there are no actions"
            : topic == engine.Outputs.Outcomes ? $"nothing is written to '{topic}', as the config declares no outcomes"
            : topic == engine.Outputs.Audiences ? $"nothing is written to '{topic}', as the config declares no segments"
            : $"'{Printable.Text(topic)}' is no topic of actions, decisions, outcomes or audiences",
            $"Name one of {string.Join(", ", actions.Concat(others.Select(o => o.Topic)))}");
        return null;
    }

    private static void CheckFolder(FilesOptions? options, string folder, HashSet<string> others, ConfigErrors errors)
    {
        if (options is null || options.Folder.Length == 0 || options.Folder.Contains('\0')) return;
        if (!others.Add(Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Folder, Path.GetFullPath(folder)))))
            errors.Add(options.Node, "folder", "another connector writes into it too, and each would take the other's files for its own",
                "Give each connector a folder of its own");
    }

    private static void CheckName(ActivationOptions options, ConfigErrors errors)
    {
        if (options.Name.Length > 100 || !options.Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
            errors.Add(options.Node.At, $"'{Printable.Text(Spelling.Short(options.Name))}' can't be a connector's name",
                "Use letters, digits, '.', '_' and '-', at most 100: it is part of the consumer group");
    }

    private static void CheckDeadLetter(ActivationOptions options, HashSet<string> used, ConfigErrors errors)
    {
        var topic = options.DeadLetter;
        if (topic.Length is 0 or > 249 || topic is "." or ".." || !topic.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'))
            errors.Add(options.Node, "dead_letter", $"'{Printable.Text(Spelling.Short(topic))}' can't be a topic's name",
                "Use letters, digits, '.', '_' and '-', at most 249 of them");
        else if (used.Contains(topic))
            errors.Add(options.Node, "dead_letter", $"topic '{topic}' has another use in the engine",
                "Give the dead letter a topic of its own");
    }

    private static IEnumerable<string> TopicsOf(EngineOptions engine) => Topics.Needed(engine, 1).Select(t => t.Name);
}
