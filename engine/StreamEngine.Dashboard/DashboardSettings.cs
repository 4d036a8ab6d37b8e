using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Dashboard;

/// <summary>What the dashboard shows: a running engine and what the process knows around it.</summary>
public sealed record DashboardSettings
{
    /// <summary>The engine's name.</summary>
    public required string Name { get; init; }

    /// <summary>The engine.</summary>
    public required Engine Engine { get; init; }

    /// <summary>The compiled config.</summary>
    public required CompiledEngine Compiled { get; init; }

    /// <summary>How to read profiles; null where the config takes no requests.</summary>
    public ICustomerGateway? Customers { get; init; }

    /// <summary>How to watch customers; null where the config takes no requests.</summary>
    public ICustomerFeed? Feed { get; init; }

    /// <summary>How the process is.</summary>
    public required Func<ProcessHealth> Health { get; init; }

    /// <summary>Members and shards of the cluster; null where there is none.</summary>
    public Func<Task<ClusterOverview>>? Cluster { get; init; }

    /// <summary>Opens the newest records of an output; null where the config writes none of that kind.</summary>
    public required Func<RecordKind, NewestReader?> OpenNewest { get; init; }

    /// <summary>Tells why a decision came out as it did, by its id; null where nothing can.</summary>
    public Func<string, CancellationToken, Task<DecisionWhy>>? Why { get; init; }

    /// <summary>What a demo lets its user try; none elsewhere.</summary>
    public IReadOnlyList<Trial> Trials { get; init; } = [];

    /// <summary>How to send what partners refused once more; null where the config has no connector.</summary>
    public ReplayControl? Replay { get; init; }

    /// <summary>Whether who looks has logged in with a key, and can log out.</summary>
    public bool HasKeys { get; init; }

    /// <summary>The most browsers' pages that are connected at once.</summary>
    public int MostCircuits { get; init; } = 50;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>How the process is.</summary>
/// <param name="Status">In a word: ready, restoring, waiting, stalled, joining, stopped.</param>
/// <param name="Ready">Whether it can work.</param>
/// <param name="Workers">How many workers have joined.</param>
/// <param name="Restoring">Shards that are being restored, with their progress from 0 to 1.</param>
/// <param name="Away">What does not answer, in sentences.</param>
public sealed record ProcessHealth(string Status, bool Ready, int Workers, IReadOnlyDictionary<int, double> Restoring,
    IReadOnlyList<string> Away);

/// <summary>The cluster as this process sees it.</summary>
/// <param name="Node">This process's node.</param>
/// <param name="Status">starting, joining, up, leaving, stopped.</param>
/// <param name="OwnersKnown">Whether Kafka's group has told who owns which shard.</param>
/// <param name="Members">The members.</param>
/// <param name="Shards">All shards.</param>
public sealed record ClusterOverview(string Node, string Status, bool OwnersKnown, IReadOnlyList<ClusterMember> Members,
    IReadOnlyList<ClusterShard> Shards);

/// <summary>A member.</summary>
/// <param name="Node">Its name.</param>
/// <param name="Address">Its address.</param>
/// <param name="Status">As Akka has it.</param>
/// <param name="Reachable">Whether it is heard.</param>
/// <param name="Leader">Whether it is the leader.</param>
/// <param name="Seen">For how long it has been seen.</param>
public sealed record ClusterMember(string Node, string Address, string Status, bool Reachable, bool Leader, TimeSpan Seen);

/// <summary>A shard.</summary>
/// <param name="Partition">Its partition.</param>
/// <param name="Owner">Who owns it by Kafka's group; null where that is not known.</param>
/// <param name="Location">Where its requests are sent; null where that is not known.</param>
/// <param name="Lag">Records that are not committed yet; null where its node does not answer.</param>
/// <param name="Restoring">How far its restore is; null where it is restored.</param>
public sealed record ClusterShard(int Partition, string? Owner, string? Location, long? Lag, double? Restoring);

/// <summary>Records that the dashboard can show.</summary>
public enum RecordKind
{
    /// <summary>Decision records.</summary>
    Decision,

    /// <summary>Rejected records.</summary>
    DeadLetter,
}

/// <summary>Reads the newest records of an output; used by one thread at a time.</summary>
/// <param name="read">Reads that many, the newest last, each as one JSON object.</param>
/// <param name="close">Ends it.</param>
public sealed class NewestReader(Func<int, IReadOnlyList<string>> read, Action close) : IDisposable
{
    /// <summary>The newest records, the newest last, each as one JSON object.</summary>
    public IReadOnlyList<string> Read(int count) => read(count);

    /// <inheritdoc/>
    public void Dispose() => close();
}

/// <summary>Something that a demo's user can try out.</summary>
/// <param name="Title">What the button says.</param>
/// <param name="Text">What happens then, and where to look.</param>
/// <param name="Start">Does it; it ends by itself. Returns what it did in a sentence.</param>
public sealed record Trial(string Title, string Text, Func<string> Start);
