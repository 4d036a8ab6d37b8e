using Microsoft.AspNetCore.Http;
using StreamEngine.Host.Configuration;

namespace StreamEngine.Host.Http.Security;

/// <summary>The web pages that may call an endpoint, and the headers by which a browser lets them read its answers (CORS).</summary>
internal static class PageOrigins
{
    /// <summary>
    /// Lets a page read the answer where its origin is one of these; false where it is none, so that nothing may be done for it. A caller
    /// that sends no origin is no page, and the page of this very address needs no leave.
    /// </summary>
    public static bool Allow(HttpContext context, IReadOnlyList<string> origins)
    {
        var origin = context.Request.Headers.Origin.ToString();
        if (origin.Length == 0 || IsOurs(origin, context.Request)) return true;
        var headers = context.Response.Headers;
        if (!Origins.Allow(origins, origin))
        {
            // An earlier step, which knew less, may have allowed it.
            headers.Remove("Access-Control-Allow-Origin");
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            return false;
        }
        headers.AccessControlAllowOrigin = origin;
        headers.Vary = "Origin";
        headers.AccessControlExposeHeaders = "Retry-After, ETag";
        headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        return true;
    }

    /// <summary>The answer where a page asks whether it may call.</summary>
    /// <param name="context">The request, of an origin that may.</param>
    /// <param name="method">What it may call by.</param>
    /// <param name="headers">Headers that it may send.</param>
    public static void Preflight(HttpContext context, string method, string headers)
    {
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        context.Response.Headers.AccessControlAllowMethods = method;
        context.Response.Headers.AccessControlAllowHeaders = headers;
        context.Response.Headers.AccessControlMaxAge = "7200";
    }

    private static bool IsOurs(string origin, HttpRequest request) =>
        origin.Equals($"{request.Scheme}://{request.Host.Value}", StringComparison.OrdinalIgnoreCase);
}
