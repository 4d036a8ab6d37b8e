using StreamEngine.Connectors;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>Where a worker's shards keep their checkpoints.</summary>
internal static class ShardCheckpoints
{
    /// <summary>Opens the shard's files, where there is a place for them, and lets it keep checkpoints in them and in the topic.</summary>
    public static void Keep(Shard shard, WorkerSettings settings)
    {
        CheckpointFiles? files = null;
        try
        {
            files = settings.OpenCheckpoints?.Invoke(shard.Partition, e => Told(shard, e, settings.Report));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            settings.Report(new WorkerEvent(true, $"Shard {shard.Partition} keeps no checkpoint files: {e.Message}"));
        }
        if (files is null && settings.Engine.Outputs.Checkpoints < 0) return;
        var decisions = new TopicPartition(settings.Engine.Options.Outputs.Decisions, shard.Partition);
        shard.KeepCheckpoints(files, settings.SliceBytes, () => settings.InBackground(() => settings.Log.Watermarks(decisions).High));
    }

    /// <summary>On the files' thread.</summary>
    private static void Told(Shard shard, CheckpointEvent e, Action<WorkerEvent> report)
    {
        shard.Counters.CheckpointBytes = e.Bytes;
        if (e.Marker is { } cut)
        {
            shard.Counters.Checkpoints++;
            shard.Counters.CheckpointAt = cut.CreatedAt;
            return;
        }
        shard.Counters.CheckpointsFailed++;
        report(new WorkerEvent(true, $"Shard {shard.Partition} writes no further checkpoints until it is opened again: "
            + $"{e.Failure!.Message}"));
    }
}
