using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>
/// A worker whose loop fails amid a batch goes without committing what the failed step left half done: the next one makes all of it again.
/// </summary>
public sealed class BrokenWorkerTests : IDisposable
{
    private const int Partitions = 2;
    private readonly string _folder = Directory.CreateTempSubdirectory("broken-").FullName;

    private static readonly EngineOptions Options =
        Scenario.Options() with { Runtime = new RuntimeOptions { MaxPollRecords = 200, CommitInterval = TimeSpan.FromMilliseconds(1) } };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(150)]
    [InlineData(333)]
    [InlineData(1_111)]
    public void A_step_that_fails_amid_a_batch_is_not_committed_on_the_way_out(int updates)
    {
        using (var log = Open("broken"))
        {
            var error = Assert.Throws<IOException>(() => Live(log, () => new FailingStore(updates)));
            Assert.Equal("the disk failed", error.Message);
        }
        using var twice = Open("broken");
        Live(twice, () => new MemoryStateStore());
        using var once = Open("once");
        Live(once, () => new MemoryStateStore());
        for (var p = 0; p < Partitions; p++)
        {
            Assert.NotEmpty(Decisions(once, p));
            Assert.Equal(Decisions(once, p), Decisions(twice, p));
        }
    }

    /// <summary>The log of that name, filled with the same events when it is new.</summary>
    private EmbeddedLog Open(string name)
    {
        var log = new EmbeddedLog(new EmbeddedLogOptions(Path.Combine(_folder, name))
        {
            WriteMemoryBytes = 4 << 20,
            PageBytes = 1 << 20,
            SegmentBytes = 16 << 20
        });
        if (log.CreateTopics(Topics.Needed(Options, Partitions)).Count == 0) return log;
        using var writer = log.OpenWriter();
        foreach (var (key, json, time) in Scenario.Events(3_000, 60, seed: 5))
            writer.Write(Options.Events[0].Topic, Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(json), time);
        writer.Flush();
        return log;
    }

    private static void Live(EmbeddedLog log, Func<IStateStore> open)
    {
        using var engine = Scenario.Compile(Options, new LinearModels(1));
        using var metrics = new EngineMetrics(engine);
        using var worker = new Worker(new WorkerSettings { Engine = engine, Log = log, InstanceId = "w", OpenStore = _ => open() }, metrics,
            Topics.Check(log, engine));
        long[][] ends =
            [[.. Enumerable.Range(0, Partitions).Select(p => log.Watermarks(new TopicPartition(Options.Events[0].Topic, p)).High)]];
        worker.Run(CancellationToken.None, w =>
        {
            var reached = 0;
            w.Reached(ends, _ => reached++);
            return reached < Partitions;
        });
    }

    private static List<string> Decisions(EmbeddedLog log, int partition)
    {
        var all = new List<string>();
        var at = new TopicPartition(Options.Outputs.Decisions, partition);
        using var reader = log.OpenReader();
        reader.Assign(at, 0);
        var batch = new RecordBatch();
        for (var end = log.Watermarks(at).High; reader.Position < end;)
        {
            reader.Read(batch, 1_000, TimeSpan.FromMilliseconds(50));
            for (var i = 0; i < batch.Count; i++) all.Add(Convert.ToHexString(batch.Value(i)));
        }
        return all;
    }

    /// <summary>A store whose disk fails after so many updates.</summary>
    private sealed class FailingStore(int updates) : IStateStore
    {
        private readonly MemoryStateStore _store = new();
        private int _left = updates;

        public long Count => _store.Count;

        public long MemoryBytes => _store.MemoryBytes;

        public void Update(ReadOnlySpan<byte> key, IProfileUpdate update)
        {
            if (_left-- <= 0) throw new IOException("the disk failed");
            _store.Update(key, update);
        }

        public bool TryUpdate(ReadOnlySpan<byte> key, IProfileUpdate update)
        {
            if (_left-- <= 0) throw new IOException("the disk failed");
            return _store.TryUpdate(key, update);
        }

        public bool Read(ReadOnlySpan<byte> key, IProfileReader reader) => _store.Read(key, reader);

        public bool Delete(ReadOnlySpan<byte> key) => _store.Delete(key);

        public void Scan(IProfileVisitor visitor) => _store.Scan(visitor);

        public void Tidy() => _store.Tidy();

        public void Dispose() => _store.Dispose();
    }
}
