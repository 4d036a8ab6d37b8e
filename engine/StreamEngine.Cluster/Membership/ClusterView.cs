namespace StreamEngine.Cluster.Membership;

/// <summary>How this process stands to the cluster.</summary>
public enum ClusterPhase
{
    /// <summary>It prepares to join, for the first time or anew.</summary>
    Starting,

    /// <summary>It asks to be let in.</summary>
    Joining,

    /// <summary>It is a member.</summary>
    Up,

    /// <summary>It is leaving, as the process ends.</summary>
    Leaving,

    /// <summary>It has left.</summary>
    Stopped,
}

/// <summary>The cluster as this process sees it now.</summary>
/// <param name="Phase">How this process stands to it.</param>
/// <param name="Address">This node's address, <c>host:port</c>.</param>
/// <param name="Leader">The leader's address, which lets nodes in and out; null while there is none.</param>
/// <param name="Members">The members by address; none before this process has joined.</param>
public sealed record ClusterView(ClusterPhase Phase, string Address, string? Leader, IReadOnlyList<ClusterMember> Members)
{
    /// <summary>Whether this process is a member.</summary>
    public bool IsUp => Phase == ClusterPhase.Up;

    /// <summary>Members that are not heard, by address.</summary>
    public IEnumerable<string> Unreachable => Members.Where(m => !m.Reachable).Select(m => m.Address);
}

/// <summary>A member of the cluster.</summary>
/// <param name="Address">Its address, <c>host:port</c>.</param>
/// <param name="Name">The node's name.</param>
/// <param name="Roles">Its roles, but for the one that names it.</param>
/// <param name="Status">As Akka has it: joining, weakly_up, up, leaving, exiting, down.</param>
/// <param name="Reachable">Whether it is heard.</param>
/// <param name="Seen">For how long this process has seen it in the cluster.</param>
public sealed record ClusterMember(string Address, string Name, IReadOnlyList<string> Roles, string Status, bool Reachable, TimeSpan Seen);

/// <summary>How a shard of a process is.</summary>
/// <param name="Partition">Its partition.</param>
/// <param name="Lag">Records of its sources that are not committed yet.</param>
/// <param name="Restoring">How far its restore is, from 0 to 1; null where it is restored.</param>
public sealed record ShardState(int Partition, long Lag, double? Restoring);
