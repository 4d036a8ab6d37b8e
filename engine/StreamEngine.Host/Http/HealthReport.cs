using StreamEngine.Runtime;

namespace StreamEngine.Host.Http;

/// <summary>Whether the engine can work, how far the shards are that can't yet, and whether its workers move.</summary>
/// <param name="Ready">Whether every shard that this process owns is restored, no worker stands still, and nothing is waited for.</param>
/// <param name="Restoring">The shards that are being restored, by partition.</param>
/// <param name="Workers">The workers that have joined.</param>
/// <param name="Away">What the workers depend on and what does not answer.</param>
/// <param name="Cluster">This node in the cluster; null where there is none.</param>
/// <param name="Tables">The tables that are topics; null where the config has none.</param>
internal sealed record HealthReport(bool Ready, IReadOnlyList<ShardHealth> Restoring, IReadOnlyList<WorkerTurn> Workers,
    IReadOnlyList<AwayHealth> Away, ClusterHealth? Cluster = null, IReadOnlyList<TableNumbers>? Tables = null)
{
    /// <summary>In a word.</summary>
    public string Status => Ready ? "ready" : Workers.Any(w => w.StandsStill) ? "stalled" : Away.Count > 0 ? "waiting"
        : Restoring.Count > 0 ? "restoring" : Cluster is { IsUp: false, Required: true } ? "joining" : "stopped";
}

/// <summary>Something that is waited for.</summary>
/// <param name="Dependency">What it is: <c>schema-registry</c> or <c>log</c>.</param>
/// <param name="Seconds">For how long.</param>
/// <param name="Reason">What it said, or why it could not be asked.</param>
internal sealed record AwayHealth(string Dependency, double Seconds, string Reason);

/// <summary>How this node stands to the cluster.</summary>
/// <param name="Status">starting, joining, up, leaving, stopped.</param>
/// <param name="Required">Whether readiness needs it to be up.</param>
/// <param name="Members">How many members it sees.</param>
/// <param name="Unreachable">The addresses of those that are not heard.</param>
/// <param name="Reason">Why it is not up, where that has been found.</param>
internal sealed record ClusterHealth(string Status, bool Required, int Members, IReadOnlyList<string> Unreachable, string Reason)
{
    /// <summary>Whether it is a member.</summary>
    public bool IsUp => Status == "up";
}

/// <summary>One shard's restore.</summary>
/// <param name="Partition">The partition it owns.</param>
/// <param name="Progress">From 0 to 1.</param>
internal sealed record ShardHealth(int Partition, double Progress);
