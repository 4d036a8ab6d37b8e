using Microsoft.AspNetCore.Http;

namespace StreamEngine.Host.Collector;

/// <summary>Reads a request's body within its share of the memory.</summary>
internal static class BodyReader
{
    private const int FirstBytes = 4 << 10;

    /// <summary>What a body costs with its copy and the descriptions of its events, in bodies.</summary>
    private const int Factor = 3;

    /// <summary>The body; null where there is no room for it now.</summary>
    /// <exception cref="BadHttpRequestException">It is larger than its endpoint takes, or ends early.</exception>
    public static async Task<ArraySegment<byte>?> ReadAsync(HttpRequest request, MemoryBudget.Share share, CancellationToken stop)
    {
        // What a caller says of the length it need not send: room is taken for what has come.
        if (!share.TryReach(FirstBytes * Factor)) return null;
        var buffer = new byte[FirstBytes];
        var read = 0;
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
