using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;
using StreamEngine.State;
using StreamEngine.Telemetry;
using StreamEngine.Testing;
using StreamEngine.Testing.Simulation;
using StreamEngine.Tests.Simulation;
using Xunit;

namespace StreamEngine.Tests.Requests;

/// <summary>One trace per sampled interval with its steps, and a span per request that the interval is linked to.</summary>
public sealed class TraceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("traces-").FullName;
    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;

    public TraceTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == EngineTraces.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose()
    {
        _listener.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task An_interval_has_its_steps_and_is_linked_to_the_requests_it_served()
    {
        using var shop = new RequestShop(_folder);
        shop.Send("c1", "page_view", placement: "home");
        await shop.ReadAsync("c1", p => p.NewestEvent is not null);
        using var root = new Activity("page").SetIdFormat(ActivityIdFormat.W3C).Start();
        var reply = await shop.DecideAsync("c1", "ask-1");
        Assert.Equal(RequestStatus.Done, reply.Status);
        shop.Engine.Stop();
        await shop.Engine.Completion;

        // Other tests of this process may trace as well: only what hangs together with the request counts.
        var asked = Assert.Single(_ended, a => a.OperationName == "decide" && a.Kind == ActivityKind.Server && a.TraceId == root.TraceId);
        Assert.Equal("done", asked.GetTagItem("streamengine.status"));
        var interval = Assert.Single(_ended, a => a.OperationName == "interval" && a.Links.Any(l => l.Context.SpanId == asked.SpanId));
        Assert.Equal("committed", interval.GetTagItem("streamengine.outcome"));
        var steps = _ended.Where(a => a.ParentSpanId == interval.SpanId).Select(a => a.OperationName).ToHashSet();
        Assert.Superset(new HashSet<string> { "process", "decide", "write", "commit" }, steps);
        Assert.All(_ended.Where(a => a.ParentSpanId == interval.SpanId),
            a => Assert.True(a.StartTimeUtc >= interval.StartTimeUtc
            && a.StartTimeUtc + a.Duration <= interval.StartTimeUtc + interval.Duration));
        Assert.Contains(_ended, a => a.OperationName == "restore");
    }

    [Fact]
    public void Everything_written_in_an_interval_tells_its_span()
    {
        var log = new SimLog(SimLogKind.Kafka, new SimSchedule());
        log.CreateTopics(Topics.Needed(SimEngines.Options(twoSources: false), 1));
        var now = Scenario.Start;
        foreach (var id in new[] { "e1", "e2" })
            log.Known(new TopicPartition("shop", 0)).Append("c"u8, Encoding.UTF8.GetBytes($$"""
                {"id":"{{id}}","customer":"c","type":"page_view","time":{{now}},"value":0,"placement":"home","consent":["personalization"]}
                """), 0);
        using var engines = new SimEngines(Delivery.ExactlyOnce);
        var tasks = new SimTasks();
        using var metrics = new EngineMetrics(engines[1, 0]);
        using (var worker = new Worker(new WorkerSettings
        {
            Engine = engines[1, 0],
            Log = log,
            InstanceId = "traced",
            OpenStore = _ => new MemoryStateStore(),
            Time = new ManualTime(DateTimeOffset.FromUnixTimeMilliseconds(now)),
            Background = tasks,
        }, metrics, Topics.Check(log, engines[1, 0])))
        {
            for (var turn = 0; turn < 100; turn++)
            {
                while (tasks.Count > 0) tasks.RunOne();
                worker.Turn();
            }
            using var ended = new CancellationTokenSource();
            ended.Cancel();
            worker.Run(ended.Token);
        }

        var interval = Assert.Single(_ended, a => a.OperationName == "interval" && (string?)a.GetTagItem("streamengine.worker") == "traced"
            && (int)a.GetTagItem("streamengine.outputs")! > 0);
        Assert.Equal([interval.Id!, interval.Id!], Read("decisions"));
        Assert.Equal([interval.Id!, interval.Id!], Read("actions"));
        Assert.All(interval.Id!, c => Assert.True(char.IsAsciiHexDigitLower(c) || c == '-'));

        List<string> Read(string topic)
        {
            var batch = new RecordBatch { KeepsTraceParents = true };
            using var reader = log.OpenReader();
            reader.Assign(new TopicPartition(topic, 0), 0);
            reader.Read(batch, 100, TimeSpan.Zero);
            Assert.Equal(2, batch.Count);
            return [.. batch.TraceParents.Select(Encoding.ASCII.GetString)];
        }
    }

    [Fact]
    public void An_interval_is_linked_to_its_events_as_many_as_32()
    {
        var trace = new IntervalTrace(TimeProvider.System, "w");
        trace.Begin(trace.Now);
        trace.Link("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"u8);
        trace.Link("nonsense"u8);
        for (var i = 0; i < 50; i++) trace.Link(Encoding.ASCII.GetBytes($"00-0af7651916cd43dd8448eb211c80319c-{i + 1:x16}-01"));
        trace.Seal();
        trace.End("committed", 1);
        var interval = Assert.Single(_ended, a => a.OperationName == "interval"
            && a.Links.Any(l => l.Context.SpanId.ToHexString() == "b7ad6b7169203331"));
        Assert.Equal(IntervalTrace.MostLinks, interval.Links.Count());
        Assert.True(interval.Links.First().Context.IsRemote);
    }
}
