using System.Text.Json.Nodes;
using StreamEngine.Connectors;
using StreamEngine.Host.Configuration;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Run;

/// <summary>What a config uses a topic for.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Role">The use: <c>source NAME</c>, <c>actions</c>, <c>actions CHANNEL</c>, <c>decisions</c>, ...</param>
/// <param name="LikeSources">Whether it needs as many partitions as the sources have.</param>
internal sealed record TopicUse(string Topic, string Role, bool LikeSources)
{
    private const string Control = "control", Shared = "shared numbers";

    /// <summary>Every topic of a config, in the order of the engine's way: sources, then outputs.</summary>
    public static IReadOnlyList<TopicUse> Of(HostOptions options)
    {
        var outputs = options.Outputs;
        var uses = options.Events.Select(e => new TopicUse(e.Topic, $"source {e.Name}", true)).ToList();
        uses.Add(new(outputs.Actions, "actions", false));
        uses.AddRange(outputs.Channels.Select(c => new TopicUse(c.Value, $"actions {c.Key}", false)));
        uses.Add(new(outputs.Decisions, "decisions", true));
        uses.Add(new(outputs.DeadLetter, "dead-letter", false));
        uses.Add(new(outputs.Late, "late", false));
        uses.Add(new(outputs.Outcomes, "outcomes", false));
        uses.Add(new(outputs.Audiences, "audiences", false));
        uses.Add(new(options.Checkpoints.Topic, "checkpoints", true));
        uses.Add(new(options.Control.Topic, Control, false));
        uses.Add(new(options.Shared.Topic, Shared, false));
        uses.AddRange(options.Activations.Select(a => new TopicUse(a.DeadLetter, $"dead-letter of activation {a.Name}", false)));
        var needed = Topics.Needed(options, 1).Select(t => t.Name).Concat(options.Activations.Select(a => a.DeadLetter)).ToHashSet();
        return [.. uses.Where(u => needed.Contains(u.Topic)).GroupBy(u => u.Topic).Select(g =>
            new TopicUse(g.Key, string.Join(", ", g.Select(u => u.Role)), g.Any(u => u.LikeSources)))];
    }

    /// <summary>What is wrong with it in the log, with the remedy; null where it fits.</summary>
    public string? Fault(IReadOnlyList<TopicInfo> there, IReadOnlyList<TopicUse> uses)
    {
        var wanted = uses.Select(u => there.FirstOrDefault(t => t.Name == u.Topic && u.Role.StartsWith("source", StringComparison.Ordinal)))
            .FirstOrDefault(t => t is not null)?.Partitions;
        if (there.FirstOrDefault(t => t.Name == Topic) is not { } info) return "missing: `topics create` makes it";
        if (Role is Control or Shared && info.Partitions != 1) return "needs one partition";
        return LikeSources && info.Partitions != wanted ? $"needs {wanted} partitions, as the sources have" : null;
    }
}

/// <summary>A line of <c>topics list</c>.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Role">What the config uses it for; null for nothing.</param>
/// <param name="Info">What the log has of it; null where it is missing.</param>
/// <param name="Fault">What does not fit.</param>
internal sealed record TopicRow(string Topic, string? Role, TopicInfo? Info, string? Fault)
{
    private const int MostShown = 16;

    /// <summary>First and end offset of each partition, as <c>0..120</c>.</summary>
    public string Offsets => Info is null ? "-" : string.Join(' ', Info.Offsets.Take(MostShown).Select(o => $"{o.First}..{o.End}"))
        + (Info.Partitions > MostShown ? " ..." : "");

    /// <summary>The same for scripts.</summary>
    public JsonObject ToJson(bool roles)
    {
        var json = new JsonObject
        {
            ["name"] = Topic,
            ["partitions"] = Info?.Partitions ?? 0,
            ["records"] = Info?.Records ?? 0,
            ["retention"] = Info?.Retention,
            ["offsets"] = new JsonArray([.. (Info?.Offsets ?? []).Select((o, p) =>
                new JsonObject { ["partition"] = p, ["first"] = o.First, ["end"] = o.End })]),
        };
        if (!roles) return json;
        json["role"] = Role;
        json["exists"] = Info is not null;
        json["fault"] = Fault;
        return json;
    }
}
