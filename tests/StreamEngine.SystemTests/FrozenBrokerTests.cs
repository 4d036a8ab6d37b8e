using System.Diagnostics;
using StreamEngine.SystemTests.Oracle;
using StreamEngine.SystemTests.Runs;
using StreamEngine.SystemTests.Shop;
using StreamEngine.Testing;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.SystemTests;

/// <summary>
/// A broker that stands still, or takes the outputs slowly, while the engine works under full load on a large backlog: its memory stays
/// bounded, and it goes on by itself. The time is well below the transaction timeout, after which a single broker may leave a transaction
/// hanging (README says more); <c>STREAMENGINE_FROZEN_SECONDS=40</c> makes it the long form.
/// </summary>
[Collection(nameof(ClusterTests))]
public sealed class FrozenBrokerTests(ITestOutputHelper output)
{
    private const int Events = 200_000, OutputBytesPerSecond = 75_000;
    private const string Records = "streamengine_records_total";
    private static readonly int Seconds = int.TryParse(Environment.GetEnvironmentVariable("STREAMENGINE_FROZEN_SECONDS"), out var seconds)
        ? seconds : 6;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);

    /// <summary>
    /// What may be held while it is hindered: an interval, and both queues of the client. Under full load afterwards the runtime's heap has
    /// its own ups and downs besides. The interval is small because records are counted when one ends: of about 10,000 here, so that half
    /// the time of a hindered engine sees two or three of them end, far from what it takes for <c>Events / 5</c>.
    /// </summary>
    private const int IntervalMb = 1, FetchMb = 16, SendMb = 32, BoundMb = IntervalMb + FetchMb + SendMb, LaterMb = 3 * BoundMb;

    private static readonly string[] Limits =
    [
        $"runtime.max_interval_bytes={IntervalMb}mb",
            $"kafka.settings={{consumer.queued.max.messages.kbytes: {FetchMb << 10}, producer.queue.buffering.max.kbytes: {SendMb << 10}}}",
    ];

    [SkippableFact]
    public async Task A_broker_that_stands_still_costs_no_memory_and_the_engine_goes_on() =>
        await Hindered("frozen", _ => { }, broker => broker.Freeze(), broker => broker.Thaw());

    [SkippableFact]
    public async Task A_slow_sink_costs_no_memory_while_the_source_is_fast() =>
        await Hindered("slow-sink", broker => broker.Throttle("streamengine", OutputBytesPerSecond), _ => { }, broker =>
            broker.Unthrottle("streamengine"));

    private async Task Hindered(string name, Action<KafkaBroker> prepare, Action<KafkaBroker> hinder, Action<KafkaBroker> free)
    {
        Skip.If(KafkaBroker.MissingOwn is not null, KafkaBroker.MissingOwn);
        using var broker = KafkaBroker.Start();
        using var arena = new Arena(JobDefinition.Plain, broker.Address, name);
        await arena.Write(ShopInput.Make(new InputSpec(61, Events, 5_000, Arena.Partitions, Plain: true)));
        prepare(broker);
        using var engine = arena.Start(null, node: "a", settings: Limits);
        Assert.True(await engine.Until(async () => await engine.Metric(Records) > Events / 20, Patience), engine.Output);

        var before = await Peak(engine, TimeSpan.FromMilliseconds(500));
        var atBegin = await engine.Metric(Records);
        hinder(broker);
        var during = await Peak(engine, TimeSpan.FromSeconds(Seconds / 2.0));
        var halfway = await engine.Metric(Records);
        during = Math.Max(during, await Peak(engine, TimeSpan.FromSeconds(Seconds / 2.0)));
        var atEnd = await engine.Metric(Records);
        free(broker);
        output.WriteLine($"{name}: records {atBegin} at the begin, {halfway} halfway, {atEnd} after {Seconds} s");
        Assert.True(atEnd < Events, $"the backlog ended: {atEnd} records");
        Assert.True(atEnd - halfway < Events / 5, $"nothing hindered it: {atEnd - halfway} records in the second half");

        var started = Stopwatch.GetTimestamp();
        Assert.True(await engine.Until(async () => await engine.Metric(Records) > atEnd, Patience), engine.Output);
        var resumed = Stopwatch.GetElapsedTime(started);
        var after = 0L;
        Assert.True(await engine.Until(async () =>
        {
            after = Math.Max(after, await Peak(engine, TimeSpan.FromMilliseconds(500)));
            return arena.AllCommitted();
        }, Patience), engine.Output);
        output.WriteLine($"{name}: {before >> 20} MB before, at most {during >> 20} MB during, {after >> 20} MB after; went on after "
            + $"{resumed.TotalSeconds:0.0} s, all committed after {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s");
        Assert.True(during - before < (long)BoundMb << 20 && after - before < (long)LaterMb << 20,
            $"{before >> 20} MB grew to {during >> 20} MB and {after >> 20} MB, by more than {BoundMb} MB and {LaterMb} MB");
        engine.Terminate();
        Assert.True(await engine.Exit(Patience) == 0, engine.Output);
        var report = arena.Check();
        output.WriteLine(report.ToString());
        Assert.True(report.Faults == 0, report.ToString());
        Assert.Equal(Events, report.Events);
    }

    private static async Task<long> Peak(EngineProcess engine, TimeSpan within)
    {
        long peak = 0;
        for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < within; await Task.Delay(100))
            peak = Math.Max(peak, engine.ResidentBytes);
        return peak;
    }
}
