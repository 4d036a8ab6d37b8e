using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http;
using StreamEngine.Host.Http.Security;

namespace StreamEngine.Host.Collector;

/// <summary>
/// Segment's HTTP tracking API: one call an address (<c>/v1/track</c>, ...) or many (<c>/v1/batch</c>), the key as the user of Basic
/// authentication or as <c>writeKey</c> in the body, as its newer SDKs have it. What its SDKs send is made as Segment's own servers make it
/// (<see cref="SegmentCall"/>) and goes the way of all collected events. The answer is 200 with <c>success</c>, which the SDKs look for.
/// </summary>
internal sealed class SegmentEndpoints(EventCollector collector, SourceIntake source)
{
    private const string Batch = "batch";

    private static readonly string[] Calls = ["track", "identify", "page", "screen", "group", "alias", Batch];

    /// <summary>Adds them, also under the short names that browsers' SDKs use.</summary>
    public static void Map(WebApplication app, EventCollector collector, SourceIntake source, Demand demand)
    {
        var all = new SegmentEndpoints(collector, source);
        demand = demand with { KeyInBody = true };
        foreach (var call in Calls)
            foreach (var name in new[] { call, call[..1] })
            {
                var post = app.MapPost($"/v1/{name}", (Delegate)((HttpContext context) =>
                    all.PostAsync(context, call == Batch ? null : call))).WithMetadata(demand);
                if (name == call)
                    post.WithMetadata(new RequestDescription(["application/json"])).Produces(200)
                        .Told("segment", call, "A call of Segment's HTTP tracking API.", 400, 413, 503);
                else post.ExcludeFromDescription();
                app.MapMethods($"/v1/{name}", [HttpMethods.Options], all.Preflight).IsPreflight();
            }
    }

    private Task Preflight(HttpContext context)
    {
        if (!Callers.Allow(context, [source])) return CollectorEndpoints.RefuseOriginAsync(context);
        PageOrigins.Preflight(context, HttpMethods.Post, "content-type, content-encoding, authorization");
        return Task.CompletedTask;
    }

    private async Task PostAsync(HttpContext context, string? call)
    {
        if (!Callers.Allow(context, [source]))
        {
            await CollectorEndpoints.RefuseOriginAsync(context).ConfigureAwait(false);
            return;
        }
        var share = collector.Memory.Open();
        var handed = false;
        try
        {
            if (await BodyReader.ReadAsync(context.Request, share, context.RequestAborted).ConfigureAwait(false) is not { } body)
            {
                await CollectorEndpoints.BusyAsync(context).ConfigureAwait(false);
                return;
            }
            var events = SegmentCall.Read(body, call, collector.Options, TimeProvider.System.GetUtcNow(), out var key, out var unread);
            if (!await IsAdmittedAsync(context, key).ConfigureAwait(false)) return;
            if (events is null)
            {
                await Problems.RefuseAsync(context, StatusCodes.Status400BadRequest, "malformed", unread).ConfigureAwait(false);
                return;
            }
            handed = true;
            var taken = await collector.TakeAsync(source, events.Bytes, events.Places, lines: false, events.Faults, share,
                context.RequestAborted).ConfigureAwait(false);
            await AnswerAsync(context, taken).ConfigureAwait(false);
        }
        finally
        {
            if (!handed) share.Dispose();
        }
    }

    /// <summary>Whether the caller may write the source, by the key that it sent before the body, or the body's own.</summary>
    private async Task<bool> IsAdmittedAsync(HttpContext context, string key)
    {
        if (context.Features.Get<Access>() is { } access)
        {
            if (!await access.AdmitAsync(context, key, shown: true, Scope.Collect).ConfigureAwait(false)) return false;
            using var lease = access.Limiter.AttemptAcquire(context);
            if (!lease.IsAcquired)
            {
                await Access.RefuseRateAsync(context).ConfigureAwait(false);
                return false;
            }
        }
        var (found, status, fault) = Callers.SourceOf(context, collector, source.Name);
        if (found is not null) return true;
        await Problems.RefuseAsync(context, status, "source", fault).ConfigureAwait(false);
        return false;
    }

    private static Task AnswerAsync(HttpContext context, (WriteOutcome Outcome, Collected Events) taken) => taken.Outcome switch
    {
        WriteOutcome.Full => CollectorEndpoints.BusyAsync(context),
        WriteOutcome.Unknown or WriteOutcome.NoSchema => CollectorEndpoints.AwayAsync(context),
        _ when taken.Events.AllRejected => Problems.Of(StatusCodes.Status400BadRequest, "No call could be taken.",
            new Dictionary<string, object?> { ["reason"] = "events", ["errors"] = taken.Events.Errors }).ExecuteAsync(context),
        _ => Results.Json(new { success = true, rejected = taken.Events.Errors.Count, errors = taken.Events.Errors },
            JsonSerializerOptions.Web).ExecuteAsync(context),
    };
}
