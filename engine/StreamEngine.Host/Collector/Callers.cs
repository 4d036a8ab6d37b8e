using Microsoft.AspNetCore.Http;
using StreamEngine.Host.Http.Security;

namespace StreamEngine.Host.Collector;

/// <summary>Which source a request writes, and whether its caller may: by its key, and by the page that it comes from.</summary>
internal static class Callers
{
    /// <summary>The source that a request means; null, with the status and what is wrong, where there is none that it may write.</summary>
    public static (SourceIntake? Source, int Status, string Fault) SourceOf(HttpContext context, EventCollector collector, string? named)
    {
        var mine = collector.Sources.Values.Where(s => MayWrite(context, s)).ToList();
        if (string.IsNullOrEmpty(named))
            return mine.Count == 1 ? (mine[0], 200, "") : (null, StatusCodes.Status400BadRequest, mine.Count == 0
                ? "This key may write no source." : $"Say which source: /v1/events/NAME. There are {Names(mine)}.");
        if (!collector.Sources.TryGetValue(named, out var source))
            return (null, StatusCodes.Status404NotFound, $"There is no such source. There are {Names(mine)}.");
        return mine.Contains(source) ? (source, 200, "") : (null, StatusCodes.Status403Forbidden, "This key may not write this source.");
    }

    /// <summary>Lets a page read the answer where it may write one of these sources; false where it may not.</summary>
    public static bool Allow(HttpContext context, IEnumerable<SourceIntake> sources) =>
        PageOrigins.Allow(context, [.. sources.SelectMany(s => s.Options.Origins)]);

    /// <summary>Without keys in the config only this machine can call, and may write everything.</summary>
    private static bool MayWrite(HttpContext context, SourceIntake source) => context.Features.Get<Caller>() is not { } caller
        || source.Options.Keys.Count == 0 || (!caller.ByToken && source.Options.Keys.Contains(caller.Name));

    private static string Names(List<SourceIntake> sources) => string.Join(", ", sources.Select(s => s.Name));
}
