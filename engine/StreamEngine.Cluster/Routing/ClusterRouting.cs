using Akka.Actor;
using Akka.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Cluster.Routing;

/// <summary>What the requests' part needs of the engine.</summary>
public sealed record ClusterRoutingSettings
{
    /// <summary>One try at the shards of this process.</summary>
    public required ICustomerGateway Shards { get; init; }

    /// <summary>The shards of this process.</summary>
    public required ShardDirectory Directory { get; init; }

    /// <summary>What is committed in this process, live.</summary>
    public required ICustomerFeed Feed { get; init; }

    /// <summary>How long a request is tried where it does not say.</summary>
    public required RequestOptions Requests { get; init; }

    /// <summary>How requests are routed.</summary>
    public RoutingOptions Options { get; init; } = new();

    /// <summary>Counts requests and their durations.</summary>
    public required EngineMetrics Metrics { get; init; }

    /// <summary>The clock.</summary>
    public required TimeProvider Time { get; init; }
}

/// <summary>
/// One customer, one address, on any node: Kafka's group says which process owns a customer, and this part of the cluster brings requests
/// and watches there. It mirrors what the engine's <see cref="ShardDirectory"/> tells and never holds the engine up.
/// </summary>
public sealed class ClusterRouting : IClusterPart, IShardLocations, IDisposable
{
    private readonly ClusterRoutingSettings _settings;
    private readonly ClusterGateway _gateway;
    private readonly ClusterFeed _feed = new();
    private volatile RoutingSystem? _system;

    /// <summary>Begins without an ActorSystem: only what this process owns is answered.</summary>
    public ClusterRouting(ClusterRoutingSettings settings)
    {
        _settings = settings;
        _gateway = new ClusterGateway(settings, Metrics);
        settings.Directory.Changed += OnChanged;
    }

    /// <summary>The HOCON that the ActorSystem is to be made with, merged with the rest.</summary>
    public static Config Config { get; } = ConfigurationFactory.ParseString("""
        akka {
          actor {
            serializers.streamengine = "StreamEngine.Cluster.Routing.Protocol.RoutingSerializer, StreamEngine.Cluster"
            serialization-bindings {
              "StreamEngine.Cluster.Routing.Protocol.IWireMessage, StreamEngine.Cluster" = streamengine
            }
          }
          # A message of ours has 960 KiB at most; the frame is larger than that, and the buffers are larger than the frame.
          remote.dot-netty.tcp {
            maximum-frame-size = 1 MiB
            send-buffer-size = 2 MiB
            receive-buffer-size = 2 MiB
          }
          cluster.sharding {
            state-store-mode = ddata
            distributed-data.durable.keys = []
            remember-entities = off
            # A customer's actor sees to this itself: one that is watched stays.
            passivate-idle-entity-after = off
            # Measured: a moved shard is served again after 0.2 to 0.8 s with this, after 2.4 to 9.9 s with the default of 10 s.
            rebalance-interval = 500ms
          }
        }
        """);

    /// <summary>Asks any customer, wherever it is.</summary>
    public ICustomerGateway Gateway => _gateway;

    /// <summary>Watches any customer, wherever it is. Without an ActorSystem it is silent; watches go on when there is one again.</summary>
    public ICustomerFeed Feed => _feed;

    internal RoutingMetrics Metrics { get; } = new();

    /// <summary>What runs on the ActorSystem now.</summary>
    internal RoutingSystem? System => _system;

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<int, string>?> LocationsAsync(TimeSpan patience) =>
        _system is { } system ? await system.LocationsAsync(patience, _settings.Time).ConfigureAwait(false) : null;

    /// <inheritdoc/>
    public void Attach(ActorSystem system)
    {
        Detach();
        var routing = new RoutingSystem(system, _settings, Metrics);
        _system = routing;
        _gateway.Attach(routing);
        _feed.Attach(system, routing);
    }

    /// <inheritdoc/>
    public void Detach()
    {
        _gateway.Attach(null);
        _feed.Detach();
        Interlocked.Exchange(ref _system, null)?.Dispose();
        Metrics.Owners = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _settings.Directory.Changed -= OnChanged;
        Detach();
        Metrics.Dispose();
    }

    /// <summary>Told on the loop's thread: a note for the actor, and back.</summary>
    private void OnChanged(int partition, ShardPresence presence) =>
        _system?.Node.Assignments.Tell(new PresenceChanged(partition), ActorRefs.NoSender);
}
