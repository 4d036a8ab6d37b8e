using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using StreamEngine.Host.Configuration;

namespace StreamEngine.Host.Http.Security;

/// <summary>
/// Lets a request pass whose key may do what its endpoint demands: 401 without a known key, 403 where the key may not. Without keys in the
/// config everybody passes, as only this machine can call then.
/// </summary>
internal sealed class Access(KeyRing keys)
{
    private static readonly Demand Unsaid = new(Scope.Admin);

    /// <summary>Passes a request on, or answers it.</summary>
    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var endpoint = context.GetEndpoint();
        var demand = endpoint?.Metadata.GetMetadata<Demand>() ?? Unsaid;
        if (!keys.Any || endpoint is null || demand.Scope is not { } scope) return next(context);
        var key = PresentedKey.Of(context.Request, demand.FromPages, out var shown);
        if (keys.Find(key) is not { } caller)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            return Problems.RefuseAsync(context, StatusCodes.Status401Unauthorized, key.Length == 0 ? "no_key" : "unknown_key",
                key.Length == 0 ? "This needs a key: send it as 'Authorization: Bearer KEY' or in X-Api-Key."
                    : "This key is not known here: look at http.keys.");
        }
        if (!caller.May(scope))
            return Problems.RefuseAsync(context, StatusCodes.Status403Forbidden, "scope",
                $"The key '{caller.Name}' may not do this: it needs the scope {Word(scope)}.");
        if (shown && !caller.OnlyCollects)
            return Problems.RefuseAsync(context, StatusCodes.Status403Forbidden, "key_in_address",
                $"The key '{caller.Name}' may do more than collect events, and addresses are written down on their way: send it in a "
                + "header, and make another key for pages.");
        context.Features.Set(caller);
        return next(context);
    }

    /// <summary>Limits the requests of each key that has a rate, by a bucket of a second's requests.</summary>
    public static void Limit(RateLimiterOptions options)
    {
        options.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context =>
            context.Features.Get<Caller>() is { Rate: > 0 } caller ? RateLimitPartition.GetTokenBucketLimiter(caller.Name, _ => new()
            {
                TokenLimit = caller.Rate,
                TokensPerPeriod = caller.Rate,
                ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                QueueLimit = 0,
            }) : RateLimitPartition.GetNoLimiter(""));
        options.OnRejected = (rejected, _) => new ValueTask(Problems.BusyAsync(rejected.HttpContext, "rate",
            "The key has made more requests than its rate allows: ask again later."));
    }

    private static string Word(Scope scope) => StreamEngine.Configuration.Spelling.Snake(scope.ToString());
}
