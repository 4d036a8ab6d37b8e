namespace StreamEngine.Host.Http;

/// <summary>Whether the engine can work, and how far the shards are that can't yet.</summary>
/// <param name="Ready">Whether every shard that this process owns is restored.</param>
/// <param name="Restoring">The shards that are being restored, by partition.</param>
internal sealed record HealthReport(bool Ready, IReadOnlyList<ShardHealth> Restoring);

/// <summary>One shard's restore.</summary>
/// <param name="Partition">The partition it owns.</param>
/// <param name="Progress">From 0 to 1.</param>
internal sealed record ShardHealth(int Partition, double Progress);
