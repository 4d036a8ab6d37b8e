using System.Collections.Concurrent;
using System.Collections.Immutable;
using Akka.Actor;

namespace StreamEngine.Cluster.Membership;

/// <summary>Which nodes belong to the cluster, and since when each member is seen. Any thread reads.</summary>
internal sealed class Roster(TimeProvider time)
{
    private readonly ConcurrentDictionary<Address, long> _since = [];

    /// <summary>Nodes that belong to the cluster whether they are there or not: seeds, and what discovery found last.</summary>
    public ImmutableArray<Address> Known
    {
        get;
        set => ImmutableInterlocked.InterlockedExchange(ref field, value);
    } = [];

    /// <summary>How many there are.</summary>
    public int Count => _since.Count;

    /// <summary>A member is there.</summary>
    public void Add(Address address) => _since.TryAdd(address, time.GetTimestamp());

    /// <summary>A member is gone.</summary>
    public void Remove(Address address) => _since.TryRemove(address, out _);

    /// <summary>For how long a member has been seen.</summary>
    public TimeSpan Seen(Address address) => _since.TryGetValue(address, out var since) ? time.GetElapsedTime(since) : TimeSpan.Zero;
}
