using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http;
using StreamEngine.Host.Http.Security;

namespace StreamEngine.Host.Collector;

/// <summary>What became of the events of a request.</summary>
/// <param name="Accepted">How many are in the log now.</param>
/// <param name="Duplicates">How many were there already.</param>
/// <param name="NoConsent">How many lack a consent that the source requires.</param>
/// <param name="Rejected">How many are at fault.</param>
/// <param name="Results">A word for each event, in order: accepted, duplicate, no_consent, rejected.</param>
/// <param name="Errors">What is wrong with those that were rejected; absent where nothing is.</param>
internal sealed record CollectedAnswer(int Accepted, int Duplicates, int NoConsent, int Rejected, IReadOnlyList<string> Results,
    IReadOnlyList<EventError>? Errors);

/// <summary>
/// <c>POST /v1/events</c> and <c>/v1/events/{source}</c>, the pixel, and the tag for web pages. 202 once everything that was taken is in
/// the log, with what became of each event; 400 where none could be taken; 429 where there is no room; 503 where the log does not answer.
/// </summary>
internal sealed class CollectorEndpoints(EventCollector collector)
{
    /// <summary>Mistakes that an answer tells; of more only the number.</summary>
    private const int MostTold = 100;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Adds them.</summary>
    public static void Map(WebApplication app, EventCollector collector)
    {
        var all = new CollectorEndpoints(collector);
        var demand = new Demand(Scope.Collect, FromPages: true)
        {
            MaxRequestBodySize = collector.Options.MaxBody.Bytes,
            Origins = [.. collector.Options.Sources.SelectMany(s => s.Origins)],
        };
        var body = new RequestDescription(["application/json", "text/plain", "application/x-ndjson", "application/avro"]);
        app.MapPost("/v1/events", (Delegate)all.PostAsync).WithMetadata(demand, body).Produces<CollectedAnswer>(202)
            .Told("collector", "collect", "Writes events to the only source that the key may write.", 400, 413, 415, 503);
        app.MapPost("/v1/events/{source}", (Delegate)all.PostAsync).WithMetadata(demand, body).Produces<CollectedAnswer>(202)
            .Told("collector", "collectTo", "Writes events to a source: one, an array, or one a line.", 400, 404, 413, 415, 503);
        app.MapMethods("/v1/events", [HttpMethods.Options], all.Preflight).IsPreflight();
        app.MapMethods("/v1/events/{source}", [HttpMethods.Options], all.Preflight).IsPreflight();
        app.MapGet("/v1/events/pixel.gif", (Delegate)new Pixel(collector).GetAsync).WithMetadata(demand, new RequestDescription([], null,
            ("source", "The source."), ("key", "The key."), ("data", "The event as JSON; without it each parameter is a text field.")))
            .Produces(200, contentType: "image/gif").Told("collector", "pixel", "Writes one event; answers with an invisible picture.");
        app.MapGet("/streamengine.js", BrowserTag.Get).IsOpen(fromPages: true).ExcludeFromDescription();
        if (collector.Options.Segment is { } segment) SegmentEndpoints.Map(app, collector, collector.Sources[segment], demand);
    }

    /// <summary>The answer where a page asks whether it may send.</summary>
    private Task Preflight(HttpContext context)
    {
        if (!Callers.Allow(context, collector.Sources.Values)) return RefuseOriginAsync(context);
        PageOrigins.Preflight(context, HttpMethods.Post, $"content-type, content-encoding, authorization, {PresentedKey.Header}");
        return Task.CompletedTask;
    }

    private async Task PostAsync(HttpContext context)
    {
        var request = context.Request;
        var named = (string?)request.RouteValues["source"] ?? request.Query["source"].ToString();
        var (source, status, fault) = Callers.SourceOf(context, collector, named);
        if (!Callers.Allow(context, source is null ? collector.Sources.Values : [source]))
        {
            await RefuseOriginAsync(context).ConfigureAwait(false);
            return;
        }
        if (source is null)
        {
            await Problems.RefuseAsync(context, status, "source", fault).ConfigureAwait(false);
            return;
        }
        if (KindOf(request, source) is not { } kind)
        {
            await Problems.RefuseAsync(context, StatusCodes.Status415UnsupportedMediaType, "content_type", source.IsJson
                ? "Send application/json (one event, or an array), application/x-ndjson (one a line), or text/plain from a beacon."
                : "This source is Avro: send one record as application/avro, framed as the source says.").ConfigureAwait(false);
            return;
        }
        var share = collector.Memory.Open();
        var handed = false;
        try
        {
            if (await BodyReader.ReadAsync(request, share, context.RequestAborted).ConfigureAwait(false) is not { } body)
            {
                await BusyAsync(context).ConfigureAwait(false);
                return;
            }
            var places = BodyEvents.Find(body, kind, collector.Options.MaxDepth, collector.Options.MaxEvents, out var unread);
            if (await IsRefusedAsync(context, places, unread).ConfigureAwait(false)) return;
            handed = true;
            await AnswerAsync(context, await collector.TakeAsync(source, body, places!, kind == BodyKind.Lines, null, share,
                context.RequestAborted).ConfigureAwait(false)).ConfigureAwait(false);
        }
        finally
        {
            if (!handed) share.Dispose();
        }
    }

