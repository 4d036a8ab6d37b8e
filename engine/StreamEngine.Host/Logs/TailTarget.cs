using StreamEngine.Runtime;

namespace StreamEngine.Host.Logs;

/// <summary>What the records of an output topic are.</summary>
internal enum OutputKind
{
    /// <summary>Actions.</summary>
    Action,

    /// <summary>Decision records, and marks among them.</summary>
    Decision,

    /// <summary>Rejected records.</summary>
    DeadLetter,

    /// <summary>Late records, as they were read.</summary>
    Late,

    /// <summary>What became of decisions.</summary>
    Outcome,

    /// <summary>Who enters and leaves segments.</summary>
    Audience,
}

/// <summary>What <c>tail</c> is asked to show.</summary>
/// <param name="Kind">What the records are.</param>
/// <param name="Topics">The topics that have them.</param>
/// <param name="Channel">Only actions of this channel; null for all.</param>
internal sealed record TailTarget(OutputKind Kind, IReadOnlyList<string> Topics, string? Channel = null)
{
    /// <summary>The outputs by the names under which they can be asked for everywhere.</summary>
    public static IReadOnlyList<string> Roles { get; } = ["actions", "decisions", "dead-letter", "late", "outcomes",
        "audiences"];

    /// <summary>Finds an output by its role, its channel or its topic; null where there is none.</summary>
    /// <param name="name">What was asked for.</param>
    /// <param name="options">The config.</param>
    /// <param name="known">What can be asked for, where there is no such output.</param>
    public static TailTarget? Find(string name, EngineOptions options, out string known)
    {
        var outputs = options.Outputs;
        string[] actions = [.. outputs.Channels.Values.Prepend(outputs.Actions).Where(t => t.Length > 0).Distinct()];
        string[] channels = [.. outputs.Channels.Keys.Concat(options.Offers.Select(o => o.Channel)).Distinct()];
        known = $"{string.Join(", ", Roles)}{(channels.Length > 0 ? $", and the channels {string.Join(", ", channels)}" : "")}";
        if (name == Roles[0]) return new TailTarget(OutputKind.Action, actions);
        if (name == Roles[1]) return new TailTarget(OutputKind.Decision, [outputs.Decisions]);
        if (name == Roles[2]) return new TailTarget(OutputKind.DeadLetter, [outputs.DeadLetter]);
        if (name == Roles[3]) return new TailTarget(OutputKind.Late, [outputs.Late]);
        if (name == Roles[4]) return new TailTarget(OutputKind.Outcome, options.Outcomes is null ? [] : [outputs.Outcomes]);
        if (name == Roles[5])
            return new TailTarget(OutputKind.Audience, options.Audiences.Segments.Count == 0 ? [] : [outputs.Audiences]);
        if (channels.Contains(name))
        {
            var topic = outputs.Channels.GetValueOrDefault(name, outputs.Actions);
            return new TailTarget(OutputKind.Action, topic.Length > 0 ? [topic] : [], name);
        }
        if (actions.Contains(name)) return new TailTarget(OutputKind.Action, [name]);
        if (name == outputs.Decisions) return new TailTarget(OutputKind.Decision, [name]);
        if (name == outputs.DeadLetter) return new TailTarget(OutputKind.DeadLetter, [name]);
        if (options.Outcomes is not null && name == outputs.Outcomes) return new TailTarget(OutputKind.Outcome, [name]);
        if (options.Audiences.Segments.Count > 0 && name == outputs.Audiences) return new TailTarget(OutputKind.Audience, [name]);
        return name == outputs.Late ? new TailTarget(OutputKind.Late, [name]) : null;
    }
}
