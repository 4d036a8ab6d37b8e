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

    /// <summary>
    /// Lets a page read the answer where its origin is one of the source's; false where it is none, so that nothing may be done for it.
    /// A caller that sends no origin is no page.
    /// </summary>
    public static bool Allow(HttpContext context, IEnumerable<SourceIntake> sources)
    {
        var origin = context.Request.Headers.Origin.ToString();
        if (origin.Length == 0) return true;
        if (IsOurs(origin, context.Request)) return true;
        if (!sources.Any(s => s.Options.Origins.Any(o => o == "*" || o.Equals(origin, StringComparison.OrdinalIgnoreCase)))) return false;
        context.Response.Headers.AccessControlAllowOrigin = origin;
        context.Response.Headers.Vary = "Origin";
        context.Response.Headers.AccessControlExposeHeaders = "Retry-After";
        context.Response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        return true;
    }

    private static bool IsOurs(string origin, HttpRequest request) =>
        origin.Equals($"{request.Scheme}://{request.Host.Value}", StringComparison.OrdinalIgnoreCase);

    /// <summary>Without keys in the config only this machine can call, and may write everything.</summary>
    private static bool MayWrite(HttpContext context, SourceIntake source) => context.Features.Get<Caller>() is not { } caller
        || source.Options.Keys.Count == 0 || source.Options.Keys.Contains(caller.Name);

    private static string Names(List<SourceIntake> sources) => string.Join(", ", sources.Select(s => s.Name));
}
