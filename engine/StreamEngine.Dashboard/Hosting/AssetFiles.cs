using System.Collections.Concurrent;
using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace StreamEngine.Dashboard.Hosting;

/// <summary>
/// Scripts, styles and pictures of the pages. They are in this assembly, so that they are served from wherever the process is started.
/// </summary>
internal static class AssetFiles
{
    private static readonly Dictionary<string, string> Types = new()
    {
        [".js"] = "text/javascript; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".svg"] = "image/svg+xml",
    };

    private static readonly ConcurrentDictionary<string, Asset?> Loaded = [];

    /// <summary>Answers with the file that has this path; 404 where there is none.</summary>
    public static async Task ServeAsync(HttpContext context, string path)
    {
        // Only names that exist are kept, so that callers can't fill the memory with others.
        if (!Loaded.TryGetValue(path, out var asset) && (asset = Load(path)) is not null) Loaded[path] = asset;
        if (asset is null)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        var headers = context.Response.Headers;
        headers.ETag = asset.Tag;
        headers.CacheControl = "no-cache";
        headers.Vary = "Accept-Encoding";
        if (context.Request.Headers.IfNoneMatch == asset.Tag)
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        context.Response.ContentType = asset.Type;
        var packed = context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase);
        if (packed) headers.ContentEncoding = "gzip";
        var bytes = packed ? asset.Packed : asset.Bytes;
        context.Response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(bytes, context.RequestAborted).ConfigureAwait(false);
    }

    private static Asset? Load(string path)
    {
        if (!Types.TryGetValue(Path.GetExtension(path), out var type)) return null;
        using var stream = typeof(AssetFiles).Assembly.GetManifestResourceStream(path);
        if (stream is null) return null;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true)) gzip.Write(bytes);
        return new Asset(type, bytes, packed.ToArray(), $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]}\"");
    }

    private sealed record Asset(string Type, byte[] Bytes, byte[] Packed, string Tag);
}