    private async Task<bool> IsRefusedAsync(HttpContext context, List<Range>? places, string fault)
    {
        if (places is null)
            await Problems.RefuseAsync(context, StatusCodes.Status400BadRequest, "malformed", fault).ConfigureAwait(false);
        else if (places.Count == 0)
            await Problems.RefuseAsync(context, StatusCodes.Status400BadRequest, "empty", "There is no event in the body.")
                .ConfigureAwait(false);
        else if (places.Count > collector.Options.MaxEvents)
            await Problems.RefuseAsync(context, StatusCodes.Status413PayloadTooLarge, "too_many",
                $"There are more than {collector.Options.MaxEvents} events in the body: send them in several requests.")
                .ConfigureAwait(false);
        else return false;
        return true;
    }

    private static Task AnswerAsync(HttpContext context, (WriteOutcome Outcome, Collected Events) taken) => taken.Outcome switch
    {
        WriteOutcome.Full => BusyAsync(context),
        WriteOutcome.Unknown => AwayAsync(context),
        WriteOutcome.NoSchema => AwayAsync(context, "schema", "The schema registry does not answer: send this again later."),
        _ when taken.Events.AllRejected => Problems.Of(StatusCodes.Status400BadRequest, "No event could be taken.",
            new Dictionary<string, object?>
            {
                ["reason"] = "events",
                ["errors"] = taken.Events.Errors.Take(MostTold),
                ["more_errors"] = Math.Max(0, taken.Events.Errors.Count - MostTold),
            }).ExecuteAsync(context),
        _ => Results.Json(Show(taken.Events), Json, statusCode: StatusCodes.Status202Accepted).ExecuteAsync(context),
    };

    /// <summary>What became of each event, and why some were not taken.</summary>
    public static CollectedAnswer Show(Collected events) => new(events.Count(EventOutcome.Accepted), events.Count(EventOutcome.Duplicate),
        events.Count(EventOutcome.NoConsent), events.Errors.Count, [.. events.Outcomes.Select(o => Spelling.Snake(o.ToString()))],
        events.Errors.Count == 0 ? null : [.. events.Errors.Take(MostTold)]);

    /// <summary>There is no room now.</summary>
    public static Task BusyAsync(HttpContext context) => Problems.BusyAsync(context, "full",
        "The log takes events more slowly than they come: send this again later.");

    /// <summary>Nobody knows yet.</summary>
    public static Task AwayAsync(HttpContext context, string reason = "log",
        string detail = "The log did not confirm the events in time. Send them again with the same ids: they are written once.")
    {
        context.Response.Headers.RetryAfter = "5";
        return Problems.RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, reason, detail);
    }

    /// <summary>A page that is none of the source's.</summary>
    public static Task RefuseOriginAsync(HttpContext context) => Problems.RefuseAsync(context, StatusCodes.Status403Forbidden, "origin",
        "Pages of this origin may not write here: add it to the source's origins.");

    private static BodyKind? KindOf(HttpRequest request, SourceIntake source)
    {
        var type = request.ContentType?.Split(';')[0].Trim().ToLowerInvariant();
        return type switch
        {
            "application/json" or "text/plain" when source.IsJson => BodyKind.Json,
            "application/x-ndjson" or "application/ndjson" or "application/jsonl" or "application/x-jsonlines" when source.IsJson =>
                BodyKind.Lines,
            "application/avro" or "avro/binary" or "application/vnd.apache.avro" or "application/octet-stream" when !source.IsJson =>
                BodyKind.Avro,
            _ => null,
        };
    }
}
