using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Explanation;
using StreamEngine.Host.Http.Security;

namespace StreamEngine.Host.Http;

/// <summary>
/// <c>GET /v1/decisions/{id}</c>: why a decision came out as it did. The id stands in the address with its slashes, or with them escaped.
/// </summary>
internal static class DecisionEndpoint
{
    /// <summary>How explanations are written: they nest deeper than what callers may send.</summary>
    internal static readonly JsonSerializerOptions Json = new(CustomerEndpoints.Json) { MaxDepth = 8 };

    /// <summary>Adds it.</summary>
    public static void Map(WebApplication app, DecisionLookups decisions) =>
        app.MapGet("/v1/decisions/{**decision_id}", async (HttpContext context, [FromRoute(Name = "decision_id")] string id = "") =>
        {
            var text = RawPath.Id(context, "/v1/decisions/", "", id);
            var found = await decisions.FindAsync(text, context.RequestAborted).ConfigureAwait(false);
            return found.Decision is { } decision ? Results.Json(decision, Json) : Refuse(context, found);
        }).Needs(Scope.Read).Produces<ExplainedDecision>().Told("decisions", "explain",
            "Why a decision came out as it did: offers with reasons and numbers, features and what they added to scores, models, "
            + "experiments.", 400, 404, 503, 504);

    private static IResult Refuse(HttpContext context, Lookup found)
    {
        var status = found.Status switch
        {
            LookupStatus.Malformed => StatusCodes.Status400BadRequest,
            LookupStatus.UnknownDecision => StatusCodes.Status404NotFound,
            LookupStatus.TimedOut => StatusCodes.Status504GatewayTimeout,
            _ => StatusCodes.Status503ServiceUnavailable,
        };
        if (status == StatusCodes.Status503ServiceUnavailable) context.Response.Headers.RetryAfter = "1";
        return Problems.Of(status, found.Message,
            new Dictionary<string, object?> { ["reason"] = Spelling.Snake(found.Status.ToString()) });
    }
}
