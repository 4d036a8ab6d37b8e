using System.Collections.Concurrent;
using System.Text;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using StreamEngine.Cluster.Routing;
using StreamEngine.Connectors;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Tests.Cluster;

/// <summary>Shards that answer as a test wants them to.</summary>
internal sealed class ScriptedShards : ICustomerGateway
{
    /// <summary>Every try, in order.</summary>
    public ConcurrentQueue<DecideRequest> Tries { get; } = new();

    /// <summary>How a decision is answered.</summary>
    public Func<DecideRequest, Task<DecideReply>> Decide { get; set; } = r =>
        Task.FromResult(new DecideReply { RequestId = r.Id, DecisionId = "d-" + r.Id });

    public async ValueTask<DecideReply> DecideAsync(DecideRequest request, CancellationToken cancel = default)
    {
        Tries.Enqueue(request);
        return await Decide(request);
    }

    public ValueTask<ProfileReply> ReadAsync(ReadRequest request, CancellationToken cancel = default) =>
        ValueTask.FromResult(new ProfileReply { Found = true });

    /// <summary>Every try is answered so.</summary>
    public void Answer(RequestStatus status) => Decide = r => Task.FromResult(new DecideReply { Status = status, RequestId = r.Id });
}

/// <summary>A feed whose updates a test tells.</summary>
internal sealed class ScriptedFeed : ICustomerFeed
{
    private readonly ConcurrentDictionary<Watching, byte> _watches = new();

    public IEnumerable<string> Watched => _watches.Keys.Select(w => w.Customer).Order();

    public IDisposable Watch(string customer, Action<CustomerUpdate> told)
    {
        var watch = new Watching(this, customer, told);
        _watches[watch] = 0;
        return watch;
    }

    public void Tell(CustomerUpdate update)
    {
        foreach (var watch in _watches.Keys)
            if (watch.Customer == update.Customer) watch.Told(update);
    }

    /// <summary>An update of single features.</summary>
    public static CustomerUpdate Update(string customer, params (string Name, double Value)[] features) => new()
    {
        Customer = customer,
        At = DateTimeOffset.UnixEpoch,
        Features = [.. features.Select(f => KeyValuePair.Create(f.Name, f.Value))],
    };

    private sealed class Watching(ScriptedFeed feed, string customer, Action<CustomerUpdate> told) : IDisposable
    {
        public string Customer { get; } = customer;

        public Action<CustomerUpdate> Told { get; } = told;

        public void Dispose() => feed._watches.TryRemove(this, out _);
    }
}

/// <summary>The shards that a process has, as a test wants them.</summary>
internal sealed class ScriptedOwnership(int partitions)
{
    private readonly Dictionary<int, ShardInbox> _inboxes = [];

    public ShardDirectory Directory { get; } = new(partitions);

    public void Assign(int partition)
    {
        _inboxes[partition] = new ShardInbox(partition, 16, new LoopSignal(() => { }));
        Directory.Add(_inboxes[partition]);
    }

    public void Live(int partition)
    {
        if (!_inboxes.ContainsKey(partition)) Assign(partition);
        Directory.Open(_inboxes[partition]);
    }

    public void Lose(int partition)
    {
        if (_inboxes.Remove(partition, out var inbox)) Directory.Remove(inbox);
    }

    /// <summary>A customer of a partition.</summary>
    public string Customer(int partition, int number = 0) => Enumerable.Range(0, int.MaxValue).Select(i => $"c{i}")
        .Where(c => Murmur2.Partition(Encoding.UTF8.GetBytes(c), Directory.Partitions) == partition).ElementAt(number);
}

/// <summary>Actors of one node in virtual time, over scripted shards.</summary>
public abstract class RoutingBench : TestKit
{
    private static readonly Config VirtualTime = ConfigurationFactory.ParseString("""
        akka.scheduler.implementation = "Akka.TestKit.TestScheduler, Akka.TestKit"
        akka.test.single-expect-default = 10s
        """);

    private protected static readonly Address Here = new("akka.tcp", "s", "here", 1), Other = new("akka.tcp", "s", "other", 1),
        Third = new("akka.tcp", "s", "third", 1);

    private protected static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(100);

    private readonly DateTimeOffset _start;

    protected RoutingBench() : base(VirtualTime.WithFallback(ClusterRouting.Config))
    {
        _start = Scheduler.Now;
        Assignments = CreateTestProbe("assignments");
        Owners = new Owners(4, Metrics);
        Node = new RoutingNode
        {
            Shards = Shards,
            Feed = Feed,
            Directory = Ownership.Directory,
            Owners = Owners,
            Options = new RoutingOptions { Stash = 2, Passivation = TimeSpan.FromSeconds(30) },
            Metrics = Metrics,
            Self = Here,
            Clock = () => Scheduler.Now - _start + Drift(),
            AddressOf = actor => Places.GetValueOrDefault(actor.Path, Here),
            Assignments = Assignments.Ref,
        };
        Owners.Update([Here, Other, Third], []);
    }

    /// <summary>How far the clock that the actors look at is ahead, asked at each look.</summary>
    private protected Func<TimeSpan> Drift { get; set; } = () => TimeSpan.Zero;

    private protected TestScheduler Scheduler => (TestScheduler)Sys.Scheduler;

    private protected ScriptedShards Shards { get; } = new();

    private protected ScriptedFeed Feed { get; } = new();

    private protected ScriptedOwnership Ownership { get; } = new(4);

    private protected RoutingMetrics Metrics { get; } = new();

    private protected Owners Owners { get; }

    private protected RoutingNode Node { get; }

    private protected TestProbe Assignments { get; }

    /// <summary>Where actors are that are not here.</summary>
    private protected ConcurrentDictionary<ActorPath, Address> Places { get; } = new();

    /// <summary>Until everything that an actor was told before is done.</summary>
    private protected static async Task DoneAsync(IActorRef actor) =>
        await actor.Ask<ActorIdentity>(new Identify(0), TimeSpan.FromSeconds(10));

    /// <summary>Time goes on; whatever was due then is done when this ends.</summary>
    private protected async Task PassAsync(IActorRef actor, int ms)
    {
        await DoneAsync(actor);
        Scheduler.Advance(TimeSpan.FromMilliseconds(ms));
        await DoneAsync(actor);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        Metrics.Dispose();
    }
}
