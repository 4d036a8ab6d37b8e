using Akka.Configuration;
using StreamEngine.Cluster;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Host.Run;

/// <summary>What runs on the cluster's actor system, and what the rest of the process sees of it.</summary>
/// <param name="Parts">The parts, in the order of their start.</param>
/// <param name="Config">The config of Akka that they need beside the membership's.</param>
/// <param name="Customers">Finds a customer's node and asks it.</param>
/// <param name="Locations">Where requests are sent; null while no part knows.</param>
internal sealed record ClusterParts(IReadOnlyList<IClusterPart> Parts, Config Config, ICustomerGateway Customers,
    IShardLocations? Locations)
{
    /// <summary>Puts them together: the one place that knows them all. The engine takes requests.</summary>
    public static ClusterParts Of(Engine engine) => new([], Config.Empty, engine.Customers!, null);
}
