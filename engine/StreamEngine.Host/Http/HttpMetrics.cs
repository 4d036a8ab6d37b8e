using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using StreamEngine.Configuration;
using StreamEngine.Host.Rpc;
using StreamEngine.Telemetry;

namespace StreamEngine.Host.Http;

/// <summary>
/// Counts requests by endpoint and status, and the refused ones by reason; sets the headers that keep a browser from reading anything into
/// an answer, and gives every error a body, also those that nobody has foreseen, which it tells to the log.
/// </summary>
/// <param name="say">Told of failures, at most once a minute; null where nobody reads it.</param>
internal sealed class HttpMetrics(Action<string>? say = null)
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromMinutes(1);

    // The process's: where one of two meters of a name ends, OpenTelemetry forgets what both of them counted.
    private static readonly Meter Meter = EngineMeter.Create();
    private static readonly Counter<long> Requests = Meter.CreateCounter<long>("streamengine.http.requests", "{request}",
        "HTTP requests, by endpoint and status.");
    private static readonly Counter<long> Refused = Meter.CreateCounter<long>("streamengine.http.refused", "{request}",
        "HTTP requests that were refused before anything was done for them, by reason.");
    private static readonly Counter<long> Calls = Meter.CreateCounter<long>("streamengine.grpc.calls", "{call}",
        "gRPC calls, by method and code.");

    private readonly Lock _telling = new();
    private long _told;
    private int _untold;

    /// <summary>Counts a refusal.</summary>
    public void Refuse(string reason) => Refused.Add(1, new KeyValuePair<string, object?>("reason", reason));

    /// <summary>The outermost step of every request.</summary>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        context.Features.Set(this);
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
        if (context.Request.IsHttps) headers.StrictTransportSecurity = "max-age=31536000";
        // The names of what can be asked for are few; those that callers make up are not.
        var endpoint = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "none";
        var isPacked = PackedBody.IsSaid(context.Request);
        int? status = null;
        try
        {
            await next(context).ConfigureAwait(false);
            if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentType: null, ContentLength: null })
                await Problems.Of(context.Response.StatusCode, "").ExecuteAsync(context).ConfigureAwait(false);
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            await Problems.RefuseAsync(context, e.StatusCode, e.StatusCode == StatusCodes.Status413PayloadTooLarge ? "too_large"
                : "bad_request", e.Message).ConfigureAwait(false);
        }
        catch (Exception e) when (isPacked && PackedBody.IsBroken(e) && !context.Response.HasStarted)
        {
            await Problems.RefuseAsync(context, StatusCodes.Status400BadRequest, "malformed",
                "The body can't be unpacked: it is not what its Content-Encoding says, or ends early.").ConfigureAwait(false);
        }
        catch (Exception e) when (IsCallersEnd(context, e))
        {
            status = StatusCodes.Status499ClientClosedRequest; // nobody hears it: the status is for the metric
            throw;
        }
        catch (Exception e) when (e is not BadHttpRequestException)
        {
            status = StatusCodes.Status500InternalServerError;
            Tell(endpoint, e);
            await FailAsync(context).ConfigureAwait(false);
        }
        finally
        {
            if (RpcFaults.IsCall(context.Request)) CountCall(context, endpoint);
            Requests.Add(1, new("endpoint", endpoint),
                new("status", (status ?? context.Response.StatusCode).ToString(CultureInfo.InvariantCulture)));
        }
    }

    /// <summary>Whether a request ended because its caller went away.</summary>
    private static bool IsCallersEnd(HttpContext context, Exception e) =>
        e is ConnectionResetException or ConnectionAbortedException or WebSocketException
        || context.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException;

    /// <summary>Answers a request that failed; one whose answer has begun is cut, so that its caller does not take it for whole.</summary>
    private static Task FailAsync(HttpContext context)
    {
        const string Detail = "The request failed for a reason that lies here: the log of the engine names it.";
        if (context.Response.HasStarted)
        {
            context.Abort();
            return Task.CompletedTask;
        }
        context.Response.ContentLength = null;
        return RpcFaults.IsCall(context.Request)
            ? RpcFaults.AnswerAsync(context, StatusCodes.Status500InternalServerError, "internal", Detail)
            : Problems.Of(StatusCodes.Status500InternalServerError, Detail, new Dictionary<string, object?> { ["reason"] = "internal" })
                .ExecuteAsync(context);
    }

    /// <summary>A line for the log: what failed and by which kind of failure, and nothing of what the caller sent.</summary>
    private void Tell(string endpoint, Exception e)
    {
        int others;
        lock (_telling)
        {
            if (_told != 0 && TimeProvider.System.GetElapsedTime(_told) < BetweenLines)
            {
                _untold++;
                return;
            }
            (others, _untold, _told) = (_untold, 0, TimeProvider.System.GetTimestamp());
        }
        say?.Invoke($"a request to {endpoint} failed with {e.GetType().Name}{(others == 0 ? "" : $", and {others} others since the last "
            + "such line")}; it was answered with 500");
    }

    /// <summary>A call's code stands behind its answer, or before it where nothing else is answered.</summary>
    private void CountCall(HttpContext context, string endpoint)
    {
        var code = context.Features.Get<IHttpResponseTrailersFeature>()?.Trailers["grpc-status"].ToString() is { Length: > 0 } behind
            ? behind : context.Response.Headers["grpc-status"].ToString();
        Calls.Add(1, new("method", endpoint), new("code", !int.TryParse(code, CultureInfo.InvariantCulture, out var number) ? "none"
            : number == 0 ? "ok" : Spelling.Snake(((Grpc.Core.StatusCode)number).ToString())));
    }
}
