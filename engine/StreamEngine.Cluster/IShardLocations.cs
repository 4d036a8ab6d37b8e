namespace StreamEngine.Cluster;

/// <summary>Where requests for the customers of each shard are sent.</summary>
public interface IShardLocations
{
    /// <summary>From a partition to the address of its node, <c>host:port</c>; partitions without a location are absent.</summary>
    IReadOnlyDictionary<int, string> Locations { get; }
}
