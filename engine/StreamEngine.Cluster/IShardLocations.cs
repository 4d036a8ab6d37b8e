namespace StreamEngine.Cluster;

/// <summary>Where requests for the customers of each shard are sent.</summary>
public interface IShardLocations
{
    /// <summary>Asks for the locations; null where there is no answer in time, or this node is not in a cluster.</summary>
    /// <returns>From a partition to the address of its node, <c>host:port</c>; partitions without a location are absent.</returns>
    Task<IReadOnlyDictionary<int, string>?> LocationsAsync(TimeSpan patience);
}
