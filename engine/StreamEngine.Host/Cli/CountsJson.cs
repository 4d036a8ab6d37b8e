using System.Text.Json.Nodes;

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
}
