using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using StreamEngine.Runtime.Requests;
using StreamEngine.Telemetry;
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
