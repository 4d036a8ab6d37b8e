using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Tests.Simulation;

/// <summary>The process died here: thrown through the worker, which is then forgotten as it stands.</summary>
internal sealed class SimCrash : Exception;

/// <summary>A process with one worker. Several may have the same id: a restarted one, and the old one that is only thought dead.</summary>
internal sealed class SimProcess(string id, int version, Worker worker, ShardDirectory directory, EngineMetrics metrics,
    IReadOnlyList<CheckpointFiles> files)
{
    public string Id { get; } = id;

    /// <summary>The model that it scores with.</summary>
    public int Version { get; } = version;

    public Worker Worker { get; } = worker;

    /// <summary>The shards that it takes requests for.</summary>
    public ShardDirectory Directory { get; } = directory;

    /// <summary>Whether it is stopped without knowing it.</summary>
    public bool IsPaused { get; set; }

    /// <summary>Whether another was started with its id, because it was thought dead.</summary>
    public bool IsOvertaken { get; set; }

    /// <summary>Whether it is in the middle of a turn, waiting for others that go on meanwhile.</summary>
    public bool IsBusy { get; set; }

    /// <summary>What it knows to be switched off; null where nothing ever is.</summary>
    public SwitchBoard? Board { get; init; }

    /// <summary>How many records of the control topic it has read.</summary>
    public int Heard { get; set; }

    /// <summary>The table as it knows it.</summary>
    public required TableBoard Tables { get; init; }

    /// <summary>Whether it follows the table far behind others.</summary>
    public bool IsSlowReader { get; init; }

    /// <summary>How many records of the table's topic it has read.</summary>
    public int Rows { get; set; }

    /// <summary>The shared numbers as it knows them; null where there are none.</summary>
    public SharedBoard? Shared { get; init; }

    /// <summary>How far it has read their topic.</summary>
    public long SharedPosition { get; set; }

    /// <summary>Its standbys; null where it keeps none.</summary>
    public Standbys? Standbys { get; init; }

    /// <summary>Whether its standbys are in the middle of a turn: a thread of their own, so its worker goes on meanwhile.</summary>
    public bool IsFollowing { get; set; }

    /// <summary>A turn of its standbys.</summary>
    public void Follow() => Standbys!.Turn();

    /// <summary>Takes it away as it stands: nothing of it may reach the log any more.</summary>
    public void Forget()
    {
        metrics.Dispose();
        foreach (var file in files) file.Dispose(); // frees the locks, as the end of a process does
        if (Standbys is not null) SimDisk.Untouched(files, Standbys.Dispose);
    }

    /// <summary>The checkpoint files that it had open.</summary>
    public IReadOnlyList<CheckpointFiles> Files => files;
}
