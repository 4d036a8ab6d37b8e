using System.Globalization;
using System.Text.Json;
using StreamEngine.Connectors;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Explanation;

/// <summary>Says what a decision's record says, in words and numbers.</summary>
/// <param name="engine">The config at hand: where it is the one that decided, names of features and texts of rules are told.</param>
/// <param name="reasons">Tells what features added to scores; null where no config is at hand.</param>
internal sealed class Explainer(CompiledEngine? engine, DecisionReasons? reasons = null)
{
    /// <summary>Explains a record.</summary>
    /// <param name="record">The decision's record, as the JSON object that <c>replay</c> and <c>tail</c> make of it.</param>
    /// <param name="from">Where it was read; null for a file.</param>
    /// <param name="offset">Its offset there.</param>
    public ExplainedDecision Explain(JsonElement record, TopicPartition? from = null, long offset = 0)
    {
        var hash = Text(record, "config_hash");
        var same = engine?.ConfigHash == hash ? engine : null;
        var drawn = Items(record, "candidate_probabilities").Select(Number).ToList();
        var cause = record.GetProperty("cause");
        var explained = new ExplainedDecision
        {
            DecisionId = Text(record, "decision_id"),
            Customer = Text(record, "customer_id"),
            Outcome = Text(record, "outcome"),
            Why = [],
            DecidedAt = Text(record, "decided_at"),
            EventTime = Text(record, "event_time"),
            Origin = Text(record, "origin"),
            Trigger = Text(record, "trigger"),
            Placement = Text(record, "placement"),
            Cause = new ExplainedCause(Text(cause, "event_id"), Text(cause, "topic"), cause.GetProperty("partition").GetInt32(),
                cause.GetProperty("offset").GetInt64(), cause.GetProperty("ordinal").GetInt32()),
            Chosen = record.TryGetProperty("chosen", out var chosen) && chosen.ValueKind == JsonValueKind.Object
                ? new ExplainedChoice(Text(chosen, "offer"), Text(chosen, "treatment"), Text(chosen, "channel"),
                    chosen.GetProperty("is_default").GetBoolean()) : null,
            SelectionProbability = Number(record.GetProperty("selection_probability")),
            DeferredUntil = Text(record, "deferred_until") is { Length: > 0 } end ? end : null,
            Candidates = [.. Items(record, "candidates").Select((c, i) => Offer(c, same) with
            {
                SelectionProbability = i < drawn.Count ? drawn[i] : null,
            })],
            Features = [.. Items(record, "features").Select((f, i) => new ExplainedFeature(
                same is not null && i < same.Features.Count ? same.Features.Names[i] : null, Number(f)))],
            Models = [.. Items(record, "models").Select(m => new ExplainedModel(Text(m, "name"), Text(m, "version"), Text(m, "provider")))],
            Assignments = [.. Items(record, "assignments")
                .Select(a => new ExplainedAssignment(Text(a, "experiment"), Text(a, "variation")))],
            ConfigHash = hash,
            ConfigIsSame = same is not null,
            Record = from is { } at ? new ExplainedRecord(at.Topic, at.Partition, offset) : null,
        };
        return explained with
        {
            Why = [.. FunnelWords.Of(explained, same?.Options.Decisions.Purpose)],
            Reasons = DecisionReasons.Of(explained, reasons),
        };
    }

    private static ExplainedOffer Offer(JsonElement candidate, CompiledEngine? same)
    {
        var (name, drop) = (Text(candidate, "offer"), Text(candidate, "drop"));
        var (stage, why) = DropWords.Of(drop, same?.Options.Offers.FirstOrDefault(o => o.Name == name), same?.Options.Decisions);
        return new ExplainedOffer(name, stage, drop, why, candidate.GetProperty("rank").GetInt32(), Factor("priority"), Factor("p"),
            Factor("c"), Factor("v"), Factor("l"), Text(candidate, "p_source"));

        double Factor(string field) => Number(candidate.GetProperty(field));
    }

    private static IEnumerable<JsonElement> Items(JsonElement record, string field) =>
        record.TryGetProperty(field, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [];

    private static string Text(JsonElement record, string field) => !record.TryGetProperty(field, out var value) ? ""
        : value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Null => "",
            _ => value.GetRawText(),
        };

    /// <summary>JSON has neither NaN, which is null there, nor infinity, which is a text.</summary>
    private static double Number(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDouble(),
        JsonValueKind.String => double.Parse(value.GetString()!, CultureInfo.InvariantCulture),
        _ => double.NaN,
    };
}
