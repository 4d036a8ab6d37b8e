using StreamEngine.Connectors;

namespace StreamEngine.Runtime;

/// <summary>
/// Where standbys belong: on the node that the group would give the shard to if its owner's node died. That is what the cooperative-sticky
/// assignor of librdkafka does then (rdkafka_sticky_assignor.c): who lives keeps what it has, and the partitions that are free go, from the
/// highest number down (its map of partitions is walked against the order of insertion), each to the member with the fewest partitions, of
/// equals to the one with the smallest member id. A broker makes that id of the instance id and a random part. A wrong guess (racks,
/// another client version) costs the time that a standby saves, nothing else.
/// </summary>
internal static class StandbyPlan
{
    /// <summary>The node of an instance id, which is that without the worker's number.</summary>
    public static string NodeOf(GroupMember member) => member.InstanceId is { } id && id.LastIndexOf('-') is > 0 and var dash ? id[..dash]
        : member.Id;

    /// <summary>The partitions whose standby belongs on a node.</summary>
    /// <param name="node">The node: instance ids without the worker's number.</param>
    /// <param name="members">All members of the group.</param>
    /// <param name="topic">The topic that the group shares out.</param>
    /// <param name="standbys">Standbys per shard. The second is where the shard would go if the first one's node died too, and so
    /// on.</param>
    public static SortedSet<int> For(string node, IReadOnlyList<GroupMember> members, string topic, int standbys)
    {
        var wanted = new SortedSet<int>();
        foreach (var owner in members.Select(NodeOf).Distinct().Where(n => n != node).ToList())
            foreach (var partition in PartitionsOf(owner, members, topic))
            {
                HashSet<string> dead = [owner];
                for (var i = 0; i < standbys && Takers(dead, members, topic).TryGetValue(partition, out var taker); i++)
                {
                    if (taker == node) wanted.Add(partition);
                    dead.Add(taker);
                }
            }
        return wanted;
    }

    /// <summary>By partition of nodes that are gone, the node that would get it; none where nobody is left.</summary>
    private static Dictionary<int, string> Takers(HashSet<string> dead, IReadOnlyList<GroupMember> members, string topic)
    {
        var takers = new Dictionary<int, string>();
        var living = members.Where(m => !dead.Contains(NodeOf(m))).Select(m => (Member: m, Load: Numbers(m, topic).Count())).ToList();
        if (living.Count == 0) return takers;
        foreach (var partition in dead.SelectMany(n => PartitionsOf(n, members, topic)).OrderDescending())
        {
            var least = 0;
            for (var i = 1; i < living.Count; i++)
                if (living[i].Load < living[least].Load
                    || (living[i].Load == living[least].Load
                    && string.CompareOrdinal(living[i].Member.Id, living[least].Member.Id) < 0)) least = i;
            takers[partition] = NodeOf(living[least].Member);
            living[least] = living[least] with { Load = living[least].Load + 1 };
        }
        return takers;
    }

    private static IEnumerable<int> PartitionsOf(string node, IReadOnlyList<GroupMember> members, string topic) =>
        members.Where(m => NodeOf(m) == node).SelectMany(m => Numbers(m, topic));

    private static IEnumerable<int> Numbers(GroupMember member, string topic) =>
        member.Partitions.Where(p => p.Topic == topic).Select(p => p.Partition);
}
