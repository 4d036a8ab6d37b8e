using System.Collections.Concurrent;
using System.Text;
using Akka.Actor;
using Akka.Configuration;
using StreamEngine.Cluster.Routing;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;
using StreamEngine.Testing;

namespace StreamEngine.Tests.Cluster;

/// <summary>
/// Nodes of a cluster in one process, each with an ActorSystem of its own on the loopback, over scripted ownership: what Kafka's group
/// would say is said by the test. Decisions are kept by request id, as profiles keep them, and only the owner's commit makes one.
/// </summary>
internal sealed class RoutingCluster : IAsyncDisposable
{
    public const int Partitions = 4;

    /// <summary>How far every restore is.</summary>
    public const double Progress = 0.25;

    /// <summary>Fast, silent, and deaf to deaths.</summary>
    public static readonly Config Settings = ConfigurationFactory.ParseString("""
        akka {
          loglevel = OFF
          loggers = []
          stdout-loglevel = OFF
          actor.provider = cluster
          remote.dot-netty.tcp { hostname = "127.0.0.1", port = 0 }
          coordinated-shutdown.run-by-actor-system-terminate = off
          cluster {
            gossip-interval = 200ms
            leader-actions-interval = 200ms
            run-coordinated-shutdown-when-down = off
            # No test needs a death to be noticed, and a busy machine must not look like one.
            failure-detector.acceptable-heartbeat-pause = 30s
            distributed-data { gossip-interval = 200ms, notify-subscribers-interval = 100ms }
          }
        }
        """);

    private readonly CompiledEngine _engine = Scenario.Compile(Scenario.Options(), new LinearModels(1));
    private readonly List<Node> _nodes = [];
    private readonly int?[] _owner = new int?[Partitions];
    private readonly ConcurrentDictionary<string, string> _decisions = new();
    private int _made;

    /// <summary>How many decisions were made.</summary>
    public int Made => _made;

    /// <summary>The decision of a request, as the log has it.</summary>
    public string? DecisionOf(string request) => _decisions.GetValueOrDefault(request);

    public Node this[int node] => _nodes[node];

    /// <summary>Starts nodes that form a cluster.</summary>
    public static async Task<RoutingCluster> StartAsync(int nodes, RoutingOptions? options = null, bool join = true)
    {
        var cluster = new RoutingCluster();
        for (var i = 0; i < nodes; i++)
        {
            cluster._nodes.Add(new Node(cluster, i, options ?? new RoutingOptions()));
            cluster._nodes[i].Attach();
        }
        if (!join) return cluster;
        foreach (var node in cluster._nodes) await node.JoinAsync(cluster._nodes[0]);
        foreach (var node in cluster._nodes) await node.UntilAsync(n => n.Members == nodes);
        return cluster;
    }

    /// <summary>Kafka's group gives a partition to a node: nobody has it for a moment, as in a rebalance.</summary>
    public async Task MoveAsync(int partition, int to, int gapMs = 0)
    {
        if (_owner[partition] is { } from)
        {
            _owner[partition] = null;
            _nodes[from].Ownership.Lose(partition);
        }
        if (gapMs > 0) await Task.Delay(TimeSpan.FromMilliseconds(gapMs), TimeProvider.System);
        _nodes[to].Ownership.Assign(partition);
        if (gapMs > 0) await Task.Delay(TimeSpan.FromMilliseconds(gapMs), TimeProvider.System);
        await LiveAsync(partition, to);
    }

    /// <summary>The shard of a partition that a node was given is restored.</summary>
    public Task LiveAsync(int partition, int at)
    {
        _owner[partition] = at;
        _nodes[at].Ownership.Live(partition);
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes) await node.DisposeAsync();
        _engine.Dispose();
    }

    /// <summary>One node.</summary>
    internal sealed class Node : ICustomerGateway, IAsyncDisposable
    {
        private readonly RoutingCluster _cluster;
        private readonly EngineMetrics _metrics;
        private readonly int _number;

        public Node(RoutingCluster cluster, int number, RoutingOptions options)
        {
            (_cluster, _number) = (cluster, number);
            _metrics = new EngineMetrics(cluster._engine);
            Routing = new ClusterRouting(new ClusterRoutingSettings
            {
                Shards = this,
                Directory = Ownership.Directory,
                Feed = Feed,
                Requests = new RequestOptions { Timeout = TimeSpan.FromSeconds(5) },
                Options = options,
                Metrics = _metrics,
                Time = TimeProvider.System,
            });
        }

        public ScriptedOwnership Ownership { get; } = new(Partitions);

        public ScriptedFeed Feed { get; } = new();

        public ClusterRouting Routing { get; }

        public ActorSystem System { get; private set; } = null!;

        /// <summary>While it is not null, no request is served.</summary>
        public TaskCompletionSource? Held { get; set; }

        public int Members => Cluster.State.Members.Count(m => m.Status == Akka.Cluster.MemberStatus.Up);

        public Akka.Cluster.Cluster Cluster => Akka.Cluster.Cluster.Get(System);

        /// <summary>Makes an ActorSystem, also in place of one that has ended.</summary>
        public void Attach()
        {
            System = ActorSystem.Create("shop", Settings.WithFallback(ClusterRouting.Config));
            Routing.Attach(System);
        }

        public Task JoinAsync(Node seed) => Cluster.JoinAsync(seed.Cluster.SelfAddress);

        public async Task UntilAsync(Func<Node, bool> isSo)
        {
            using var late = new CancellationTokenSource(TimeSpan.FromSeconds(20), TimeProvider.System);
            while (!isSo(this)) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, late.Token);
        }

        /// <summary>As a shard does: the owner's commit makes the decision, and a repeat of a request's id gets the same.</summary>
        public async ValueTask<DecideReply> DecideAsync(DecideRequest request, CancellationToken cancel = default)
        {
            if (Held is { } held) await held.Task;
            var partition = Murmur2.Partition(Encoding.UTF8.GetBytes(request.Customer), Partitions);
            switch (Ownership.Directory.Presence(partition))
            {
                case ShardPresence.Gone: return new DecideReply { Status = RequestStatus.Moved };
                case ShardPresence.Restoring: return new DecideReply { Status = RequestStatus.Restoring, Progress = Progress };
            }
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, cancel);
            // The fence: what a node decided that is not the owner any more is not committed.
            if (_cluster._owner[partition] != _number) return new DecideReply { Status = RequestStatus.Moved };
            var repeated = true;
            var decision = _cluster._decisions.GetOrAdd(request.Id, _ =>
            {
                repeated = false;
                return $"{partition}/{Interlocked.Increment(ref _cluster._made)}";
            });
            return new DecideReply { RequestId = request.Id, DecisionId = decision, Repeated = repeated };
        }

        public ValueTask<ProfileReply> ReadAsync(ReadRequest request, CancellationToken cancel = default) =>
            ValueTask.FromResult(new ProfileReply { Found = true });

        public async ValueTask DisposeAsync()
        {
            Routing.Dispose();
            await System.Terminate();
            _metrics.Dispose();
        }
    }
}
