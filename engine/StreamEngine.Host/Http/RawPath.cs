using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace StreamEngine.Host.Http;

/// <summary>
/// An id that stands in an address, as its caller meant it. Kestrel decodes a path before it is routed but leaves an escaped slash as it
/// is, so that <c>a%2Fb</c> and <c>a%252Fb</c> look the same behind it; only the request's own line tells them apart.
/// </summary>
internal static class RawPath
{
    /// <summary>The part of the address behind a prefix, decoded once.</summary>
    /// <param name="context">The request.</param>
    /// <param name="prefix">What stands before it, with its last slash.</param>
    /// <param name="suffix">What stands behind it, with its slash; empty where nothing does.</param>
    /// <param name="routed">The same as the router has it: taken where the line has another form, as a proxy's has.</param>
    public static string Id(HttpContext context, string prefix, string suffix, string routed)
    {
        var path = context.Features.Get<IHttpRequestFeature>()?.RawTarget.Split('?')[0] ?? "";
        // The router takes no notice of a slash at the end; one that belongs to an id is escaped.
        if (path.EndsWith('/')) path = path[..^1];
        return path.Length > prefix.Length + suffix.Length && !path.Contains("./", StringComparison.Ordinal)
            && path.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) && path.EndsWith(suffix, StringComparison.OrdinalIgnoreCase)
                ? Uri.UnescapeDataString(path[prefix.Length..(path.Length - suffix.Length)])
                : routed.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
    }
}
