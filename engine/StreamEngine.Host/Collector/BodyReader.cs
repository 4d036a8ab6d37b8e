using Microsoft.AspNetCore.Http;

namespace StreamEngine.Host.Collector;

/// <summary>Reads a request's body within its share of the memory.</summary>
internal static class BodyReader
{
    private const int FirstBytes = 16 << 10;

    /// <summary>
    /// What a body costs beside itself: its events are copied once, and described. The share is that of both.
    /// </summary>
    private const int Factor = 3;

    /// <summary>The body; null where there is no room for it now.</summary>
    /// <exception cref="BadHttpRequestException">It is larger than its endpoint takes, or ends early.</exception>
    public static async Task<ArraySegment<byte>?> ReadAsync(HttpRequest request, MemoryBudget.Share share, CancellationToken stop)
    {
        var known = request.ContentLength is { } length && !request.Headers.ContainsKey("Content-Encoding") ? length : 0;
        var size = (int)Math.Clamp(known + 1, FirstBytes, Math.Max(FirstBytes, 1 << 28));
        var read = 0;
        if (!share.TryReach((long)size * Factor)) return null;
        var buffer = new byte[size];
        while (true)
        {
            var n = await request.Body.ReadAsync(buffer.AsMemory(read), stop).ConfigureAwait(false);
            if (n == 0) return new ArraySegment<byte>(buffer, 0, read);
            read += n;
            if (read < buffer.Length) continue;
            if (!share.TryReach((long)buffer.Length * 2 * Factor)) return null;
            Array.Resize(ref buffer, buffer.Length * 2);
        }
    }
}
