using Akka.Actor;
using Akka.DistributedData;
using Akka.DistributedData.Serialization;
using StreamEngine.Cluster.Routing;
using StreamEngine.Cluster.Switches;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Decisions;
using StreamEngine.Runtime;
using StreamEngine.Testing;
using StreamEngine.Tests.Runtime;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.Tests.Cluster;

/// <summary>Two nodes, each with an ActorSystem of its own on the loopback and its own reader of the control topic.</summary>
public sealed class ClusterSwitchesTests(ITestOutputHelper output) : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("streamengine-");
    private readonly CompiledEngine _engine = Scenario.Compile(Scenario.Options(), new LinearModels(1));
    private EmbeddedLog _topic = null!;
    private Node _a = null!, _b = null!;

    public async Task InitializeAsync()
    {
        _topic = Open("first");
        _a = new Node(_engine, _topic);
        _b = new Node(_engine, _topic);
        await Task.WhenAll(_a.JoinAsync(_a), _b.JoinAsync(_a));
        await Until(() => _a.Members == 2 && _b.Members == 2, "two members");
    }

    public async Task DisposeAsync()
    {
        await _a.DisposeAsync();
        await _b.DisposeAsync();
        _topic.Dispose();
        _folder.Delete(recursive: true);
        _engine.Dispose();
    }

    [Fact]
    public async Task A_node_whose_topic_stands_still_follows_switches_by_the_other()
    {
        _a.Start();
        _b.Start();
        await Until(() => _a.Board.IsReady && _b.Board.IsReady, "both to have read the topic");
        _b.Log.IsAway = true;
        await Until(() => _b.Told.Any(t => t.Warning), "the topic to stand still");
        var took = new List<double>();
        for (var i = 0; i < 6; i++)
        {
            var off = i % 2 == 0;
            Write(_topic, "offer:a", off);
            var started = 0L;
            await Until(() =>
            {
                if (started == 0 && _a.Off == (off ? "offer:a" : "")) started = TimeProvider.System.GetTimestamp();
                return _b.Off == (off ? "offer:a" : "");
            }, "the other node to follow", poll: 1);
            took.Add(started == 0 ? 0 : TimeProvider.System.GetElapsedTime(started).TotalMilliseconds);
        }
        output.WriteLine($"behind the node that has read it: {string.Join(", ", took.Select(t => $"{t:F0}"))} ms");
        Assert.Equal(6, _b.Board.HeardByCluster);
        Assert.Equal(0, _b.Board.HeardByTopic);
        Assert.Empty(_b.Board.Read.Records);
        Assert.Equal(_a.Board.Current.Version, _b.Board.Current.Version);
        // The topic comes back, and says the same.
        _b.Log.IsAway = false;
        await Until(() => _b.Board.Read.Records.Count == 1, "the topic to be read again");
        Assert.Equal((6L, 0L, ""), (_b.Board.HeardByCluster, _b.Board.HeardByTopic, _b.Off));
    }

    [Fact]
    public async Task A_node_that_joins_later_hears_what_was_switched_before()
    {
        _a.Start();
        _b.Start();
        await Until(() => _a.Board.IsReady && _b.Board.IsReady, "both to have read the topic");
        await _b.EndSystemAsync();
        _a.DownOthers();
        _b.Log.IsAway = true;
        await Until(() => _b.Told.Any(t => t.Warning), "the topic to stand still");
        Write(_topic, "channel:default", off: true);
        await Until(() => _a.Off == "channel:default", "the node that reads it");
        Assert.Equal("", _b.Off);
        _b.MakeSystem();
        await _b.JoinAsync(_a);
        await Until(() => _b.Off == "channel:default", "the other node to follow");
    }

    /// <summary>The new topic's low offsets hold, whichever node notices it first; the old one's entries are taken out.</summary>
    [Fact]
    public async Task A_topic_that_was_made_anew_is_not_overtaken_by_the_old_one()
    {
        for (var i = 0; i < 5; i++) Write(_topic, "offer:a", off: true);
        _a.Start();
        _b.Start();
        await Until(() => _a.Off == "offer:a" && _b.Off == "offer:a", "both to have read the topic");
        await Until(() => _a.Shared().Result.Count == 1, "it to be shared");
        using var other = Open("second");
        Write(other, "offer:b", off: true);
        _a.Log.MakeAnew(other, "t2");
        await Until(() => _a.Off == "offer:b", "the first node to read the new topic");
        await Until(() => _b.Shared().Result is [{ TopicId: "t2" }], "the old topic's entries to go");
        await _b.SettleAsync();
        Assert.Equal("offer:a", _b.Off); // it reads the old topic still
        _b.Log.MakeAnew(other, "t2");
        await Until(() => _b.Off == "offer:b", "the second node to read the new topic");
    }

    [Fact]
    public async Task What_the_topic_does_not_confirm_is_taken_back_everywhere()
    {
        _b.Look(1);
        // The first node has read a record that the log has lost since.
        _a.Board.Follow("t1");
        _a.Board.Ready();
        _a.Board.Offer(new SwitchRecord(new SwitchTarget(SwitchKind.Offer, "a"), 70, true, "ann", "", DateTimeOffset.UtcNow));
        await Until(() => _b.Off == "offer:a", "the second node to follow");
        _b.Look(19);
        Assert.Equal("offer:a", _b.Off);
        _b.Look(1);
        Assert.Equal("", _b.Off);
        await Until(() => _a.Shared().Result.Count == 0, "the entry to go");
    }

    [Fact]
    public void Maps_of_switches_are_written_by_the_serializers_that_are_meant_for_them()
    {
        var map = LWWDictionary<string, SharedSwitch>.Empty.SetItem(_a.Cluster, "t/offer:a", new SharedSwitch("t",
            new SwitchRecord(new SwitchTarget(SwitchKind.Offer, "a"), 7, true, "ann", "why", DateTimeOffset.UnixEpoch)));
        var serializer = Assert.IsType<ReplicatedDataSerializer>(_a.System.Serialization.FindSerializerFor(map));
        var bytes = serializer.ToBinary(map);
        Assert.Equal(map, serializer.FromBinary(bytes, serializer.Manifest(map)));
        Assert.DoesNotContain("$type", System.Text.Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
        output.WriteLine($"{bytes.Length} bytes");
    }

    private EmbeddedLog Open(string name)
    {
        var log = new EmbeddedLog(new EmbeddedLogOptions(Path.Combine(_folder.FullName, name)));
        log.CreateTopics([ControlTopic.Spec("control")]);
        return log;
    }

    private static void Write(EmbeddedLog log, string what, bool off)
    {
        Assert.True(SwitchTarget.TryParse(what, out var target));
        new ControlTopic(log, "control").Write([new SwitchRecord(target, -1, off, "ann", "a reason", DateTimeOffset.UtcNow)]);
    }

    private static async Task Until(Func<bool> holds, string what, int poll = 20)
    {
        for (var began = TimeProvider.System.GetTimestamp(); !holds(); await Task.Delay(poll))
            Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(90), $"Waited in vain for {what}");
    }

    private sealed class Node : IAsyncDisposable
    {
        private readonly ControlReader _reader;
        private readonly ClusterSwitches _part;

        public Node(CompiledEngine engine, EmbeddedLog topic)
        {
            Log = new ControlLog(topic, "t1");
            Board = new SwitchBoard(engine.Policy);
            _reader = new ControlReader(Log, "control", Board, TimeProvider.System, e =>
            {
                lock (Lines) Lines.Add(e);
            });
            _part = new ClusterSwitches(Board);
            MakeSystem();
        }

        public ControlLog Log { get; }

        public SwitchBoard Board { get; }

        public ActorSystem System { get; private set; } = null!;

        public Akka.Cluster.Cluster Cluster => Akka.Cluster.Cluster.Get(System);

        public int Members => Cluster.State.Members.Count(m => m.Status == Akka.Cluster.MemberStatus.Up);

        public string Off => string.Join(' ', Board.Current.Off);

        public IReadOnlyList<WorkerEvent> Told
        {
            get
            {
                lock (Lines) return [.. Lines];
            }
        }

        private List<WorkerEvent> Lines { get; } = [];

        public void Start() => _reader.Start();

        /// <summary>Looks at the topic so many times, without a rest.</summary>
        public void Look(int times)
        {
            for (; times > 0; times--) _reader.Turn();
        }

        public void MakeSystem()
        {
            System = ActorSystem.Create("shop", RoutingCluster.Settings.WithFallback(ClusterSwitches.Config)
                .WithFallback(ClusterRouting.Config));
            _part.Attach(System);
        }

        public Task JoinAsync(Node seed) => Cluster.JoinAsync(seed.Cluster.SelfAddress);

        /// <summary>Takes every other node out.</summary>
        public void DownOthers()
        {
            foreach (var member in Cluster.State.Members.Where(m => m.Address != Cluster.SelfAddress)) Cluster.Down(member.Address);
        }

        public Task EndSystemAsync()
        {
            _part.Detach();
            return System.Terminate();
        }

        /// <summary>Ends once the board was told what is in the map.</summary>
        public async Task SettleAsync()
        {
            var replicator = DistributedData.Get(System).Replicator;
            replicator.Tell(FlushChanges.Instance);
            await replicator.Ask<IGetResponse>(Dsl.Get(SwitchSharer.Key, ReadLocal.Instance));
            await System.ActorSelection($"/user/{SwitchSharer.Name}").Ask<ActorIdentity>(new Identify(1));
        }

        /// <summary>What is in the map of this node.</summary>
        public async Task<IReadOnlyList<SharedSwitch>> Shared()
        {
            var answer = await DistributedData.Get(System).Replicator.Ask<IGetResponse>(Dsl.Get(SwitchSharer.Key, ReadLocal.Instance));
            return answer.IsFound ? [.. answer.Get(SwitchSharer.Key).Entries.Values] : [];
        }

        public async ValueTask DisposeAsync()
        {
            _reader.Dispose();
            _part.Dispose();
            await System.Terminate();
        }
    }
}
