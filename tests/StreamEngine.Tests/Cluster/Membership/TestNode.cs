using System.Collections.Concurrent;
using Akka.Actor;
using StreamEngine.Cluster;
using StreamEngine.Cluster.Membership;
using StreamEngine.Testing;
using Xunit;
using AkkaCluster = Akka.Cluster.Cluster;

namespace StreamEngine.Tests.Cluster.Membership;

/// <summary>A node of a cluster of several in one process, with times a tenth of what operators have.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly ConcurrentQueue<string> _lines = [];

    private TestNode(ClusterSettings settings)
    {
        Node = new ClusterNode(settings with
        {
            Report = e => _lines.Enqueue($"{TimeProvider.System.GetUtcNow():ss.fff} {(e.Warning ? "! " : "")}{e.Text}"),
            Parts = [Part],
        });
        Node.Start();
    }

    public ClusterNode Node { get; }

    public RecordingPart Part { get; } = new();

    public string Lines => string.Join('\n', _lines);

    public static TestNode Start(string name, ClusterOptions options, Func<ClusterSettings, ClusterSettings>? change = null)
    {
        var settings = new ClusterSettings
        {
            Options = options,
            Engine = "shop",
            Node = name,
            Folder = "/",
            SessionTimeout = TimeSpan.FromSeconds(15),
            Report = _ => { },
            LookEvery = TimeSpan.FromSeconds(0.5),
        };
        return new TestNode(change?.Invoke(settings) ?? settings);
    }

    public static ClusterOptions Options(int port, params int[] seeds) => new()
    {
        Address = "127.0.0.1",
        Port = port,
        Seeds = [.. seeds.Select(s => $"127.0.0.1:{s}")],
        GossipInterval = TimeSpan.FromSeconds(0.2),
        FormAfter = TimeSpan.FromSeconds(0.5),
        RejoinAfter = TimeSpan.FromSeconds(0.2),
        Downing = new DowningOptions { StableAfter = TimeSpan.FromSeconds(0.5), Margin = TimeSpan.FromSeconds(0.1) },
        FailureDetector = new FailureDetectorOptions { Heartbeat = TimeSpan.FromSeconds(0.2), Pause = TimeSpan.FromSeconds(15) },
    };

    /// <summary>
    /// For nodes that are cut off from each other: who is not heard for two seconds is away. Elsewhere that is too short, as many tests run
    /// at a time and may keep a node from its processor for as long.
    /// </summary>
    public static FailureDetectorOptions Quick { get; } = new()
    {
        Heartbeat = TimeSpan.FromSeconds(0.2),
        Pause = TimeSpan.FromSeconds(2),
    };

    public static int[] FreePorts(int count)
    {
        var ports = new HashSet<int>();
        while (ports.Count < count) ports.Add(FreePort.Find());
        return [.. ports];
    }

    /// <summary>
    /// Waits until all of these see all of these, and no others, up and heard, and the same leader: Akka tells of it behind the members.
    /// </summary>
    public static async Task Formed(params TestNode[] nodes)
    {
        var addresses = nodes.Select(n => n.Node.Address).Order(StringComparer.Ordinal).ToList();
        await Until(() =>
        {
            var views = nodes.Select(n => n.Node.View).ToList();
            return views.All(v => v.IsUp && v.Leader is not null && v.Leader == views[0].Leader && addresses.Contains(v.Leader)
                && v.Members.All(m => m is { Status: "up", Reachable: true })
                && v.Members.Select(m => m.Address).Order(StringComparer.Ordinal).SequenceEqual(addresses));
        }, nodes);
    }

    public static async Task Until(Func<bool> holds, params TestNode[] nodes)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience,
                string.Join("\n\n", nodes.Select(n => $"{n.Node.Address} {n.Node.View}\n{n.Lines}")));
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    /// <summary>Takes another node out of the cluster, as a downing strategy does.</summary>
    public void Down(TestNode other)
    {
        var cluster = AkkaCluster.Get(Part.System);
        cluster.Down(AkkaCluster.Get(other.Part.System).SelfAddress);
    }

    public ValueTask DisposeAsync() => Node.DisposeAsync();
}

/// <summary>Notes which actor systems it was given, and that none is kept.</summary>
internal sealed class RecordingPart : IClusterPart
{
    private volatile ActorSystem? _system;
    private int _attached, _detached;

    public ActorSystem System => _system ?? throw new InvalidOperationException("nothing is attached");

    public int Attached => Volatile.Read(ref _attached);

    public int Detached => Volatile.Read(ref _detached);

    public void Attach(ActorSystem system)
    {
        Assert.Null(_system);
        _system = system;
        Interlocked.Increment(ref _attached);
    }

    public void Detach()
    {
        Assert.NotNull(_system);
        _system = null;
        Interlocked.Increment(ref _detached);
    }
}
