using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Features;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Savepoints;
using StreamEngine.State;
using StreamEngine.State.Checkpoints;
using StreamEngine.State.Savepoints;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Savepoints;

/// <summary>Savepoints made while an engine works: each stands at one commit, whatever is decided and checkpointed meanwhile.</summary>
public sealed class LiveSavepointTests : IDisposable
{
    private const int Partitions = 2;
    private readonly string _folder = Directory.CreateTempSubdirectory("live-savepoint-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(1, false, false)]
    [InlineData(2, false, true)]
    [InlineData(3, true, false)]
    [InlineData(4, true, true)]
    public async Task Taken_beside_a_live_engine_it_leads_to_the_same_state(int seed, bool twoSources, bool checkpoints)
    {
        var options = Scenario.Options(twoSources) with
        {
            Runtime = new RuntimeOptions { MaxPollRecords = 5, CommitInterval = TimeSpan.FromMilliseconds(1) },
            Checkpoints = new CheckpointOptions { Interval = TimeSpan.FromTicks(1) },
        };
        using var log = new EmbeddedLog(new EmbeddedLogOptions(Path.Combine(_folder, "log"))
        {
            WriteMemoryBytes = 4 << 20,
            PageBytes = 1 << 20,
            SegmentBytes = 16 << 20
        });
        log.CreateTopics(Topics.Needed(options, Partitions));

        var taken = new List<string>();
        using (var engine = Scenario.Compile(options, new LinearModels(1)))
        using (var running = new Engine(Settings(engine, log, checkpoints ? "own" : null)))
        {
            running.Start();
            var writing = Task.Run(() => Write(log, options, seed, TimeSpan.FromMilliseconds(10)));
            while (!writing.IsCompleted)
            {
                await Task.Delay(10);
                if (log.Committed(options.Name, new TopicPartition(options.Events[0].Topic, 0)) is null) continue;
                var taker = new SavepointTaker(Settings(engine, new FarLog(log), null), p => checkpoints ? Folder("own", p) : null);
                var folder = Path.Combine(_folder, $"savepoint-{taken.Count}");
                taker.Take(folder, (_, _) => { }, CancellationToken.None);
                taken.Add(folder);
            }
            await writing;
            running.Stop();
            await running.Completion;
        }
        var ends = Ends(log, options);
        var midway = taken.Where(f => SavepointFolder.Read(f).Shards.Any(s => s.Offsets[0] > 0 && s.Offsets[0] < ends[0][s.Shard]))
            .ToList();
        Assert.NotEmpty(midway);

        var expected = Profiles(log, options, null, out _);
        foreach (var savepoint in midway.Take(1).Concat(midway.TakeLast(3)))
        {
            using var engine = Scenario.Compile(options, new LinearModels(2));
            var restored = Path.GetFileName(savepoint) + "-restored";
            var restorer = new SavepointRestorer(Settings(engine, log, null), savepoint, backfill: false, new ConfigErrors());
            Assert.All(restorer.Restore(p => Folder(restored, p), (_, _) => { }, CancellationToken.None).Items, i =>
                Assert.Equal(ItemFate.Kept, i.Fate));
            var profiles = Profiles(log, options, restored, out var loaded);
            Assert.Equal(restorer.Manifest.Profiles, loaded);
            Assert.Equal(expected, profiles);
        }
    }

    [Fact]
    public async Task Restored_state_replaces_what_the_checkpoint_topic_holds()
    {
        var old =
            Scenario.Options() with { Checkpoints = new CheckpointOptions { Interval = TimeSpan.FromTicks(1), Topic = "checkpoints" } };
        var changed =
            old with { Features = [.. old.Features, new FeatureOptions { Name = "top", Op = FeatureOperator.Max, Of = "event.value" }] };
        using var log = new EmbeddedLog(new EmbeddedLogOptions(Path.Combine(_folder, "log"))
        {
            WriteMemoryBytes = 4 << 20,
            PageBytes = 1 << 20,
            SegmentBytes = 16 << 20
        });
        log.CreateTopics(Topics.Needed(old, Partitions));
        await Write(log, old, 5, TimeSpan.Zero);
        using (var engine = Scenario.Compile(old, new LinearModels(1)))
        {
            using (var running = new Engine(Settings(engine, log, null)))
            {
                running.Start(drain: true);
                await running.Completion.WaitAsync(TimeSpan.FromSeconds(60));
            }
            new SavepointTaker(Settings(engine, log, null), _ => null)
                .Take(Path.Combine(_folder, "a"), (_, _) => { }, CancellationToken.None);
        }
        // The changed config is rebuilt from the log, and the topic gets it all; then somebody restores the savepoint after all.
        var rebuilt = Profiles(log, changed, null, out _, cuts: 1);
        using (var engine = Scenario.Compile(changed, new LinearModels(1)))
            new SavepointRestorer(Settings(engine, log, null), Path.Combine(_folder, "a"), backfill: false, new ConfigErrors())
                .Restore(p => Folder("files", p), (_, _) => { }, CancellationToken.None);
        var restored = Profiles(log, changed, "files", out _, cuts: 1);
        Assert.NotEqual(rebuilt, restored);
        Assert.Equal(restored, Profiles(log, changed, null, out var loaded));
        Assert.True(loaded >= restored.Count);
    }

    /// <summary>Appends the scenario's events, with a pause after every hundred.</summary>
    private static async Task Write(EmbeddedLog log, EngineOptions options, int seed, TimeSpan pause)
    {
        using var writer = log.OpenWriter();
        var random = new Random(seed);
        foreach (var chunk in Scenario.Events(6_000, 60, seed).Chunk(100))
        {
            foreach (var (key, json, time) in chunk)
                writer.Write(options.Events[random.Next(options.Events.Count)].Topic, Encoding.UTF8.GetBytes(key),
                    Encoding.UTF8.GetBytes(json), time);
            writer.Flush();
            await Task.Delay(pause);
        }
    }

    private string Folder(string name, int partition) => Path.Combine(_folder, name, $"{partition}");

    private WorkerSettings Settings(CompiledEngine engine, ILog log, string? checkpoints) => new()
    {
        Engine = engine,
        Log = log,
        InstanceId = "w",
        OpenStore = _ => new MemoryStateStore(),
        OpenCheckpoints = checkpoints is null ? null : (p, report) => new CheckpointFiles(Folder(checkpoints, p), report),
        SliceBytes = 2_000,
    };

    private static long[][] Ends(ILog log, EngineOptions options) =>
        [.. options.Events
        .Select(e => Enumerable.Range(0, Partitions).Select(p => log.Watermarks(new TopicPartition(e.Topic, p)).High).ToArray())];

    /// <summary>What a worker restores and ends with, from checkpoints or from the log alone, without what names the cut.</summary>
    private SortedDictionary<string, string> Profiles(ILog log, EngineOptions options, string? checkpoints, out long loaded, int cuts = 0)
    {
        using var engine = Scenario.Compile(options, new LinearModels(3));
        using var metrics = new EngineMetrics(engine);
        using var worker = new Worker(Settings(engine, log, checkpoints), metrics, Topics.Check(log, engine));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        // To the end: the engine before may have been stopped anywhere.
        var ends = Ends(log, options);
        worker.Run(patience.Token, w =>
        {
            var reached = 0;
            w.Reached(ends, _ => reached++);
            return reached < Partitions || w.Shards.Values.Any(s => s.Counters.Checkpoints < cuts);
        });
        Assert.False(patience.IsCancellationRequested);
        loaded = metrics.Totals().Loaded;
        var profiles = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var shard in worker.Shards.Values) shard.Scan(new Copy(profiles));
        return profiles;
    }

