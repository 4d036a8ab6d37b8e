using System.Collections.Concurrent;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Host.Run;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>A log that does not answer is seen in the log, in /healthz and in the metrics, and so is its return.</summary>
public sealed class LogAwayTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("log-away-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_log_that_does_not_answer_is_told()
    {
        var told = new ConcurrentQueue<WorkerEvent>();
        var options = Scenario.Options();
        using var log = new Interrupted(new EmbeddedLog(new EmbeddedLogOptions(_folder)
        {
            WriteMemoryBytes = 4 << 20,
            PageBytes = 1 << 20,
            SegmentBytes = 16 << 20
        }));
        log.CreateTopics(Topics.Needed(options, 1));
        using var compiled = Scenario.Compile(options, new LinearModels(1));
        using var engine = EngineOn(log, compiled, told);
        engine.Start();
        await Until(() => RunCommand.Health(engine) is { Ready: true, Workers.Count: 1 } && engine.Owned.Count == 1);

        log.Away = true;
        await Until(() => RunCommand.Health(engine).Status == "waiting");
        Assert.Equal("log", Assert.Single(RunCommand.Health(engine).Away).Dependency);
        Assert.Contains(told, t => t.Warning
            && t.Text.StartsWith("The log does not answer: the broker is down.", StringComparison.Ordinal));

        log.Away = false;
        await Until(() => RunCommand.Health(engine).Ready);
        Assert.Contains(told, t => !t.Warning && t.Text.StartsWith("The log answers again after ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_log_that_is_away_before_there_are_shards_is_told()
    {
        var told = new ConcurrentQueue<WorkerEvent>();
        var options = Scenario.Options();
        using var log = new Interrupted(new EmbeddedLog(new EmbeddedLogOptions(_folder)));
        log.CreateTopics(Topics.Needed(options, 1));
        using var compiled = Scenario.Compile(options, new LinearModels(1));
        using var engine = EngineOn(log, compiled, told);
        log.Away = true;
        engine.Start(); // its worker waits for its producer
        await Until(() => RunCommand.Health(engine).Status == "waiting");
        Assert.Empty(engine.Owned);
        log.Away = false;
        await Until(() => RunCommand.Health(engine).Ready && engine.Owned.Count == 1);
    }

    [Fact]
    public async Task A_worker_that_is_stopped_while_it_waits_for_the_log_ends_the_engine_in_order()
    {
        var told = new ConcurrentQueue<WorkerEvent>();
        var options = Scenario.Options();
        using var stop = new CancellationTokenSource();
        using var log = new Interrupted(new EmbeddedLog(new EmbeddedLogOptions(_folder))) { Stop = stop.Token };
        log.CreateTopics(Topics.Needed(options, 1));
        using var compiled = Scenario.Compile(options, new LinearModels(1));
        using var engine = EngineOn(log, compiled, told);
        log.Away = true;
        engine.Start();
        await Until(() => RunCommand.Health(engine).Status == "waiting");
        await stop.CancelAsync();
        await engine.Completion.WaitAsync(Long);
        Assert.Contains(told, t => t.Warning && t.Text.StartsWith("Worker 0 was stopped while it waited for the log. Nothing is lost",
            StringComparison.Ordinal));
    }

    private static Engine EngineOn(ILog log, CompiledEngine compiled, ConcurrentQueue<WorkerEvent> told) => new(new WorkerSettings
    {
        Engine = compiled,
        Log = log,
        InstanceId = "w",
        OpenStore = _ => new MemoryStateStore(),
        Report = told.Enqueue,
    });

    private static async Task Until(Func<bool> holds)
    {
        for (var began = TimeProvider.System.GetTimestamp(); !holds(); await Task.Delay(20))
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Long);
    }

    /// <summary>A log that can stop telling where its partitions end.</summary>
    private sealed class Interrupted(ILog inner) : ILog
    {
        public volatile bool Away;

        public IReadOnlyList<long> Ends(IReadOnlyList<TopicPartition> partitions) =>
            Away ? throw new LogException("the broker is down.") : inner.Ends(partitions);

        public int Partitions(string topic) => inner.Partitions(topic);

        public IReadOnlyList<string> CreateTopics(IReadOnlyList<TopicSpec> topics) => inner.CreateTopics(topics);

        public IReadOnlyList<TopicInfo> ListTopics() => inner.ListTopics();

        public (long Low, long High) Watermarks(TopicPartition partition) => inner.Watermarks(partition);

        public long? Committed(string group, TopicPartition partition) => inner.Committed(group, partition);

        public CancellationToken Stop { get; init; }

        public ILogWorker OpenWorker(WorkerOptions options)
        {
            while (Away) Task.Delay(5, Stop).GetAwaiter().GetResult();
            return inner.OpenWorker(options);
        }

        public ILogReader OpenReader() => inner.OpenReader();

        public ILogWriter OpenWriter() => inner.OpenWriter();

        public void Dispose() => inner.Dispose();
    }
}
