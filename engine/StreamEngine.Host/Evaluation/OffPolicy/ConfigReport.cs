using System.Text.Json.Nodes;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Replay.Comparison;

namespace StreamEngine.Host.Evaluation.OffPolicy;

/// <summary>What is told of another config beside its estimates: what differs, and what the log does not tell.</summary>
/// <param name="Policy">The config, once all decisions were taken.</param>
/// <param name="Differences">What it writes differently.</param>
/// <param name="Notes">What of that the log can't tell.</param>
internal sealed record ConfigReport(ConfigPolicy Policy, IReadOnlyList<ConfigDifference> Differences, IReadOnlyList<string> Notes)
{
    /// <summary>Says how much could not be known, by reason.</summary>
    public void Warn(Invocation call)
    {
        foreach (var (reason, count) in Policy.Unknown.OrderByDescending(u => u.Value))
            call.Say(LogLevel.Warning, $"{count} decisions are left out: {reason}");
        if (Policy.Limited > 0)
            call.Say(LogLevel.Warning, $"in {Policy.Limited} decisions a limit dropped an offer; the log's verdict stands");
        if (Policy.Nothing > 0)
            call.Say(LogLevel.Warning, $"in {Policy.Nothing} decisions it would show nothing: that is counted as no reward");
        if (Policy.Added + Policy.PerhapsAdded > 0)
            call.Say(LogLevel.Warning, $"in {Policy.Added} decisions that had nothing to show it would show something"
                + (Policy.PerhapsAdded > 0 ? $", and of {Policy.PerhapsAdded} more the log does not tell" : "")
                + ": they are not evaluated");
    }

    /// <summary>Writes what differs.</summary>
    public void Tell(Invocation call)
    {
        foreach (var d in Differences) call.Out.WriteLine($"  {d.Path}: {d.A ?? "absent"} -> {d.B ?? "absent"}");
    }

    /// <summary>Adds what is told to the result.</summary>
    public void AddTo(JsonObject json)
    {
        json["differences"] = new JsonArray([.. Differences.Select(d =>
            new JsonObject { ["path"] = d.Path, ["log"] = d.A, ["policy"] = d.B })]);
        json["notes"] = new JsonArray([.. Notes.Select(n => JsonValue.Create(n))]);
        json["not_known"] = new JsonObject(Policy.Unknown.Select(u => KeyValuePair.Create<string, JsonNode?>(u.Key, u.Value)));
        json["limited"] = Policy.Limited;
        json["nothing_shown"] = Policy.Nothing;
        json["newly_shown"] = Policy.Added;
        json["newly_shown_not_known"] = Policy.PerhapsAdded;
    }
}
