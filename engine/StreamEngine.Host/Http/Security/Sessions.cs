using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace StreamEngine.Host.Http.Security;

/// <summary>
/// Browsers that have logged in with a key or token. The cookie holds a random token of this process, not the key: cookies go to every port
/// of a machine. Scripts can't read it, and no other site's page can make a browser send it.
/// </summary>
internal sealed class Sessions(TimeProvider time)
{
    private const int Most = 1_000, TokenBytes = 32, LongestToken = 100;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (Caller Caller, DateTimeOffset Ends)> _sessions = [];

    /// <summary>For how long a session lasts at most.</summary>
    public static TimeSpan Lasts { get; } = TimeSpan.FromHours(12);

    /// <summary>Begins a session, and gives the browser its cookie.</summary>
    /// <param name="context">The browser's request.</param>
    /// <param name="caller">Who it is.</param>
    /// <param name="until">When it ends at the latest.</param>
    public void Begin(HttpContext context, Caller caller, DateTimeOffset until)
    {
        var token = System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes));
        var now = time.GetUtcNow();
        var lasts = until - now < Lasts ? until - now : Lasts;
        lock (_gate)
        {
            foreach (var old in _sessions.Where(s => s.Value.Ends <= now).Select(s => s.Key).ToList()) _sessions.Remove(old);
            // Who logs in over and over again ends the sessions that would have ended first.
            if (_sessions.Count >= Most) _sessions.Remove(_sessions.MinBy(s => s.Value.Ends).Key);
            _sessions[Hash(token)] = (caller, now + lasts);
        }
        context.Response.Cookies.Append(Cookie(context.Request), token, Options(context.Request, lasts));
    }

    /// <summary>Whose session the browser's cookie names; null where it names none that lasts.</summary>
    public Caller? Find(HttpRequest request)
    {
        if (request.Cookies[Cookie(request)] is not { Length: > 0 and <= LongestToken } token) return null;
        lock (_gate)
            return _sessions.TryGetValue(Hash(token), out var session) && session.Ends > time.GetUtcNow() ? session.Caller : null;
    }

    /// <summary>Ends the browser's session.</summary>
    public void End(HttpContext context)
    {
        if (context.Request.Cookies[Cookie(context.Request)] is { Length: > 0 and <= LongestToken } token)
            lock (_gate) _sessions.Remove(Hash(token));
        context.Response.Cookies.Delete(Cookie(context.Request), Options(context.Request, null));
    }

    /// <summary>Two processes on one machine share its cookies: each has one of its own, by its port.</summary>
    private static string Cookie(HttpRequest request) =>
        $"streamengine-{(request.Host.Port ?? 0).ToString(CultureInfo.InvariantCulture)}";

    private static CookieOptions Options(HttpRequest request, TimeSpan? lasts) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        Secure = request.IsHttps,
        Path = "/",
        MaxAge = lasts,
    };

    private static string Hash(string token) => Convert.ToHexString(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(token)));
}
