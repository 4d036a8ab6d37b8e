using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http.Security;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Host.Http;

/// <summary>The body of <c>POST /v1/decisions</c>.</summary>
/// <param name="Customer">The customer id.</param>
/// <param name="Id">The request's id; a repeat of it gets the same decision.</param>
/// <param name="Placement">Where the offer will be shown.</param>
/// <param name="Context">Values of declared event fields.</param>
/// <param name="Offers">The most offers wanted; 1 where absent.</param>
/// <param name="TimeoutMs">How long to try, ms; the config's <c>requests.timeout</c> where absent.</param>
internal sealed record DecisionBody(string? Customer, string? Id = null, string? Placement = null,
    Dictionary<string, JsonElement>? Context = null, int? Offers = null, int? TimeoutMs = null);

/// <summary>
/// <c>POST /v1/decisions</c> and <c>GET /v1/customers/{id}</c>, as JSON. 200 with the answer, or with the config's stand-in, marked;
/// 400 where the request is at fault; 503 with
/// <c>Retry-After</c> where the customer's shard is busy, being restored or elsewhere; 504 where no answer came in time; 410 where the
/// request's id was used so long ago that its decision is not kept.
/// </summary>
internal static class CustomerEndpoints
{
    private const int MostBodyBytes = 64 << 10;
    private const string Decisions = "/v1/decisions";

    /// <summary>How answers are written, and bodies read.</summary>
    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        MaxDepth = 4,
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>What stands before a customer's id in an address.</summary>
    public const string Path = "/v1/customers/";

    /// <summary>Adds them.</summary>
    /// <param name="app">The endpoint.</param>
    /// <param name="customers">Where requests go.</param>
    /// <param name="origins">The origins of the pages that may ask for decisions; none where absent.</param>
    public static void Map(WebApplication app, ICustomerGateway customers, IReadOnlyList<string>? origins = null)
    {
        app.NeedsFromPages(Decisions, app.MapPost(Decisions, (Delegate)((HttpContext context) => DecideAsync(context, customers))),
                Scope.Decide, origins ?? [])
            .WithMetadata(new RequestDescription(["application/json"], typeof(DecisionBody))).Produces<DecisionAnswer>()
            .Told("decisions", "decide", "Asks for a decision; a repeat of the request's id gets the same one.", 400, 410, 413, 415, 503,
                504);
        app.MapGet("/v1/customers/{id}", async (string id, HttpContext context) =>
        {
            id = RawPath.Id(context, Path, "", id);
            var reply = await customers.ReadAsync(new ReadRequest { Customer = id }, context.RequestAborted).ConfigureAwait(false);
            return reply.Status == RequestStatus.Done ? Results.Json(Show(id, reply), Json) : Refuse(context, reply);
        }).Needs(Scope.Read).Produces<CustomerAnswer>()
            .Told("customers", "customer", "What is known of a customer: features, consents, caps, timers, last decisions.", 400, 503, 504);
    }

    private static async Task<IResult> DecideAsync(HttpContext context, ICustomerGateway customers)
    {
        // Only JSON: a page of another site can't send that here without asking first.
        if (!context.Request.HasJsonContentType())
            return Fault(StatusCodes.Status415UnsupportedMediaType, "Send JSON: content-type: application/json");
        DecisionBody? body;
        context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = MostBodyBytes;
        try
        {
            body = await JsonSerializer.DeserializeAsync<DecisionBody>(context.Request.Body, Json, context.RequestAborted)
                .ConfigureAwait(false);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return Fault(StatusCodes.Status413PayloadTooLarge, $"The body is larger than {MostBodyBytes} bytes");
        }
        catch (JsonException e)
        {
            return Fault(StatusCodes.Status400BadRequest, $"The body can't be read: {e.Message}");
        }
        var faults = new List<string>();
        if (string.IsNullOrEmpty(body?.Customer)) faults.Add("customer: it is missing");
        if (body?.TimeoutMs is { } ms and not (>= 1 and <= 60_000)) faults.Add($"timeout_ms: {ms} is not from 1 to 60000");
        var values = new Dictionary<string, object?>();
        foreach (var (name, value) in body?.Context ?? []) values[name] = Value(name, value, faults);
        if (faults.Count > 0) return Fault(StatusCodes.Status400BadRequest, string.Join("; ", faults));
        var reply = await customers.DecideAsync(new DecideRequest
        {
            Customer = body!.Customer!,
            Id = body.Id ?? "",
            Placement = body.Placement ?? "",
            Context = values,
            Offers = body.Offers ?? 1,
            Timeout = body.TimeoutMs is { } given ? TimeSpan.FromMilliseconds(given) : null,
        }, context.RequestAborted).ConfigureAwait(false);
        return reply.IsFallback ? Results.Json(ShowFallback(reply), Json)
            : reply.Status == RequestStatus.Done ? Results.Json(Show(reply), Json) : Refuse(context, reply, reply.RequestId);
    }

