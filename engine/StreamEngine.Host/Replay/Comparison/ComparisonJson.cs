using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Host.Cli;

namespace StreamEngine.Host.Replay.Comparison;

/// <summary>A comparison for programs.</summary>
internal static class ComparisonJson
{
    private static readonly string[] Outcomes = [.. Enum.GetNames<Outcome>().Select(Spelling.Snake)];

    /// <summary>All of it.</summary>
    public static JsonObject Of(ComparisonReport report) => new()
    {
        ["policies"] = new JsonArray([.. report.Policies.Select(p => new JsonObject
        {
            ["file"] = p.File,
            ["engine"] = p.Engine,
            ["config_hash"] = p.ConfigHash,
        })]),
        ["differences"] = new JsonArray([.. report.Differences.Select(d => new JsonObject
        {
            ["path"] = d.Path,
            ["a"] = d.A,
            ["b"] = d.B,
        })]),
        ["read"] = report.Records,
        ["as_of"] = report.AsOf,
        ["total"] = Of(report.Total),
        ["placements"] = new JsonObject(report.Placements.Select(p => KeyValuePair.Create<string, JsonNode?>(p.Key, Of(p.Value)))),
        ["notes"] = new JsonArray([.. report.Notes.Select(n => JsonValue.Create(n))]),
        ["seconds"] = Math.Round(report.Seconds, 3),
    };

    private static JsonObject Of(PlacementComparison comparison) => new()
    {
        ["same"] = comparison.Same,
        ["changed"] = comparison.Changed,
        ["only_a"] = comparison.OnlyA,
        ["only_b"] = comparison.OnlyB,
        ["a"] = Of(comparison.Policies[0]),
        ["b"] = Of(comparison.Policies[1]),
        ["changes"] = new JsonArray([.. comparison.Changes.Select(c => new JsonObject
        {
            ["from"] = c.From,
            ["to"] = c.To,
            ["count"] = c.Count,
        })]),
    };

    private static JsonObject Of(PolicyTally tally) => new()
    {
        ["decisions"] = tally.Decisions,
        ["outcomes"] = CountsJson.Of(Outcomes, tally.Outcomes),
        ["customers_reached"] = tally.Customers,
        ["served_by_offer"] = Counts(tally.ByOffer),
        ["served_by_channel"] = Counts(tally.ByChannel),
        ["dropped_by_offer"] = new JsonObject(tally.Drops.GroupBy(d => d.Offer).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => KeyValuePair.Create<string, JsonNode?>(g.Key, Counts(g.ToDictionary(d => d.Reason, d => d.Count))))),
        ["limits_reached"] = Counts(tally.Limits),
        ["fallbacks_by_offer"] = Counts(tally.Fallbacks),
        ["expected_value"] = Sum(tally.ExpectedValue, tally.Served),
        ["priority"] = Sum(tally.Priority, tally.Served),
    };

    private static JsonObject Sum(double total, long count) => new()
    {
        ["total"] = Number(total),
        ["mean"] = count == 0 ? null : Number(total / count),
    };

    private static JsonObject Counts(IReadOnlyDictionary<string, long> counts) => new(counts
        .OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => KeyValuePair.Create<string, JsonNode?>(c.Key, c.Value)));

    private static JsonNode? Number(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;
}
