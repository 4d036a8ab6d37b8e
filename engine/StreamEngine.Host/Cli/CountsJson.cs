using System.Text.Json.Nodes;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Cli;

/// <summary>Counts by name, as summaries have them: those that are not 0.</summary>
internal static class CountsJson
{
    /// <summary>An object with a field for each count.</summary>
    /// <param name="names">The names, in the order of the counts.</param>
    /// <param name="counts">The counts.</param>
    /// <param name="but">Places that are left out.</param>
    public static JsonObject Of(IReadOnlyList<string> names, long[] counts, IReadOnlyList<int>? but = null)
    {
        var named = new JsonObject();
        for (var i = 0; i < Math.Min(names.Count, counts.Length); i++)
            if (counts[i] > 0 && but?.Contains(i) != true) named[names[i]] = counts[i];
        return named;
    }

    /// <summary>Where an offer's default stood in for a model's score: by model, how often and why.</summary>
    public static JsonObject Fallbacks(CompiledEngine engine, ShardCounters counters) =>
        new(EngineMetrics.Fallbacks(engine, counters).Where(f => f.Count > 0).GroupBy(f => f.Model)
            .Select(m => KeyValuePair.Create<string, JsonNode?>(m.Key,
                new JsonObject(m.Select(f => KeyValuePair.Create<string, JsonNode?>(f.Reason, f.Count))))));
}
