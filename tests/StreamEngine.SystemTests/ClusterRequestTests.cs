using System.Net;
using System.Net.Sockets;
using StreamEngine.SystemTests.Oracle;
using StreamEngine.SystemTests.Runs;
using StreamEngine.SystemTests.Shop;
using StreamEngine.Testing;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.SystemTests;

/// <summary>
/// Real processes in an Akka cluster on a real broker: requests for random customers go to random nodes while events come in and nodes die,
/// stand still, leave and join. No request is decided twice, none is answered by a node that only thinks it owns the customer, none stays
/// without an answer, and nothing goes wrong outside the hand-over windows. <c>STREAMENGINE_REQUESTS_RATE</c> and <c>_SECONDS</c> (of each
/// quiet phase) make it the long form.
/// </summary>
[Collection(nameof(ClusterTests))]
public sealed class ClusterRequestTests(ITestOutputHelper output) : IDisposable
{
    private const int Customers = 400, Partitions = 12, EventsPerSecond = 300;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly int Rate = Setting("RATE", 300), QuietSeconds = Setting("SECONDS", 4);

    private readonly Dictionary<string, EngineProcess> _nodes = [];
    private readonly Dictionary<string, int> _ports = [];
    private readonly Lock _changing = new();
    private Arena _arena = null!;
    private RequestLoad _load = null!;
    private string[] _seeds = [];

    [SkippableFact]
    public async Task Any_node_answers_for_any_customer_while_nodes_die_stand_still_leave_and_join()
    {
        Skip.If(KafkaBroker.Missing is not null, KafkaBroker.Missing);
        using var arena = _arena = new Arena(JobDefinition.Chaos, KafkaBroker.Shared.Address, "cluster-requests", Partitions);
        using var load = _load = new RequestLoad(Nodes, Customers / 4, seed: 31);
        using var watch = new GroupWatch(arena, Partitions);
        using var stop = new CancellationTokenSource();
        Ports("a", "b", "c", "d");
        foreach (var node in new[] { "a", "b", "c" }) Start(node);
        var writing = Task.Run(() => arena.Write(ShopInput.Make(new InputSpec(31, int.MaxValue, Customers, Partitions))
            .TakeWhile(_ => !stop.IsCancellationRequested), EventsPerSecond));
        await watch.Passes([.. Enumerable.Repeat(1L, Partitions)], Patience);
        await Ready("a", "b", "c");
        var asking = Task.Run(() => load.Run(Rate, stop.Token));

        await Quiet("1 quiet, three nodes");
        await Phase("2 kill -9 of one", async () =>
        {
            await _nodes["b"].Kill();
            Take("b");
            await Settled(watch);
        });
        await Quiet("3 quiet, two nodes");
        await Phase("4 one joins", async () =>
        {
            Start("d");
            await Ready("d");
            await Settled(watch);
        });
        await Phase("5 one stands still", async () =>
        {
            var frozen = _nodes["c"];
            frozen.Freeze();
            await Task.Delay(Member.ShortSession + TimeSpan.FromSeconds(4));
            frozen.Thaw();
            await Settled(watch);
            await Ready("c");
        });
        await Phase("6 one leaves", async () =>
        {
            var leaving = _nodes["a"];
            Take("a");
            leaving.Terminate();
            Assert.True(await leaving.Exit(Patience) == 0, leaving.Output);
            await Settled(watch);
        });
        await Quiet("7 quiet, two nodes");

        await stop.CancelAsync();
        await Task.WhenAll(writing, asking);
        await watch.Passes(arena.Ends(), Patience);
        foreach (var node in Nodes()) node.Terminate();
        foreach (var node in Nodes()) Assert.True(await node.Exit(Patience) == 0, node.Output);

        foreach (var line in load.Table()) output.WriteLine(line);
        var report = arena.Check(load.Find);
        output.WriteLine(report.ToString());
        Assert.True(report.Faults == 0, report.ToString());
        Assert.True(report.Count("by request") > 1_000, report.ToString());
        var faults = load.Faults(arena.Decisions()).ToList();
        Assert.True(faults.Count == 0, string.Join("\n", faults.Take(20)));
        Assert.DoesNotContain(load.Answers, a => a.Phase.Contains("quiet", StringComparison.Ordinal) && a.Status != "done");
    }

    public void Dispose() => _load?.Dispose();

    /// <summary>A phase in which nothing may go wrong.</summary>
    private Task Quiet(string name) => Phase(name, () => Task.Delay(TimeSpan.FromSeconds(QuietSeconds)));

    private async Task Phase(string name, Func<Task> what)
    {
        _load.Phase = name;
        await what();
    }

    /// <summary>Everything that is there now is committed: the shards have their owners.</summary>
    private async Task Settled(GroupWatch watch)
    {
        // What came in since the change: each partition has some of it.
        await Task.Delay(TimeSpan.FromMilliseconds(500));
        await watch.Passes(_arena.Ends(), Patience);
        await Ready([.. _nodes.Keys]);
    }

    private async Task Ready(params string[] nodes)
    {
        foreach (var node in nodes)
            Assert.True(await _nodes[node].Until(() => IsReady(_nodes[node]), Patience), $"{node} is not ready:\n{_nodes[node].Output}");
    }

    private static async Task<bool> IsReady(EngineProcess node)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        try
        {
            using var reply = await http.GetAsync($"http://127.0.0.1:{node.Port}/healthz/ready");
            return reply.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    private IReadOnlyList<EngineProcess> Nodes()
    {
        lock (_changing) return [.. _nodes.Values];
    }

    private void Take(string node)
    {
        lock (_changing) _nodes.Remove(node);
    }

    private void Start(string node)
    {
        var engine = _arena.Start(1, drain: false, node,
        [
            "runtime.max_poll_records=100", "requests={enabled: true, fallbacks: {'*': offer-0}}", "runtime.wrong_partition=refuse",
            $"cluster={{address: 127.0.0.1, port: {_ports[node]}, seeds: [{string.Join(", ", _seeds)}]}}", .. Member.Short,
        ]);
        lock (_changing) _nodes[node] = engine;
    }

    /// <summary>Draws free ports; the first three nodes are the seeds.</summary>
    private void Ports(params string[] nodes)
    {
        var listeners = nodes.Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        foreach (var listener in listeners) listener.Start();
        for (var i = 0; i < nodes.Length; i++) _ports[nodes[i]] = ((IPEndPoint)listeners[i].LocalEndpoint).Port;
        foreach (var listener in listeners) listener.Dispose();
        _seeds = [.. nodes.Take(3).Select(n => $"'127.0.0.1:{_ports[n]}'")];
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable($"STREAMENGINE_REQUESTS_{name}"), out var number) ? number : otherwise;
}
