using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http;
using StreamEngine.Host.Http.Security;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Live;

/// <summary>A token for a page.</summary>
/// <param name="Token">The token.</param>
/// <param name="ExpiresAt">When it ends, and a stream with it.</param>
/// <param name="Stream">The stream's address at this server, with the token.</param>
internal sealed record TokenAnswer(string Token, string ExpiresAt, string Stream);

/// <summary>
/// <c>GET /v1/customers/{id}/stream</c>, as server-sent events, or as a WebSocket where the request asks for that, and <c>POST
/// /v1/customers/{id}/token</c>, by which a shop's server lets the page of one customer listen.
/// </summary>
internal sealed class LiveEndpoints(LiveStreams live)
{
    private const string Token = "token";
    private const string LastId = "last_event_id";
    private const int LongestLastId = 1_024;

    /// <summary>Adds them.</summary>
    public static void Map(WebApplication app, LiveStreams live)
    {
        var all = new LiveEndpoints(live);
        app.MapGet("/v1/customers/{id}/stream", (Delegate)all.StreamAsync).WithMetadata(new Demand(Scope.Read, FromPages: true)
        {
            TokenParameter = Token,
            Origins = live.Options.Origins,
        }).Told("customers", "stream", "The customer's live stream, as server-sent events or, where the request upgrades, a WebSocket.",
                400, 503)
            .WithMetadata(new RequestDescription([], null, (Token, "A token of the customer, instead of a key."),
                (LastId, "The id of the event behind which to resume; `-` for all decisions that are kept.")))
            .Produces<string>(StatusCodes.Status200OK, "text/event-stream");
        app.MapMethods("/v1/customers/{id}/stream", [HttpMethods.Options], all.Preflight)
            .WithMetadata(new Demand(null, FromPages: true) { Origins = live.Options.Origins, WithoutCertificate = true });
        app.MapPost("/v1/customers/{id}/token", (Delegate)all.MakeToken).Needs(Scope.Read).Produces<TokenAnswer>()
            .Told("customers", "token", "A token that lets a page listen to this customer for a while.", 400);
        app.Lifetime.ApplicationStopping.Register(live.Close);
    }

    private IResult MakeToken(HttpContext context, string id)
    {
        id = RawPath.Id(context, CustomerEndpoints.Path, "/token", id);
        if (FaultOf(id) is { } fault) return Problems.Of(StatusCodes.Status400BadRequest, fault);
        var until = live.Time.GetUtcNow() + live.Options.TokenLifetime;
        var token = live.Tokens.Make(id, until);
        return Results.Json(new TokenAnswer(token, CustomerEndpoints.Text(DateTimeOffset.FromUnixTimeSeconds(until.ToUnixTimeSeconds())),
            $"/v1/customers/{Uri.EscapeDataString(id)}/stream?{Token}={token}"), CustomerEndpoints.Json);
    }

    private Task Preflight(HttpContext context)
    {
        if (!PageOrigins.Allow(context, live.Options.Origins)) return RefuseOriginAsync(context);
        PageOrigins.Preflight(context, HttpMethods.Get, $"authorization, last-event-id, cache-control, {PresentedKey.Header}");
        return Task.CompletedTask;
    }

    private async Task StreamAsync(HttpContext context, string id)
    {
        id = RawPath.Id(context, CustomerEndpoints.Path, "/stream", id);
        var request = context.Request;
        if (!PageOrigins.Allow(context, live.Options.Origins))
        {
            await RefuseOriginAsync(context).ConfigureAwait(false);
            return;
        }
        DateTimeOffset? until = null;
        if (request.Query.TryGetValue(Token, out var token)
            && (until = live.Tokens.Verify(token.ToString(), id, live.Time.GetUtcNow())) is null)
        {
            await Problems.RefuseAsync(context, StatusCodes.Status401Unauthorized, Token,
                $"This token is not one for this customer, or its time is over: get one with POST /v1/customers/ID/{Token}.")
                .ConfigureAwait(false);
            return;
        }
        var last = request.Query.TryGetValue(LastId, out var asked) ? asked.ToString() : null;
        // A client that connects again by itself says it in the header; its address still has what it began with.
        if (request.Headers.TryGetValue("Last-Event-ID", out var resumed)) last = resumed.ToString();
        if ((FaultOf(id) ?? (last?.Length > LongestLastId || last?.Any(char.IsControl) == true
            ? "The last event's id is none of ours." : null)) is { } fault)
        {
            await Problems.RefuseAsync(context, StatusCodes.Status400BadRequest, "bad_request", fault).ConfigureAwait(false);
            return;
        }
        var (listener, limit) = live.Open(id, until, context.Abort);
        if (listener is null) await RefuseLimitAsync(context, limit).ConfigureAwait(false);
        else if (context.WebSockets.IsWebSocketRequest) await ServeSocketAsync(context, listener, last).ConfigureAwait(false);
        else
            await live.ServeAsync(listener, new EventStreamSink(context.Response), last is "" ? null : last, context.RequestAborted)
                .ConfigureAwait(false);
    }

    private async Task ServeSocketAsync(HttpContext context, LiveListener listener, string? last)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
        {
            KeepAliveInterval = live.Options.Heartbeat,
            KeepAliveTimeout = live.Options.Patience,
        }).ConfigureAwait(false);
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        var reading = ReadToEndAsync(socket, gone);
        await live.ServeAsync(listener, new WebSocketSink(socket), last is "" ? null : last, gone.Token).ConfigureAwait(false);
        // A stream that ended in order waits for the other side's word, for as long as a listener may take; else the socket is just closed.
        if (socket.State == WebSocketState.CloseSent) gone.CancelAfter(live.Options.Patience);
        else await gone.CancelAsync().ConfigureAwait(false);
        await reading.ConfigureAwait(false);
        if (socket.State == WebSocketState.CloseReceived)
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>Reads until the other side closes; what it says is not looked at.</summary>
    private static async Task ReadToEndAsync(WebSocket socket, CancellationTokenSource gone)
    {
        var ignored = new byte[256];
        try
        {
            while ((await socket.ReceiveAsync(ignored.AsMemory(), gone.Token).ConfigureAwait(false)).MessageType
                != WebSocketMessageType.Close) { }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // It has gone without a word.
        }
        await gone.CancelAsync().ConfigureAwait(false);
    }

    private static Task RefuseLimitAsync(HttpContext context, string limit)
    {
        if (limit == "customer")
            return Problems.BusyAsync(context, "listeners", "The customer has as many listeners as one may have: close one first.");
        context.Response.Headers.RetryAfter = "5";
        return Problems.RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "listeners",
            "There are as many listeners as this process may have: ask another one, or again later.");
    }

    private static Task RefuseOriginAsync(HttpContext context) => Problems.RefuseAsync(context, StatusCodes.Status403Forbidden, "origin",
        "Pages of this origin may not listen: add it to live.origins.");

    private static string? FaultOf(string id) => Encoding.UTF8.GetByteCount(id) <= Shard.MaxIdBytes ? null
        : $"The customer id has more than {Shard.MaxIdBytes} bytes.";
}
