using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using StreamEngine.Configuration;
using StreamEngine.Host.Rpc;
using StreamEngine.Telemetry;

namespace StreamEngine.Host.Http;

/// <summary>
/// Counts requests by endpoint and status, and the refused ones by reason; sets the headers that keep a browser from reading anything into
/// an answer, and gives every error a body.
/// </summary>
internal sealed class HttpMetrics
{
    // The process's: where one of two meters of a name ends, OpenTelemetry forgets what both of them counted.
    private static readonly Meter Meter = EngineMeter.Create();
    private static readonly Counter<long> Requests = Meter.CreateCounter<long>("streamengine.http.requests", "{request}",
        "HTTP requests, by endpoint and status.");
    private static readonly Counter<long> Refused = Meter.CreateCounter<long>("streamengine.http.refused", "{request}",
        "HTTP requests that were refused before anything was done for them, by reason.");
    private static readonly Counter<long> Calls = Meter.CreateCounter<long>("streamengine.grpc.calls", "{call}",
        "gRPC calls, by method and code.");

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
        finally
        {
            if (RpcFaults.IsCall(context.Request)) CountCall(context, endpoint);
            Requests.Add(1, new("endpoint", endpoint),
                new("status", context.Response.StatusCode.ToString(CultureInfo.InvariantCulture)));
        }
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
