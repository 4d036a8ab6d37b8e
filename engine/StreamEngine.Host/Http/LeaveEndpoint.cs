using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http.Security;

namespace StreamEngine.Host.Http;

/// <summary>Asks a process to leave its group for good and end.</summary>
/// <param name="Engine">The engine that is meant; another one refuses.</param>
internal sealed record LeaveRequest(string Engine);

/// <summary>What a process that left has handed over.</summary>
/// <param name="Engine">The engine's name.</param>
/// <param name="Node">The node that left.</param>
/// <param name="Partitions">Partitions of the shards it owned.</param>
/// <param name="Error">Why it did not end well; null where it did.</param>
internal sealed record LeaveReply(string Engine, string Node, IReadOnlyList<int> Partitions, string? Error = null);

/// <summary>
/// <c>POST /leave</c>: from this machine only, and as JSON, which a page in a browser can't send here unasked. Answers once everything is
/// committed and the group is left: 200 with what was handed over, 403 to other machines, 409 where another engine is meant, 500 where a
/// worker failed on the way.
/// </summary>
internal static class LeaveEndpoint
{
    /// <summary>Adds it.</summary>
    /// <param name="app">The endpoint.</param>
    /// <param name="engine">This engine's name.</param>
    /// <param name="leave">Leaves, and says what was handed over.</param>
    public static void Map(WebApplication app, string engine, Func<Task<LeaveReply>> leave) =>
        app.MapPost("/leave", async (HttpContext context, LeaveRequest request) =>
    {
        if (!IsThisMachine(context.Connection.RemoteIpAddress, context.Connection.LocalIpAddress))
            return Problems.Of(StatusCodes.Status403Forbidden, "Only this machine may end the process: run 'streamengine leave' there.");
        if (request.Engine != engine) return Results.Json(new LeaveReply(engine, "", []), statusCode: StatusCodes.Status409Conflict);
        var reply = await leave().ConfigureAwait(false);
        return Results.Json(reply, statusCode: reply.Error is null ? StatusCodes.Status200OK : StatusCodes.Status500InternalServerError);
    }).Needs(Scope.Admin).Produces<LeaveReply>().Produces<LeaveReply>(409).Produces<LeaveReply>(500)
        .Told("operation", "leave", "Hands this process's shards over and ends it; from this machine only.");

    /// <summary>From a loopback address, or from the very address that was called.</summary>
    internal static bool IsThisMachine(IPAddress? remote, IPAddress? local) =>
        remote is not null && (IPAddress.IsLoopback(remote) || remote.Equals(local));
}