    private sealed class Copy(SortedDictionary<string, string> profiles) : IProfileVisitor
    {
        public void Visit(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile)
        {
            var copy = profile.ToArray();
            StateLayout.Epoch(copy) = 0;
            profiles.Add(Encoding.UTF8.GetString(key), Convert.ToHexString(copy));
        }
    }

    /// <summary>
    /// A log whose answers about ends take a while: the engine commits and decides between what is committed and the decision partition's
    /// end.
    /// </summary>
    private sealed class FarLog(ILog log) : ILog
    {
        public (long Low, long High) Watermarks(TopicPartition partition)
        {
            using var never = new ManualResetEventSlim();
            never.Wait(TimeSpan.FromMilliseconds(10));
            return log.Watermarks(partition);
        }

        public int Partitions(string topic) => log.Partitions(topic);

        public IReadOnlyList<string> CreateTopics(IReadOnlyList<TopicSpec> topics) => log.CreateTopics(topics);

        public IReadOnlyList<TopicInfo> ListTopics() => log.ListTopics();

        public long? Committed(string group, TopicPartition partition) => log.Committed(group, partition);

        public ILogWorker OpenWorker(WorkerOptions options) => throw new InvalidOperationException("a savepoint joins no group");

        public ILogReader OpenReader() => log.OpenReader();

        public ILogWriter OpenWriter() => throw new InvalidOperationException("a savepoint writes nothing to the log");

        public void Dispose()
        {
        }
    }
}
