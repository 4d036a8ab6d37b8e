using System.Diagnostics.Metrics;
using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.Testing.Simulation;
using Xunit;

namespace StreamEngine.Tests.Simulation;

/// <summary>
/// A log that takes no commit stalls the poll: the interval stays as it is, and the stream goes on by itself once the log is well.
/// </summary>
public sealed class BackpressureTests : IDisposable
{
    private const int Records = 400;
    private readonly SimEngines _engines = new(Delivery.ExactlyOnce);
    private readonly SimTasks _tasks = new();
    private readonly Sick _log = new();
    private readonly EngineMetrics _metrics;
    private readonly LagWatch _lag;
    private readonly Worker _worker;

    public BackpressureTests()
    {
        var log = new SimLog(SimLogKind.Kafka, _log);
        log.CreateTopics(Topics.Needed(SimEngines.Options(twoSources: false), 2));
        for (var i = 0; i < Records; i++)
            log.Known(new TopicPartition("shop", i % 2)).Append("c"u8, Encoding.UTF8.GetBytes($$"""{"id":"e{{i}}","customer":"c{{i}}","type":"page_view","time":{{_log.Time.GetUtcNow().ToUnixTimeMilliseconds()}},"value":0,"placement":"home","consent":["personalization"]}"""), 0);
        var engine = _engines[1, 0];
        _metrics = new EngineMetrics(engine);
        var settings = new WorkerSettings
        {
            Engine = engine,
            Log = log,
            InstanceId = "w",
            OpenStore = _ =>
            new MemoryStateStore(),
            Time = _log.Time,
            Background = _tasks
        };
        _worker = new Worker(settings, _metrics, Topics.Check(log, engine));
        _lag = new LagWatch(log, _metrics, ["shop"], new Outage("log", TimeProvider.System, _ => { }));
        Turn(1);
    }

    public void Dispose()
    {
        _worker.Dispose();
        _metrics.Dispose();
        _engines.Dispose();
    }

    [Fact]
    public void CommitsThatFail_StallThePoll()
    {
        while (_tasks.Count > 0) _tasks.RunOne();
        Turn(50);
        var held = _metrics.Totals().Records;
        Assert.InRange(held, 1, 60);
        Turn(50);
        Assert.Equal(held, _metrics.Totals().Records);
        Assert.Equal([(0, Records / 2), (1, Records / 2)], Lag());
        Recover();
        Assert.Equal([(0, 0L), (1, 0L)], Lag());
    }

    [Fact]
    public void ShardThatIsRestoredMeanwhile_WaitsToo()
    {
        _tasks.RunOne();
        Turn(50);
        var held = _metrics.Totals().Records;
        _tasks.RunOne();
        Turn(50);
        Assert.Equal(2, _worker.Shards.Count);
        Assert.Equal(held, _metrics.Totals().Records);
        Recover();
    }

    private void Recover()
    {
        _log.IsWell = true;
        Turn(200);
        Assert.Equal(Records, _metrics.Totals().Records);
        Assert.Equal(Records, _metrics.Totals().Decisions);
    }

    /// <summary>The lag by partition, as a collector of metrics sees it.</summary>
    private List<(int Partition, long Records)> Lag()
    {
        _lag.Ask();
        var seen = new List<(int, long)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "streamengine.lag" && _metrics.Owns(instrument)) listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) => seen.Add(((int)tags[1].Value!, value)));
        listener.Start();
        listener.RecordObservableInstruments();
        return [.. seen.Order()];
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
