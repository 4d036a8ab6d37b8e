using Microsoft.AspNetCore.Http;
using StreamEngine.Host.Rpc;

namespace StreamEngine.Host.Http;

/// <summary>
/// Answers in the form of RFC 9457, problem details; calls of gRPC get the same by its own codes. No text in them repeats a key.
/// </summary>
internal static class Problems
{
    /// <summary>What a caller is told to wait before it asks again, seconds.</summary>
    private const string Again = "1";

    /// <summary>An answer with what is at fault.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="detail">What is at fault, and what to do.</param>
    /// <param name="more">Further members.</param>
    public static IResult Of(int status, string detail, IDictionary<string, object?>? more = null) =>
        Results.Problem(detail, statusCode: status, extensions: more);

    /// <summary>Refuses a request, and counts that.</summary>
    /// <param name="context">The request.</param>
    /// <param name="status">The HTTP status.</param>
    /// <param name="reason">A word for the metric.</param>
    /// <param name="detail">What is at fault, and what to do.</param>
    public static Task RefuseAsync(HttpContext context, int status, string reason, string detail)
    {
        context.Features.Get<HttpMetrics>()?.Refuse(reason);
        if (RpcFaults.IsCall(context.Request)) return RpcFaults.AnswerAsync(context, status, reason, detail);
        return Of(status, detail, new Dictionary<string, object?> { ["reason"] = reason }).ExecuteAsync(context);
    }

    /// <summary>Refuses a request that may be made again later, with <c>Retry-After</c>.</summary>
    public static Task BusyAsync(HttpContext context, string reason, string detail)
    {
        context.Response.Headers.RetryAfter = Again;
        return RefuseAsync(context, StatusCodes.Status429TooManyRequests, reason, detail);
    }
}
