using System.Globalization;
using Akka.Cluster.Sharding;
using StreamEngine.Cluster.Routing.Protocol;

namespace StreamEngine.Cluster.Routing;

/// <summary>The region's shards are the partitions: a customer's shard id is the number of the partition that its events are in.</summary>
internal sealed class ShardIds(RoutingNode node) : IMessageExtractor
{
    /// <summary>The shard id of a partition.</summary>
    public static string Of(int partition) => partition.ToString(CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public string? EntityId(object message) => (message as IForCustomer)?.Customer;

    /// <inheritdoc/>
    public object? EntityMessage(object message) => message;

    /// <inheritdoc/>
    public string? ShardId(object message) => EntityId(message) is { } customer ? ShardId(customer) : null;

    /// <inheritdoc/>
    public string ShardId(string entityId, object? messageHint = null) => Of(node.PartitionOf(entityId));
}
