using Akka.Configuration;
using StreamEngine.Cluster;
using StreamEngine.Cluster.Routing;
using StreamEngine.Cluster.Switches;
using StreamEngine.Decisions;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Host.Run;

/// <summary>What runs on the cluster's actor system, and what the rest of the process sees of it.</summary>
/// <param name="Parts">The parts, in the order of their start.</param>
/// <param name="Config">The config of Akka that they need beside the membership's.</param>
/// <param name="Customers">Finds a customer's node and asks it.</param>
/// <param name="Feed">Watches a customer wherever it is.</param>
/// <param name="Locations">Where requests are sent.</param>
internal sealed record ClusterParts(IReadOnlyList<IClusterPart> Parts, Config Config, ICustomerGateway Customers, ICustomerFeed Feed,
    IShardLocations Locations)
{
    /// <summary>Puts them together: the one place that knows them all.</summary>
    /// <param name="engine">The engine; it takes requests.</param>
    /// <param name="requests">How long a request is tried.</param>
    /// <param name="routing">How requests are routed.</param>
    public static ClusterParts Of(Engine engine, RequestOptions requests, RoutingOptions routing)
    {
        var routes = new ClusterRouting(new ClusterRoutingSettings
        {
            Shards = engine.Shards!,
            Directory = engine.Directory!,
            Feed = engine.Feed!,
            Requests = requests,
            Options = routing,
            Metrics = engine.Metrics,
            Time = TimeProvider.System,
        });
        List<IClusterPart> parts = [routes];
        if (engine.Switches is { } switches) parts.Add(new ClusterSwitches(switches));
        return new ClusterParts(parts, ClusterRouting.Config.WithFallback(ClusterSwitches.Config), routes.Gateway, routes.Feed,
            routes);
    }
}
