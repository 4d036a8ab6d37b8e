using StreamEngine.Connectors;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;
using StreamEngine.State;
using StreamEngine.Testing.Simulation;
using StreamEngine.Tests.Simulation;
using Xunit;

namespace StreamEngine.Tests.Requests;

/// <summary>Answers wait for their commit: those of a shard that is lost before it are never given, the others' are.</summary>
public sealed class LostShardTests : IDisposable
{
    private readonly SimEngines _engines = new(Delivery.ExactlyOnce);
    private readonly SimTasks _tasks = new();
    private readonly Sick _sick = new() { IsWell = true };
    private readonly SimLog _log;
    private readonly EngineMetrics _metrics;
    private readonly ShardDirectory _directory = new(2);
    private readonly Worker _worker;
    private readonly RequestCompiler _compiler;

    public LostShardTests()
    {
        _log = new SimLog(SimLogKind.Kafka, _sick);
        _log.CreateTopics(Topics.Needed(SimEngines.Options(twoSources: false), 2));
        var engine = _engines[1, 0];
        _metrics = new EngineMetrics(engine);
        _compiler = new RequestCompiler(engine);
        var settings = new WorkerSettings
        {
            Engine = engine,
            Log = _log,
            InstanceId = "w",
            OpenStore = _ =>
            new MemoryStateStore(),
            Time = _sick.Time,
            Background = _tasks,
            Directory = _directory
        };
        _worker = new Worker(settings, _metrics, Topics.Check(_log, engine));
    }

    public void Dispose()
    {
        _worker.Dispose();
        _metrics.Dispose();
        _engines.Dispose();
    }

    [Fact]
    public async Task AnswersOfALostShard_AreNeverGiven()
    {
        Restore();
        _sick.IsWell = false;
        var (lost, kept) = (Ask("c0", 0), Ask("c1", 1));
        Turn(5);
        Assert.False(lost.IsCompleted || kept.IsCompleted);

        ((IOwnership)_worker).Lost([new TopicPartition("shop", 0)]);
        Assert.Equal(RequestStatus.Moved, (await lost.WaitAsync(TimeSpan.Zero)).Status);
        Turn(1); // the commit that was under way fails; the next try is without the lost shard
        _sick.IsWell = true;
        Turn(5);
        Assert.Equal(RequestStatus.Done, (await kept.WaitAsync(TimeSpan.Zero)).Status);
        Assert.Empty(_log.Known(new TopicPartition("decisions", 0)).Committed());
        Assert.Single(_log.Known(new TopicPartition("decisions", 1)).Committed());
    }

    [Fact]
    public async Task WhatWaitsInAnInbox_IsToldToAskElsewhere()
    {
        Restore();
        var waiting = Ask("c0", 0);
        ((IOwnership)_worker).Lost([new TopicPartition("shop", 0)]);
        Assert.Equal(RequestStatus.Moved, (await waiting.WaitAsync(TimeSpan.Zero)).Status);
        Assert.Null(_directory.Find(0));
    }

    [Fact]
    public async Task AShardThatIsRestored_SaysHowFarItIs()
    {
        Turn(1);
        var asked = Ask("c0", 0);
        Assert.Equal(RequestStatus.Restoring, (await asked.WaitAsync(TimeSpan.Zero)).Status);
    }

    private void Restore()
    {
        for (var i = 0; _worker.Shards.Count < 2 && i < 100; i++)
        {
            while (_tasks.Count > 0) _tasks.RunOne();
            Turn(1);
        }
    }

    private Task<DecideReply> Ask(string prefix, int partition)
    {
        var customer = Enumerable.Range(0, 100).Select(i => $"{prefix}-{i}")
            .First(c => Murmur2.Partition(System.Text.Encoding.UTF8.GetBytes(c), 2) == partition);
        var call = _compiler.Compile(new DecideRequest { Customer = customer, Id = customer }, 0, long.MaxValue, [])!;
        _directory.Find(partition)!.Enqueue(call);
        return call.Answered;
    }

    private void Turn(int turns)
    {
        for (; turns > 0; turns--) _worker.Turn();
    }

    private sealed class Sick : SimSchedule
    {
        public bool IsWell { get; set; }

        public override SimFate Fate() => IsWell ? SimFate.Commit : SimFate.Abort;

        public override void At(SimPoint point) => Time.Advance(TimeSpan.FromMilliseconds(5));
    }
}
