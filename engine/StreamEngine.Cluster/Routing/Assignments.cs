using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Sharding.External;
using Akka.Event;
using StreamEngine.Cluster.Routing.Protocol;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Cluster.Routing;

/// <summary>
/// Mirrors to the cluster what Kafka's group has given to this process: it tells every member which partitions are here, restored or not
/// yet, writes their locations for the region, repeats both, and keeps what the other members tell (<see cref="Owners"/>). It writes of its
/// own partitions only.
/// </summary>
internal sealed class Assignments(RoutingNode node, IExternalShardAllocationClient locations, TimeProvider time) : UntypedActor
{
    /// <summary>The actor's name, the same on every node.</summary>
    public const string Name = "streamengine-assignments";

    /// <summary>How often claims and locations are repeated: a lost message, or another one's late write, lasts no longer.</summary>
    private static readonly TimeSpan Repeat = TimeSpan.FromSeconds(3);

    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<int, long> _owned = [];
    private readonly Dictionary<int, HashSet<IActorRef>> _watched = [];
    private readonly Dictionary<Address, bool> _members = [];
    private ICancelable? _repeating;
    private long _sequence;
    private bool _dirty, _writing;

    protected override void PreStart()
    {
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
            typeof(ClusterEvent.IMemberEvent), typeof(ClusterEvent.IReachabilityEvent));
        _repeating = Context.System.Scheduler.ScheduleTellRepeatedlyCancelable(Repeat, Repeat, Self, Tick.Instance, Self);
        // What is here is served from here before this node is a member, too.
        UpdateMembers();
        // A process whose ActorSystem was made anew owns what it owned before.
        for (var p = 0; p < node.Directory.Partitions; p++) Look(p);
    }

    protected override void PostStop()
    {
        _cluster.Unsubscribe(Self);
        _repeating?.Cancel();
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case PresenceChanged changed: Look(changed.Partition); break;
            case Publish: PublishOwned(); break;
            case Tick: PublishOwned(); break;
            case Announcement told when told.Node != node.Self: node.Owners.Apply(told); break;
            case OwnerHeard heard when heard.Owner.Node != node.Self: node.Owners.Hear(heard.Partition, heard.Owner); break;
            case Watching watching: Remember(watching); break;
            case Written written: Wrote(written.Fault); break;
            case ClusterEvent.MemberRemoved removed: Change(removed.Member.Address, null); break;
            case ClusterEvent.IMemberEvent member: Joined(member.Member.Address); break;
            case ClusterEvent.UnreachableMember away: Change(away.Member.Address, false); break;
            case ClusterEvent.ReachableMember back: Change(back.Member.Address, true); break;
            default: Unhandled(message); break;
        }
    }

    /// <summary>
    /// Looks at how a partition's shard is present now. The message only says which: what it was sent for may be over. One that is being
    /// restored is claimed too: requests wait for it where it will be, and hear how far the restore is.
    /// </summary>
    private void Look(int partition)
    {
        var presence = node.Directory.Presence(partition);
        if (presence != ShardPresence.Gone ? _owned.TryAdd(partition, NewClaim(partition)) : _owned.Remove(partition)) PublishSoon();
        if (presence == ShardPresence.Gone && _watched.Remove(partition, out var actors))
            foreach (var actor in actors) actor.Tell(new ShardGone(partition));
    }

    private long NewClaim(int partition) =>
        Math.Max(time.GetUtcNow().ToUnixTimeMilliseconds(), (node.Owners.Of(partition)?.Since ?? 0) + 1);

    /// <summary>A worker gets many partitions at once: they are announced together, behind the messages that wait already.</summary>
    private void PublishSoon()
    {
        if (_dirty) return;
        _dirty = true;
        Self.Tell(Publish.Instance);
    }

    private void PublishOwned()
    {
        _dirty = false;
        var announcement = new Announcement(node.Self, _cluster.SelfUniqueAddress.Uid, ++_sequence, [.. _owned]);
        node.Owners.Apply(announcement);
        foreach (var member in _members.Keys)
            if (member != node.Self) Context.ActorSelection(new RootActorPath(member) / "user" / Name).Tell(announcement, Self);
        WriteLocations();
    }

    /// <summary>Writes the locations of this node's partitions that are not as they should be.</summary>
    private void WriteLocations()
    {
        if (_writing || _owned.Count == 0) return;
        _writing = true;
        // A partition that another one claims with a newer word is left alone: this process may have stood still.
        var mine = _owned.Keys.Where(p => node.Owners.Of(p) is not { } owner || owner.Node == node.Self).ToList();
        WriteAsync(locations, mine, node.Self).PipeTo(Self, Self, static () => new Written(null), static e => new Written(e));
    }

    private static async Task WriteAsync(IExternalShardAllocationClient locations, List<int> partitions, Address self)
    {
        var known = (await locations.ShardLocations().ConfigureAwait(false)).Locations;
        var wrong = partitions.Select(ShardIds.Of).Where(s => !known.TryGetValue(s, out var at) || at.Address != self)
            .ToImmutableDictionary(s => s, _ => self);
        if (wrong.Count > 0) await locations.UpdateShardLocations(wrong).ConfigureAwait(false);
    }

    private void Wrote(Exception? fault)
    {
        _writing = false;
        if (fault is not null) _log.Warning("The locations of this node's shards were not written, and will be again: {0}", fault.Message);
    }

    private void Remember(Watching watching)
    {
        if (!watching.Begins)
        {
            _watched.GetValueOrDefault(watching.Partition)?.Remove(watching.Actor);
            return;
        }
        // It may have gone since the actor looked.
        if (node.Directory.Presence(watching.Partition) == ShardPresence.Gone)
        {
            watching.Actor.Tell(new ShardGone(watching.Partition));
            return;
        }
        if (!_watched.TryGetValue(watching.Partition, out var actors)) _watched[watching.Partition] = actors = [];
        actors.Add(watching.Actor);
    }

    private void Joined(Address member)
    {
        if (_members.ContainsKey(member)) return;
        Change(member, true);
        // It hears at once who owns what.
        PublishSoon();
    }

    /// <summary>A member came, can be reached or not, or went.</summary>
    private void Change(Address member, bool? isReachable)
    {
        if (isReachable is { } reachable) _members[member] = reachable;
        else _members.Remove(member);
        UpdateMembers();
    }

    private void UpdateMembers() =>
        node.Owners.Update(_members.Keys.Append(node.Self), _members.Where(m => !m.Value).Select(m => m.Key));

    private sealed class Tick
    {
        public static readonly Tick Instance = new();
    }

    private sealed class Publish
    {
        public static readonly Publish Instance = new();
    }

    private sealed record Written(Exception? Fault);
}

/// <summary>How a partition's shard is present in this process has changed.</summary>
internal sealed record PresenceChanged(int Partition);

/// <summary>Somebody has said who owns a partition.</summary>
internal sealed record OwnerHeard(int Partition, Claim Owner);
