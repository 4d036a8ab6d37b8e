using System.Text;
using Akka.Actor;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Cluster.Routing;

/// <summary>What the actors of one node share: the engine's side of it, and what is known of the other nodes.</summary>
internal sealed class RoutingNode
{
    /// <summary>One try at the shards of this process.</summary>
    public required ICustomerGateway Shards { get; init; }

    /// <summary>Tells live what this process commits.</summary>
    public required ICustomerFeed Feed { get; init; }

    /// <summary>The shards that are here.</summary>
    public required ShardDirectory Directory { get; init; }

    /// <summary>Who owns the others.</summary>
    public required Owners Owners { get; init; }

    /// <summary>The config.</summary>
    public required RoutingOptions Options { get; init; }

    /// <summary>The counters.</summary>
    public required RoutingMetrics Metrics { get; init; }

    /// <summary>This node's address.</summary>
    public required Address Self { get; init; }

    /// <summary>The clock of deadlines: monotonic, the ActorSystem's own, which the serializer uses as well.</summary>
    public required Func<TimeSpan> Clock { get; init; }

    /// <summary>The node on which an actor is.</summary>
    public Func<IActorRef, Address>? AddressOf { get; init; }

    /// <summary>Told which customers' actors have watchers, so that they hear when their shard goes.</summary>
    public IActorRef Assignments { get; set; } = ActorRefs.Nobody;

    /// <summary>The partition of a customer: the one that its events are in.</summary>
    public int PartitionOf(string customer) => Directory.PartitionOf(Encoding.UTF8.GetBytes(customer));

    /// <summary>The node on which an actor is; an actor without a host is on this one.</summary>
    public Address NodeOf(IActorRef actor) => AddressOf is { } of ? of(actor)
        : actor.Path.Address is { HasGlobalScope: true } address ? address : Self;
}
