using Microsoft.AspNetCore.Http;

namespace StreamEngine.Host.Http;

/// <summary>Bodies that are sent compressed, by <c>Content-Encoding</c>.</summary>
internal static class PackedBody
{
    private const string Known = "gzip, br, deflate", Plain = "identity";

    /// <summary>Refuses a body that nothing here can unpack. What could be unpacked has lost its header before.</summary>
    public static Task RefuseUnknownAsync(HttpContext context, RequestDelegate next)
    {
        var encoding = context.Request.Headers.ContentEncoding;
        if (encoding.Count == 0 || string.Equals(encoding.ToString().Trim(), Plain, StringComparison.OrdinalIgnoreCase))
            return next(context);
        context.Response.Headers.AcceptEncoding = Known;
        return Problems.RefuseAsync(context, StatusCodes.Status415UnsupportedMediaType, "content_encoding",
            $"The body is packed in a way that is not known here: send it as {Known}, one of them, or as it is.");
    }

    /// <summary>Whether a request says that its body is packed.</summary>
    public static bool IsSaid(HttpRequest request) => request.Headers.ContentEncoding.Count > 0;

    /// <summary>Whether this is how unpacking a broken body fails.</summary>
    public static bool IsBroken(Exception e) =>
        e is InvalidDataException or InvalidOperationException { Source: "System.IO.Compression.Brotli" };
}
