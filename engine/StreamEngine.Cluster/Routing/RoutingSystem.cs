using System.Globalization;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Cluster.Sharding.External;
using Akka.Streams;
using Akka.Streams.Dsl;

namespace StreamEngine.Cluster.Routing;

/// <summary>What runs of the requests' part on one ActorSystem, from its start to its end.</summary>
internal sealed class RoutingSystem : IDisposable
{
    /// <summary>The region's name.</summary>
    public const string Region = "customers";

    private readonly CancellationTokenSource _ended = new();
    private readonly IExternalShardAllocationClient _locations;
    private readonly ISourceQueueWithComplete<PendingRequest> _queue;
    private readonly ActorMaterializer _materializer;

    /// <summary>Starts the actors, the region and the stream into it.</summary>
    public RoutingSystem(ActorSystem system, ClusterRoutingSettings settings, RoutingMetrics metrics)
    {
        var cluster = Akka.Cluster.Cluster.Get(system);
        var owners = new Owners(settings.Directory.Partitions, metrics);
        metrics.Owners = owners;
        Node = new RoutingNode
        {
            Shards = settings.Shards,
            Feed = settings.Feed,
            Directory = settings.Directory,
            Owners = owners,
            Options = settings.Options,
            Metrics = metrics,
            Self = cluster.SelfAddress,
            Clock = () => system.Scheduler.MonotonicClock,
        };
        // (1) The region, whose shards are the log's partitions and whose locations the nodes write themselves.
        var region = ClusterSharding.Get(system).Start(Region, customer => CustomerActor.Props(customer, Node),
            ClusterShardingSettings.Create(system), new ShardIds(Node), new ExternalShardAllocationStrategy(system, Region),
            Leave.Instance);
        // (2) What this node owns, and what it hears of the others.
        var locations = _locations = ExternalShardAllocation.Get(system).ClientFor(Region);
        var node = Node;
        Node.Assignments = system.ActorOf(Props.Create(() => new Assignments(node, locations, settings.Time)), Assignments.Name);
        // (3) The ways in and out.
        system.ActorOf(Props.Create(() => new Door(node)), Door.Name);
        Func<Address, ICanTell> doorOf = address => system.ActorSelection(Door.PathAt(address));
        var asker = Asker = system.ActorOf(Props.Create(() => new Asker(node, region, doorOf)), "streamengine-asker");
        // (4) Requests of this process: so many wait, so many are under way, and further ones are told so.
        Ended = _ended.Token;
        _materializer = system.Materializer();
        _queue = Source.Queue<PendingRequest>(settings.Options.Queue, OverflowStrategy.DropNew)
            .SelectAsyncUnordered(settings.Options.Parallelism, async request =>
            {
                asker.Tell(request);
                // Also without an answer (null, which no stream takes): whoever asked goes on in another way, and the stream with the next.
                await request.Answered.ConfigureAwait(false);
                return Akka.NotUsed.Instance;
            })
            .ToMaterialized(Sink.Ignore<Akka.NotUsed>(), Keep.Left).Run(_materializer);
        system.WhenTerminated.ContinueWith(_ => End(), TaskScheduler.Default);
    }

    /// <summary>What the actors share.</summary>
    public RoutingNode Node { get; }

    /// <summary>Asks for requests until they are answered.</summary>
    public IActorRef Asker { get; }

    /// <summary>Cancelled when the ActorSystem is not there any more.</summary>
    public CancellationToken Ended { get; }

    /// <summary>Puts a request into the stream; false where that is full. One that is put in is answered, with null at the end.</summary>
    public async Task<bool> OfferAsync(PendingRequest request)
    {
        try
        {
            if (await _queue.OfferAsync(request).ConfigureAwait(false) is var offered && offered is QueueOfferResult.Dropped) return false;
            if (offered is QueueOfferResult.Enqueued) return true;
        }
        catch (Exception e) when (e is StreamDetachedException or InvalidOperationException or TaskCanceledException)
        {
            // The stream has ended with its system.
        }
        End();
        request.Answer(null);
        return true;
    }

    /// <summary>The locations as Akka has them; null where it does not say in time.</summary>
    public async Task<IReadOnlyDictionary<int, string>?> LocationsAsync(TimeSpan patience, TimeProvider time)
    {
        try
        {
            var all = await _locations.ShardLocations().WaitAsync(patience, time).ConfigureAwait(false);
            return all.Locations.ToDictionary(l => int.Parse(l.Key, CultureInfo.InvariantCulture),
                l => $"{l.Value.Address.Host}:{l.Value.Address.Port}");
        }
        catch (Exception e) when (e is TimeoutException or AskTimeoutException or ClientTimeoutException)
        {
            return null;
        }
    }

    /// <summary>The system ends: whoever waits goes on without it.</summary>
    public void End() => _ended.Cancel();

    /// <inheritdoc/>
    public void Dispose()
    {
        End();
        _queue.Complete();
        _materializer.Dispose();
    }
}
