using StreamEngine.Connectors;
using StreamEngine.Runtime.Requests;
using StreamEngine.State;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>What a worker needs from its surroundings.</summary>
public sealed record WorkerSettings
{
    /// <summary>The compiled config.</summary>
    public required CompiledEngine Engine { get; init; }

    /// <summary>The log it reads and writes.</summary>
    public required ILog Log { get; init; }

    /// <summary>Stable id of group, node and worker.</summary>
    public required string InstanceId { get; init; }

    /// <summary>Opens the state store of a shard.</summary>
    public required Func<int, IStateStore> OpenStore { get; init; }

    /// <summary>Opens the checkpoint files of a shard; null where none are kept.</summary>
    public Func<int, Action<CheckpointEvent>, CheckpointFiles>? OpenCheckpoints { get; init; }

    /// <summary>Where the worker's shards take requests; null where none are taken.</summary>
    public ShardDirectory? Directory { get; init; }

    /// <summary>What is switched off; null where nothing ever is.</summary>
    public SwitchBoard? Switches { get; init; }

    /// <summary>The tables that are topics; null where the config has none.</summary>
    public TableBoard? Tables { get; init; }

    /// <summary>The numbers that all shards share; null where the config shares none.</summary>
    public SharedBoard? Shared { get; init; }

    /// <summary>Tells what happens to single customers; null where no requests are taken.</summary>
    internal CustomerFeed? Feed { get; init; }

    /// <summary>Told of records that are rejected or misplaced; shared by an engine's workers.</summary>
    public SourceWatch? Watch { get; init; }

    /// <summary>The most bytes of profiles that a shard copies into one commit's slice of a checkpoint.</summary>
    public int SliceBytes { get; init; } = 256 << 10;

    /// <summary>The clock: of idleness and future bounds, and of the loop's own intervals.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// Runs what may wait for the log outside the loop's thread (a restore's first questions). A simulation gives one that runs nothing by
    /// itself.
    /// </summary>
    public TaskScheduler Background { get; init; } = TaskScheduler.Default;

    /// <summary>Starts a task there.</summary>
    internal Task<T> InBackground<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, Background);

    /// <summary>Told what happens outside the ordinary: rebalance, restore, abort.</summary>
    public Action<WorkerEvent> Report { get; init; } = _ => { };
}

/// <summary>Something worth a line in the log.</summary>
/// <param name="Warning">Whether somebody should look at it.</param>
/// <param name="Text">One sentence.</param>
public readonly record struct WorkerEvent(bool Warning, string Text);
