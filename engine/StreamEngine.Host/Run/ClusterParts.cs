using StreamEngine.Cluster;
using StreamEngine.Decisions;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Host.Run;

/// <summary>What runs on the cluster's actor system, and what the rest of the process sees of it.</summary>
/// <param name="Parts">The parts, in the order of their start.</param>
/// <param name="Hocon">The config of Akka that they need beside the membership's.</param>
/// <param name="Customers">Finds a customer's node and asks it.</param>
/// <param name="Locations">Where requests are sent; null while no part knows.</param>
internal sealed record ClusterParts(IReadOnlyList<IClusterPart> Parts, string Hocon, ICustomerGateway Customers, IShardLocations? Locations)
{
    /// <summary>Puts them together: the one place that knows them all.</summary>
    public static ClusterParts Of(Engine engine, RequestOptions requests, Action<WorkerEvent> report)
    {
        _ = (requests, report);
        return new ClusterParts([], "", engine.Customers!, null);
    }
}
