using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using StreamEngine.Configuration;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Host.Rpc;

/// <summary>
/// How calls are told that they are not served: a code, a sentence, and as details google.rpc.ErrorInfo with the word that HTTP has as
/// <c>reason</c>, and google.rpc.RetryInfo where the same call may be made again.
/// </summary>
internal static class RpcFaults
{
    /// <summary>The domain of all reasons.</summary>
    public const string Domain = "streamengine";

    private const string ContentType = "application/grpc";

    private static readonly Duration Again = new() { Seconds = 1 };

    /// <summary>Whether a request is a gRPC call.</summary>
    public static bool IsCall(Microsoft.AspNetCore.Http.HttpRequest request) =>
        request.ContentType?.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>A reply that has nothing but a status.</summary>
    /// <param name="reply">The reply.</param>
    /// <param name="requestId">The request's id; empty for a read.</param>
    public static RpcException Of(Reply reply, string requestId = "")
    {
        var code = reply.Status switch
        {
            RequestStatus.Invalid => StatusCode.InvalidArgument,
            RequestStatus.Forgotten => StatusCode.FailedPrecondition,
            RequestStatus.TimedOut => StatusCode.DeadlineExceeded,
            _ => StatusCode.Unavailable,
        };
        var status = Made(code, Spelling.Snake(reply.Status.ToString()), reply.Message, code == StatusCode.Unavailable,
            requestId.Length > 0 ? ("request_id", requestId) : null,
            reply.Status == RequestStatus.Restoring
                ? ("progress", reply.Progress.ToString("0.###", CultureInfo.InvariantCulture)) : null);
        return status.ToRpcException();
    }

    /// <summary>A request that is at fault.</summary>
    public static RpcException Invalid(string message) => Made(StatusCode.InvalidArgument, "invalid", message, false).ToRpcException();

    /// <summary>What this process does not serve, or has no room for.</summary>
    public static RpcException Refused(StatusCode code, string reason, string message) =>
        Made(code, reason, message, code is StatusCode.Unavailable or StatusCode.ResourceExhausted).ToRpcException();

    /// <summary>
    /// Answers a call that was refused before any service saw it. gRPC has its codes in HTTP's headers, and its HTTP status is 200.
    /// </summary>
    /// <param name="context">The call.</param>
    /// <param name="httpStatus">The status that another request would get.</param>
    /// <param name="reason">The word for it.</param>
    /// <param name="message">What is at fault, and what to do.</param>
    public static Task AnswerAsync(HttpContext context, int httpStatus, string reason, string message)
    {
        var code = httpStatus switch
        {
            StatusCodes.Status400BadRequest => StatusCode.InvalidArgument,
            StatusCodes.Status401Unauthorized => StatusCode.Unauthenticated,
            StatusCodes.Status403Forbidden => StatusCode.PermissionDenied,
            StatusCodes.Status404NotFound => StatusCode.Unimplemented,
            StatusCodes.Status413PayloadTooLarge or StatusCodes.Status429TooManyRequests => StatusCode.ResourceExhausted,
            StatusCodes.Status503ServiceUnavailable => StatusCode.Unavailable,
            _ => StatusCode.Internal,
        };
        var status = Made(code, reason, message, httpStatus is StatusCodes.Status429TooManyRequests
            or StatusCodes.Status503ServiceUnavailable);
        var response = context.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = ContentType;
        response.Headers["grpc-status"] = ((int)code).ToString(CultureInfo.InvariantCulture);
        response.Headers["grpc-message"] = Uri.EscapeDataString(message);
        response.Headers["grpc-status-details-bin"] = Convert.ToBase64String(status.ToByteArray()).TrimEnd('=');
        return response.CompleteAsync();
    }

    private static Google.Rpc.Status Made(StatusCode code, string reason, string message, bool again,
        params (string Name, string Value)?[] more)
    {
        var info = new ErrorInfo { Domain = Domain, Reason = reason.ToUpperInvariant() };
        foreach (var entry in more)
            if (entry is var (name, value)) info.Metadata[name] = value;
        var status = new Google.Rpc.Status { Code = (int)code, Message = message, Details = { Any.Pack(info) } };
        if (again) status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = Again }));
        return status;
    }
}
