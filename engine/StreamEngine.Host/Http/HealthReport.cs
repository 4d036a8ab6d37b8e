using StreamEngine.Runtime;

namespace StreamEngine.Host.Http;

/// <summary>Whether the engine can work, how far the shards are that can't yet, and whether its workers move.</summary>
/// <param name="Ready">Whether every shard that this process owns is restored, and no worker stands still.</param>
/// <param name="Restoring">The shards that are being restored, by partition.</param>
/// <param name="Workers">The workers that have joined.</param>
internal sealed record HealthReport(bool Ready, IReadOnlyList<ShardHealth> Restoring, IReadOnlyList<WorkerTurn> Workers)
{
    /// <summary>In a word.</summary>
    public string Status => Ready ? "ready" : Workers.Any(w => w.StandsStill) ? "stalled" : Restoring.Count > 0 ? "restoring" : "stopped";
}

/// <summary>One shard's restore.</summary>
/// <param name="Partition">The partition it owns.</param>
/// <param name="Progress">From 0 to 1.</param>
internal sealed record ShardHealth(int Partition, double Progress);
