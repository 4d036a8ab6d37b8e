using Akka.Actor;
using StreamEngine.Cluster.Routing.Protocol;

namespace StreamEngine.Cluster.Routing;

/// <summary>
/// Who owns which partition, as far as this node has heard: the newest claim of a node that is still a member. A hint, never a fence: the
/// owner's inbox decides. Any thread reads; <see cref="Assignments"/> alone writes.
/// </summary>
internal sealed class Owners(int partitions, RoutingMetrics metrics)
{
    private readonly Dictionary<Address, NodeClaims> _claims = [];
    private HashSet<Address> _members = [];
    private volatile Claim?[] _newest = new Claim?[partitions];
    private volatile HashSet<Address> _unreachable = [];

    /// <summary>The newest claim of a partition; null where none was heard of.</summary>
    public Claim? Of(int partition) => partition < _newest.Length ? _newest[partition] : null;

    /// <summary>Whether the cluster's failure detector has no doubt about a node.</summary>
    public bool IsReachable(Address node) => !_unreachable.Contains(node);

    /// <summary>How many partitions each node owns.</summary>
    public IEnumerable<KeyValuePair<string, int>> Counts => _newest.OfType<Claim>().GroupBy(c => c.Node)
        .Select(g => KeyValuePair.Create($"{g.Key.Host}:{g.Key.Port}", g.Count()));

    /// <summary>A node has told all that it owns. An announcement that is older than one that was heard already changes nothing.</summary>
    public void Apply(Announcement told)
    {
        if (_claims.TryGetValue(told.Node, out var known) && known.Uid == told.Uid && known.Sequence >= told.Sequence) return;
        _claims[told.Node] = new NodeClaims(told.Uid, told.Sequence, told.Owned.ToDictionary());
        Decide();
    }

    /// <summary>Another node has said who owns a partition. The owner's next announcement confirms that, or takes it back.</summary>
    public void Hear(int partition, Claim claim)
    {
        if (!_claims.TryGetValue(claim.Node, out var known)) _claims[claim.Node] = known = new NodeClaims(0, 0, []);
        if (known.Owned.TryGetValue(partition, out var since) && since >= claim.Since) return;
        known.Owned[partition] = claim.Since;
        Decide();
    }

    /// <summary>
    /// The cluster's members, and those that can't be reached. What nodes claimed that are no members any more is forgotten.
    /// </summary>
    public void Update(IEnumerable<Address> members, IEnumerable<Address> unreachable)
    {
        var gone = _members;
        _members = [.. members];
        foreach (var node in gone.Except(_members)) _claims.Remove(node);
        _unreachable = [.. unreachable];
        Decide();
    }

    private void Decide()
    {
        var newest = new Claim?[partitions];
        foreach (var (node, claims) in _claims)
        {
            // A node may be heard before the gossip that it is a member: its claims count from then on.
            if (!_members.Contains(node)) continue;
            foreach (var (partition, since) in claims.Owned)
            {
                if (partition < 0 || partition >= partitions) continue;
                var other = newest[partition];
                if (other is null || since > other.Since || (since == other.Since
                    && string.CompareOrdinal(node.ToString(), other.Node.ToString()) > 0))
                    newest[partition] = new Claim(node, since);
            }
        }
        for (var p = 0; p < partitions; p++)
            if (_newest[p] is { } was && newest[p] is { } now && was.Node != now.Node) metrics.Moved();
        _newest = newest;
    }

    private sealed record NodeClaims(long Uid, long Sequence, Dictionary<int, long> Owned);
}
