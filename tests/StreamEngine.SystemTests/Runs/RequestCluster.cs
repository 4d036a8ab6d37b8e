using StreamEngine.SystemTests.Shop;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.SystemTests.Runs;

/// <summary>
/// Nodes of an Akka cluster as processes, on topics of a run, with events that come in and requests that are asked of random nodes. What
/// happens meanwhile is done in phases; at the end everything is held against the log.
/// </summary>
internal sealed class RequestCluster : IDisposable
{
    public const int Partitions = 12;
    private const int Customers = 400, EventsPerSecond = 300;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly int Rate = Setting("RATE", 100), QuietSeconds = Setting("SECONDS", 4);

    /// <summary>Why these runs are not part of every suite.</summary>
    public const string NotAsked = "takes minutes: STREAMENGINE_REQUESTS_SECONDS=4 runs it";

    /// <summary>Whether they were asked for.</summary>
    public static bool IsAsked => Setting("SECONDS", 0) > 0;

    private readonly Arena _arena;
    private readonly AkkaNodes _akka;
    private readonly GroupWatch _watch;
    private readonly LoadBalancer _balancer;
    private readonly RequestLoad _load;
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<string, EngineProcess> _nodes = [];
    private readonly Lock _changing = new();
    private readonly int _seed;
    private Task _working = Task.CompletedTask;

    /// <param name="arena">The run.</param>
    /// <param name="seeds">The nodes that are the seeds.</param>
    /// <param name="proxied">Whether nodes hear each other through proxies, which can be blocked.</param>
    /// <param name="seed">Draws events and requests.</param>
    public RequestCluster(Arena arena, string[] seeds, bool proxied, int seed)
    {
        (_arena, _seed) = (arena, seed);
        _akka = new AkkaNodes(seeds, proxied);
        _watch = new GroupWatch(arena, Partitions);
        _balancer = new LoadBalancer(() => Nodes);
        _load = new RequestLoad(() => _balancer.Nodes, Customers / 4, seed);
    }

    /// <summary>The nodes that run.</summary>
    public IReadOnlyList<EngineProcess> Nodes
    {
        get
        {
            lock (_changing) return [.. _nodes.Values];
        }
    }

    /// <summary>Requests and their answers.</summary>
    public RequestLoad Load => _load;

    /// <summary>Starts nodes, the first one before the others, events and requests, and waits until all is well.</summary>
    public async Task Begin(params string[] names)
    {
        Start(names[0]);
        await Ready(names[0]);
        foreach (var name in names.Skip(1)) Start(name);
        var writing = Task.Run(() => new ClusterLoad(_arena, _ => { }).Write(ShopInput.Make(
            new InputSpec(_seed, int.MaxValue, Customers, Partitions)).TakeWhile(_ => !_stop.IsCancellationRequested), EventsPerSecond));
        await _watch.Passes([.. Enumerable.Repeat(1L, Partitions)], Patience);
        await Ready(names);
        foreach (var name in names)
            Assert.True(await Node(name).Until(async () => await Node(name).Metric("streamengine_shards") > 0, Patience),
                $"{name} has no shard:\n{Node(name).Output}");
        _working = Task.WhenAll(writing, Task.Run(() => _load.Run(Rate, _stop.Token)));
        await Task.Delay(2 * TimeSpan.FromSeconds(QuietSeconds));
        await Settled();
    }

    /// <summary>A phase in which nothing may go wrong.</summary>
    public Task Quiet(string name) => Phase($"{name}: quiet", () => Task.Delay(TimeSpan.FromSeconds(QuietSeconds)));

    /// <summary>A phase.</summary>
    public async Task Phase(string name, Func<Task> what)
    {
        _load.Phase = name;
        await what();
    }

    /// <summary>The node of a name.</summary>
    public EngineProcess Node(string name)
    {
        lock (_changing) return _nodes[name];
    }

    /// <summary>Nobody asks this node any more.</summary>
    public EngineProcess Take(string name)
    {
        lock (_changing) return _nodes.Remove(name, out var node) ? node : throw new ArgumentException(name);
    }

    /// <summary>Starts a node.</summary>
    public void Start(string name)
    {
        var engine = _arena.Start(1, drain: false, name, ["runtime.max_poll_records=100", .. Member.Requests(_akka, name),
            .. Member.Short]);
        lock (_changing) _nodes[name] = engine;
    }

    /// <summary>The nodes do not hear each other.</summary>
    public void Split() => _akka.Split();

    /// <summary>They hear each other again.</summary>
    public void Heal() => _akka.Heal();

    /// <summary>Everything that has come in by now is committed.</summary>
    public async Task Commits()
    {
        // What came in since the change: each partition has some of it.
        await Task.Delay(TimeSpan.FromMilliseconds(500));
        await _watch.Passes(_arena.Ends(), Patience);
    }

    /// <summary>Everything is committed, and every node is ready: in the cluster, with all of its shards restored.</summary>
    public async Task Settled()
    {
        await Commits();
        string[] names;
        lock (_changing) names = [.. _nodes.Keys];
        await Ready(names);
    }

    /// <summary>Waits until nodes are ready.</summary>
    public async Task Ready(params string[] names)
    {
        foreach (var name in names)
            Assert.True(await Node(name).Until(() => Node(name).IsReady(Patience), Patience), $"{name} is not ready:\n{Node(name).Output}");
    }

    /// <summary>
    /// Ends everything and judges: the log by the oracle; the answers by the log; and quiet phases, in which requests are served.
    /// </summary>
    public async Task Judge(Action<string> tell)
    {
        await _stop.CancelAsync();
        await _working;
        await _watch.Passes(_arena.Ends(), Patience);
        foreach (var node in Nodes) node.Terminate();
        foreach (var node in Nodes) Assert.True(await node.Exit(Patience) == 0, node.Output);

        foreach (var line in _load.Table()) tell(line);
        var report = _arena.Check(_load.Find);
        tell(report.ToString());
        Assert.True(report.Faults == 0, report.ToString());
        Assert.True(report.Count("by request") > 1_000, report.ToString());
        var faults = _load.Faults(_arena.Decisions()).ToList();
        Assert.True(faults.Count == 0, string.Join("\n", faults.Take(20)));
        // Where nothing happens nobody is at the wrong place; on a machine that is busy with something else a commit may take too long.
        var quiet = _load.Quiet;
        Assert.DoesNotContain(quiet, a => a.Status is not ("done" or "fallback: timed_out"));
        Assert.InRange(quiet.Count(a => a.Status != "done"), 0, quiet.Count / 100);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _load.Dispose();
        _balancer.Dispose();
        _watch.Dispose();
        _akka.Dispose();
        _stop.Dispose();
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable($"STREAMENGINE_REQUESTS_{name}"), out var number) ? number : otherwise;
}
