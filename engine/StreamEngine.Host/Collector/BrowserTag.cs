using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace StreamEngine.Host.Collector;

/// <summary><c>GET /streamengine.js</c>: the tag for web pages, a file of its own within this program.</summary>
internal static class BrowserTag
{
    private const string Name = "streamengine.js";

    /// <summary>The script's bytes.</summary>
    public static byte[] Script { get; } = Load();

    private static readonly EntityTagHeaderValue Tag = new($"\"{Convert.ToHexStringLower(SHA256.HashData(Script))[..16]}\"");

    /// <summary>Serves it; a browser may keep it for an hour.</summary>
    public static IResult Get(HttpContext context)
    {
        context.Response.Headers.CacheControl = "public, max-age=3600";
        context.Response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        return Results.Bytes(Script, "text/javascript; charset=utf-8", entityTag: Tag);
    }

    private static byte[] Load()
    {
        using var from = typeof(BrowserTag).Assembly.GetManifestResourceStream(Name)!;
        using var to = new MemoryStream();
        from.CopyTo(to);
        return to.ToArray();
    }
}
