using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using StreamEngine.Host.Configuration;

namespace StreamEngine.Host.Http.Security;

/// <summary>
/// Lets a request pass whose key may do what its endpoint demands: 401 without a known key, 403 where the key may not. Without keys in the
/// config everybody passes, as only this machine can call then. The token of an identity provider stands for a key. Where callers need a
/// certificate, it was judged when they connected, and here it is seen whether there is one.
/// </summary>
internal sealed class Access(KeyRing keys, TokenVerifier? tokens = null, bool needsCertificate = false)
{
    private static readonly Demand Unsaid = new(Scope.Admin);

    /// <summary>The requests of each key that has a rate, limited by a bucket of a second's requests.</summary>
    public PartitionedRateLimiter<HttpContext> Limiter { get; } = PartitionedRateLimiter.Create<HttpContext, string>(context =>
        context.Features.Get<Caller>() is { Rate: > 0 } caller ? RateLimitPartition.GetTokenBucketLimiter(caller.Title, _ => new()
        {
            TokenLimit = caller.Rate,
            TokensPerPeriod = caller.Rate,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
            QueueLimit = 0,
        }) : RateLimitPartition.GetNoLimiter(""));

    /// <summary>Passes a request on, or answers it.</summary>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var endpoint = context.GetEndpoint();
        var demand = endpoint?.Metadata.GetMetadata<Demand>() ?? Unsaid;
        if (needsCertificate && endpoint is not null && !demand.WithoutCertificate && context.Connection.ClientCertificate is null)
        {
            await Problems.RefuseAsync(context, StatusCodes.Status401Unauthorized, "no_certificate",
                "This needs a certificate of the caller's: look at http.tls.client_ca_file.").ConfigureAwait(false);
            return;
        }
        if ((keys.Any || tokens is not null) && endpoint is not null && demand.Scope is { } scope)
        {
            var key = PresentedKey.Of(context.Request, demand.FromPages, out var shown);
            if (key.Length == 0 && demand.KeyInBody) context.Features.Set(this);
            else if (key.Length == 0 && demand.Sessions?.Find(context.Request) is { } caller) context.Features.Set(caller);
            else if (key.Length == 0 && demand.LogIn is { } logIn)
            {
                context.Features.Get<HttpMetrics>()?.Refuse("no_key");
                await logIn(context).ConfigureAwait(false);
                return;
            }
            else if (!HasToken(context.Request, demand) && !await AdmitAsync(context, key, shown, scope).ConfigureAwait(false)) return;
        }
        await next(context).ConfigureAwait(false);
    }

    /// <summary>Notes whose request it is; false where it is refused, and answered.</summary>
    /// <param name="context">The request.</param>
    /// <param name="key">The key that it presents.</param>
    /// <param name="shown">Whether the key stands where it is written down, or for everybody to read.</param>
    /// <param name="scope">What it must be allowed.</param>
    public async Task<bool> AdmitAsync(HttpContext context, string key, bool shown, Scope scope)
    {
        var caller = keys.Find(key);
        // A token stands in a header only: what stands in an address is written down on its way.
        if (caller is null && tokens is not null && !shown && TokenVerifier.IsToken(key))
        {
            var verdict = await tokens.VerifyAsync(key, context.RequestAborted).ConfigureAwait(false);
            caller = verdict.Caller;
            if (caller is null)
            {
                if (verdict.Status == StatusCodes.Status401Unauthorized)
                    context.Response.Headers.WWWAuthenticate = "Bearer error=\"invalid_token\"";
                else context.Response.Headers.RetryAfter = "5";
                await Problems.RefuseAsync(context, verdict.Status, verdict.Reason, verdict.Detail).ConfigureAwait(false);
                return false;
            }
        }
        var (status, reason, detail) = caller is null ? key.Length == 0
                ? (StatusCodes.Status401Unauthorized, "no_key", "This needs a key: send it as 'Authorization: Bearer KEY' or in X-Api-Key.")
                : (StatusCodes.Status401Unauthorized, "unknown_key", "This key is not known here: look at http.keys.")
            : !caller.May(scope) ? (StatusCodes.Status403Forbidden, "scope",
                $"The {caller.Title} may not do this: it needs the scope {Word(scope)}.")
            : shown && !caller.OnlyCollects ? (StatusCodes.Status403Forbidden, "key_in_address",
                $"The {caller.Title} may do more than collect events, and addresses are written down on their way: send it in a "
                + "header, and make another key for pages.")
            : (StatusCodes.Status200OK, "", "");
        if (caller is null) context.Response.Headers.WWWAuthenticate = "Bearer";
        else context.Features.Set(caller);
        if (status == StatusCodes.Status200OK) return true;
        await Problems.RefuseAsync(context, status, reason, detail).ConfigureAwait(false);
        return false;
    }

    /// <summary>
    /// Who presents a key, or a token, that stands neither in a header nor in an address: a form's. Where it is nobody's, the verdict says
    /// why; a key has no end.
    /// </summary>
    public async Task<TokenVerdict> FindAsync(string presented, CancellationToken stop)
    {
        if (keys.Find(presented) is { } caller)
            return new TokenVerdict(caller, StatusCodes.Status200OK, "", "", DateTimeOffset.MaxValue);
        return tokens is not null && TokenVerifier.IsToken(presented) ? await tokens.VerifyAsync(presented, stop).ConfigureAwait(false)
            : new TokenVerdict(null, StatusCodes.Status401Unauthorized, "unknown_key", "This key is not known here.");
    }

    /// <summary>Answers a request that is one too many.</summary>
    public static Task RefuseRateAsync(HttpContext context) => Problems.BusyAsync(context, "rate",
        "The key has made more requests than its rate allows: ask again later.");

    /// <summary>Whether the request is to be judged by its token, which the endpoint verifies.</summary>
    private static bool HasToken(HttpRequest request, Demand demand) =>
        demand.TokenParameter is { } name && request.Query.ContainsKey(name);

    private static string Word(Scope scope) => StreamEngine.Configuration.Spelling.Snake(scope.ToString());
}
