using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http.Security;

namespace StreamEngine.Host.Http;

/// <summary>The cluster as one of its processes sees it.</summary>
/// <param name="Engine">The engine's name.</param>
/// <param name="Node">The process's node.</param>
/// <param name="Address">Its address in the cluster.</param>
/// <param name="Status">starting, joining, up, leaving, stopped.</param>
/// <param name="Leader">The leader's address; null while there is none.</param>
/// <param name="OwnersKnown">Whether Kafka's group has told who owns which shard: not while it changes, or does not answer.</param>
/// <param name="LocationsKnown">Whether this process knows where requests are sent.</param>
/// <param name="Members">The members, by address.</param>
/// <param name="Shards">The shards, by partition.</param>
internal sealed record ClusterReport(string Engine, string Node, string Address, string Status, string? Leader, bool OwnersKnown,
    bool LocationsKnown, IReadOnlyList<MemberReport> Members, IReadOnlyList<ShardReport> Shards);

/// <summary>A member.</summary>
/// <param name="Node">The node's name.</param>
/// <param name="Address">Its address.</param>
/// <param name="Status">As Akka has it: joining, weakly_up, up, leaving, exiting, down.</param>
/// <param name="Reachable">Whether it is heard.</param>
/// <param name="Leader">Whether it is the leader.</param>
/// <param name="Roles">Its roles.</param>
/// <param name="SeenSeconds">For how long the asked process has seen it.</param>
internal sealed record MemberReport(string Node, string Address, string Status, bool Reachable, bool Leader, IReadOnlyList<string> Roles,
    double SeenSeconds);

/// <summary>A shard.</summary>
/// <param name="Partition">Its partition.</param>
/// <param name="Owner">The node whose worker owns it, by Kafka's group; null where nobody does or it is not known.</param>
/// <param name="Location">The node that its requests are sent to, by Akka; null where there is none or it is not known.</param>
/// <param name="Differs">Whether the two are known and not the same.</param>
/// <param name="Lag">Records that are not committed yet; null where its node does not answer.</param>
/// <param name="Restoring">How far its restore is, from 0 to 1; null where it is restored, or its node does not answer.</param>
internal sealed record ShardReport(int Partition, string? Owner, string? Location, bool Differs, long? Lag, double? Restoring);

/// <summary><c>GET /cluster</c>: members and shards; 404 where the process is in no cluster. It tells of no customer.</summary>
internal static class ClusterEndpoint
{
    /// <summary>How a report is written and read.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    };

    /// <summary>Adds it.</summary>
    /// <param name="app">The endpoint.</param>
    /// <param name="engine">This engine's name.</param>
    /// <param name="report">Makes a report; null where there is no cluster.</param>
    public static void Map(WebApplication app, string engine, Func<Task<ClusterReport>>? report) =>
        app.MapGet("/cluster", async () => report is null
            ? Problems.Of(StatusCodes.Status404NotFound, "This process is in no cluster: its config has no section 'cluster'.",
                new Dictionary<string, object?> { ["reason"] = "no_cluster", ["engine"] = engine })
            : Results.Json(await report().ConfigureAwait(false), Json)).Needs(Scope.Read).Produces<ClusterReport>()
            .Told("operation", "cluster", "Members and shards of the cluster, as this process sees them.", 404);
}