    private static object? Value(string name, JsonElement value, List<string> faults)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                try
                {
                    return value.GetString();
                }
                catch (InvalidOperationException)
                {
                    faults.Add($"context.{name}: it is no text, as it has half a character, or bytes that are not UTF-8");
                    return null;
                }
            case JsonValueKind.True or JsonValueKind.False:
                return value.GetBoolean();
            case JsonValueKind.Number:
                return value.TryGetInt64(out var whole) ? whole : value.GetDouble();
            case JsonValueKind.Null:
                return null;
            default:
                faults.Add($"context.{name}: a list or an object is no field's value");
                return null;
        }
    }

    private static DecisionAnswer Show(DecideReply reply) => new(reply.RequestId, reply.Offers)
    {
        DecisionId = reply.DecisionId,
        Outcome = Spelling.Snake(reply.Outcome.ToString()),
        DecidedAt = Text(reply.DecidedAt),
        Repeated = reply.Repeated,
    };

    /// <summary>The config's stand-in: no error page, but marked, with what was at fault.</summary>
    private static DecisionAnswer ShowFallback(DecideReply reply) => new(reply.RequestId, reply.Offers)
    {
        Fallback = true,
        Status = Spelling.Snake(reply.Status.ToString()),
        Message = reply.Message,
    };

    private static CustomerAnswer Show(string customer, ProfileReply reply) => new()
    {
        Customer = customer,
        Found = reply.Found,
        At = Text(reply.At),
        NewestEvent = reply.NewestEvent is { } newest ? Text(newest) : null,
        Features = reply.Features.ToDictionary(f => f.Key, f => f.Value),
        Texts = reply.Texts.ToDictionary(t => t.Key, t => t.Value),
        Consents = reply.Consents,
        Caps = reply.Caps,
        Timers = reply.Timers.ToDictionary(t => t.Key, t => Text(t.Value)),
        Decisions = [.. reply.Decisions.Select(d => new KeptDecisionAnswer(d.DecisionId, Text(d.DecidedAt),
            Spelling.Snake(d.Outcome.ToString()), d.Offer, d.ByRequest))],
    };

    private static IResult Refuse(HttpContext context, Reply reply, string requestId = "")
    {
        var status = reply.Status switch
        {
            RequestStatus.Invalid => StatusCodes.Status400BadRequest,
            RequestStatus.Forgotten => StatusCodes.Status410Gone,
            RequestStatus.TimedOut => StatusCodes.Status504GatewayTimeout,
            _ => StatusCodes.Status503ServiceUnavailable,
        };
        if (status == StatusCodes.Status503ServiceUnavailable) context.Response.Headers.RetryAfter = "1";
        return Problem(status, Spelling.Snake(reply.Status.ToString()), reply.Message, requestId, reply.Progress);
    }

    private static IResult Fault(int status, string message) => Problem(status, "invalid", message);

    /// <summary>Problem details, with the members that these answers had before they were such.</summary>
    private static IResult Problem(int status, string reason, string message, string requestId = "", double progress = 0) =>
        Problems.Of(status, message, new Dictionary<string, object?>
        {
            ["reason"] = reason,
            ["message"] = message,
            ["request_id"] = requestId,
            ["progress"] = progress,
        });

    /// <summary>A time as answers have it.</summary>
    internal static string Text(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
