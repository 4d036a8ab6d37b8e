using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http;
using StreamEngine.Host.Http.Security;

namespace StreamEngine.Host.Ofrep;

/// <summary>
/// OpenFeature's remote evaluation protocol: <c>POST /ofrep/v1/evaluate/flags/{key}</c> for one flag, as servers ask, and <c>POST
/// /ofrep/v1/evaluate/flags</c> for all, as clients poll, with an entity tag that tells them that nothing has changed.
/// </summary>
/// <param name="evaluator">Evaluates.</param>
internal sealed class OfrepEndpoints(OfrepEvaluator evaluator)
{
    private const int MostDepth = 16;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>Adds them.</summary>
    /// <param name="app">The endpoint.</param>
    /// <param name="evaluator">Evaluates.</param>
    /// <param name="origins">The origins of the pages that may ask; none where absent.</param>
    public static void Map(WebApplication app, OfrepEvaluator evaluator, IReadOnlyList<string>? origins = null)
    {
        const string Flags = "/ofrep/v1/evaluate/flags", Flag = Flags + "/{key}";
        var all = new OfrepEndpoints(evaluator);
        app.NeedsFromPages(Flag, app.MapPost(Flag, (Delegate)all.OneAsync), Scope.Decide, origins ?? [])
            .WithMetadata(new RequestDescription(["application/json"], typeof(OfrepBody))).Produces<OfrepFlag>()
            .Produces<OfrepFlag>(400).Produces<OfrepFlag>(404).Produces<OfrepFlag>(503)
            .Told("flags", "evaluateFlag", "Evaluates a placement or an experiment as a flag, by OpenFeature's protocol OFREP.");
        app.NeedsFromPages(Flags, app.MapPost(Flags, (Delegate)all.AllAsync), Scope.Decide, origins ?? [])
            .WithMetadata(new RequestDescription(["application/json"], typeof(OfrepBody))).Produces<OfrepFlags>().Produces(304)
            .Produces<OfrepFailure>(400)
            .Told("flags", "evaluateFlags", "Evaluates all placements and experiments; 304 where the ETag in If-None-Match still holds.");
    }

    private async Task<IResult> OneAsync(HttpContext context, string key)
    {
        // Kestrel leaves an escaped slash as it is.
        key = key.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        if (!evaluator.Keys.Contains(key))
            return Results.Json(OfrepFlag.Failed(key, "FLAG_NOT_FOUND", $"There is no placement in ofrep.placements and no experiment "
                + $"'{Printable.Text(Spelling.Short(key))}'. The flags are: {string.Join(", ", evaluator.Keys)}."), Json, statusCode: 404);
        var (asked, failure) = await ReadAsync(context).ConfigureAwait(false);
        if (asked is null) return Results.Json(OfrepFlag.Failed(key, failure!.ErrorCode, failure.ErrorDetails), Json, statusCode: 400);
        var flag = (await evaluator.EvaluateAsync(key, asked, context.RequestAborted).ConfigureAwait(false))!;
        if (flag.ErrorCode == OfrepEvaluator.General) context.Response.Headers.RetryAfter = "1";
        return Results.Json(flag, Json, statusCode: flag.ErrorCode switch
        {
            null => StatusCodes.Status200OK,
            OfrepEvaluator.General => StatusCodes.Status503ServiceUnavailable,
            _ => StatusCodes.Status400BadRequest,
        });
    }

    private async Task<IResult> AllAsync(HttpContext context)
    {
        var (asked, failure) = await ReadAsync(context).ConfigureAwait(false);
        if (asked is null) return Results.Json(failure, Json, statusCode: 400);
        var flags = await evaluator.EvaluateAllAsync(asked, context.RequestAborted).ConfigureAwait(false);
        var body = JsonSerializer.SerializeToUtf8Bytes(new OfrepFlags(flags), Json);
        var tag = $"\"{Base64Url.EncodeToString(SHA256.HashData(body).AsSpan(0, 16))}\"";
        context.Response.Headers.ETag = tag;
        return Holds(context.Request.Headers.IfNoneMatch, tag) ? Results.StatusCode(StatusCodes.Status304NotModified)
            : Results.Bytes(body, "application/json");
    }

    /// <summary>Whether a client has this answer already. Proxies may have made its tag a weak one.</summary>
    private static bool Holds(StringValues known, string tag) =>
        known.SelectMany(k => (k ?? "").Split(',', StringSplitOptions.TrimEntries)).Any(k => k == tag || k == $"W/{tag}");

    private async Task<(OfrepContext? Context, OfrepFailure? Failure)> ReadAsync(HttpContext context)
    {
        // Only JSON: a page of another site can't send that here without asking first.
        if (!context.Request.HasJsonContentType())
            return (null, new OfrepFailure("PARSE_ERROR", "Send JSON: content-type: application/json"));
        try
        {
            using var body = await JsonDocument.ParseAsync(context.Request.Body, new JsonDocumentOptions { MaxDepth = MostDepth },
                context.RequestAborted).ConfigureAwait(false);
            var read = OfrepContext.Read(body.RootElement, evaluator.Fields, out var failure);
            return (read, failure);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // No JSON; or a text in it has half a character, or bytes that are not UTF-8, which only reading it tells.
            return (null, new OfrepFailure("PARSE_ERROR", $"The body can't be read: {e.Message}"));
        }
    }
}
