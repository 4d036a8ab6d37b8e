using System.Diagnostics;
using System.Globalization;
using StreamEngine.Testing;

namespace StreamEngine.Benchmarks.Processes;

/// <summary>
/// How long real processes take to come back: the restore of all profiles from files and from the checkpoint topic, then kill -9 of the
/// only process and of one of two, each up to the first new decision that a reader of committed records sees.
/// </summary>
internal static class RecoveryRun
{
    private const string Name = "recovery";
    private const double SessionTimeout = 6;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4), Quiet = TimeSpan.FromSeconds(4);

    private static readonly string[] Base =
    [
        "checkpoints.interval=1s", "kafka.transaction_timeout=4s",
            $"kafka.settings={{consumer.session.timeout.ms: {SessionTimeout * 1_000}, consumer.heartbeat.interval.ms: 500}}",
    ];

    public static async Task<int> Run(string[] args)
    {
        var given = new RunArguments(args, "--profiles", "--rounds", "--workers", "--partitions", "--load");
        var (profiles, rounds, workers, partitions, load) = (given.Number("--profiles", 1_000_000), given.Number("--rounds", 3),
            given.Number("--workers", 1), given.Number("--partitions", 4), given.Number("--load", 2_000));
        Console.WriteLine($"{profiles:n0} profiles, {partitions} partitions, {workers} workers, {rounds} rounds");
        Console.WriteLine($"{"",-46}{"seconds",9}{"worst",9}  remark");
        string[] common = [.. Base, $"runtime.workers={workers}"];
        using (var site = new Site(null, partitions))
        {
            Fill(site, profiles);
            await Build(site, common, profiles);
            await Restores(site, "restore from files, embedded log", common, rounds, lose: false);
        }
        using var broker = KafkaBroker.Start("group.initial.rebalance.delay.ms=0");
        using (var site = new Site(broker.Address, partitions))
        {
            Fill(site, profiles);
            string[] both = [.. common, $"checkpoints.topic={Site.Checkpoints(Name)}"];
            await Build(site, both, profiles);
            // What Kafka's clients take by themselves shows where little is loaded; what looking at the topic adds, where it is not kept.
            await Restores(site, "restore from files, Kafka, no topic", common, rounds, lose: false);
            await Restores(site, "restore from files, Kafka", both, rounds, lose: false);
            await Restores(site, "restore from the topic, Kafka", both, rounds, lose: true);
            await Kills(site, both, profiles, rounds, load);
        }
        return 0;
    }

    private static void Fill(Site site, int profiles)
    {
        using var log = site.Open();
        using var events = new EventLoad(log, Site.Events, profiles);
        events.Write(profiles);
    }

    /// <summary>Lets an engine process everything, and waits until its checkpoints hold it.</summary>
    private static async Task Build(Site site, string[] settings, int profiles)
    {
        site.CreateOutputs(Name);
        var started = Stopwatch.GetTimestamp();
        // Slices for the topic travel one a commit: short intervals, so that a first cut of everything does not take minutes.
        using var engine = site.Start(Name, "a", drain: false, _ => { }, [.. settings, "runtime.commit_interval=2ms"]);
        (double, double, double) last = default;
        var since = Stopwatch.GetTimestamp();
        var settled = await engine.Until(async () =>
        {
            var m = await engine.Metrics();
            var now = (m.GetValueOrDefault("streamengine_checkpoints_total"), m.GetValueOrDefault("streamengine_checkpoint_size_bytes"),
                m.GetValueOrDefault("streamengine_commits_total"));
            if (now != last || m.GetValueOrDefault("streamengine_records_total") < profiles)
                (last, since) = (now, Stopwatch.GetTimestamp());
            await Task.Delay(200);
            return Stopwatch.GetElapsedTime(since) > Quiet;
        }, Patience);
        if (!settled) throw new InvalidOperationException($"the state was not built:\n{engine.Output}");
        Row("(the state was built, once)", [Stopwatch.GetElapsedTime(started).TotalSeconds],
            string.Create(CultureInfo.InvariantCulture, $"{last.Item2 / 1_048_576:0} MB of files"));
        await engine.Kill();
    }

    private static async Task Restores(Site site, string what, string[] settings, int rounds, bool lose)
    {
        var runs = new List<RestoreTimes>();
        for (var round = 0; round < rounds; round++)
        {
            if (lose) site.Lose(Name, "a");
            var times = new RestoreTimes();
            using var engine = site.Start(Name, "a", drain: false, times.Heard, settings);
            if (!await engine.Until(async () => { await Task.Delay(5); return times.Shards == site.Partitions; }, Patience))
                throw new InvalidOperationException($"not restored:\n{engine.Output}");
            await engine.Kill();
            runs.Add(times);
        }
        var median = RatioRun.Median(runs.Select(r => r.Seconds));
        Row(what, runs.Select(r => r.Seconds), string.Create(CultureInfo.InvariantCulture,
            $"{runs[0].Profiles / median:n0} profiles/s; {runs.Max(r => r.Records):n0} records read again; "
                + $"{RatioRun.Median(runs.Select(r => r.SinceStart)):0.0} s from the process' start"));
    }

    private static async Task Kills(Site site, string[] settings, int profiles, int rounds, int perSecond)
    {
        using var log = site.Open();
        using var watch = new ActionWatch(log, Site.Decisions(Name), site.Partitions);
        using var stop = new CancellationTokenSource();
        var writing = Task.Run(() => WriteOn(site, profiles, perSecond, stop.Token));
        try
        {
            var only = new List<double[]>();
            var told = new List<RestoreTimes>();
            var engine = await Live(site, "a", settings, watch);
            for (var round = 0; round < rounds; round++)
            {
                var killed = Stopwatch.GetTimestamp();
                await engine.Kill();
                watch.Mark();
                engine.Dispose();
                var times = new RestoreTimes();
                told.Add(times);
                engine = site.Start(Name, "a", drain: false, times.Heard, settings);
                only.Add(await watch.FirstNew(killed, Patience));
                await Task.Delay(3_000); // past a checkpoint
            }
            Row("kill -9 of the only process, first new decision", only.Select(f => f.Min()),
                string.Create(CultureInfo.InvariantCulture,
                $"of every partition: {RatioRun.Median(only.Select(f => f.Max())):0.0} s; the log is asked "
                + $"{RatioRun.Median(told.Select(t => t.Ready)):0.0} s after the start, shards are restored after "
                + $"{RatioRun.Median(told.Select(t => t.SinceStart)):0.0} s"));

            var other = await Second(site, settings, engine);
            var one = new List<double>();
            for (var round = 0; round < rounds; round++)
            {
                var killed = Stopwatch.GetTimestamp();
                await other.Kill();
                watch.Mark();
                one.Add((await watch.FirstNew(killed, Patience)).Max() - SessionTimeout);
                other.Dispose();
                other = await Second(site, settings, engine);
            }
            Row("kill -9 of one of two, first new decision of", one, $"every partition, less the session timeout of {SessionTimeout} s");
            other.Dispose();
            engine.Dispose();
        }
        finally
        {
            stop.Cancel();
            await writing;
        }
    }

    /// <summary>A process that decides in every partition.</summary>
    private static async Task<EngineProcess> Live(Site site, string node, string[] settings, ActionWatch watch)
    {
        watch.Mark();
        var engine = site.Start(Name, node, drain: false, _ => { }, settings);
        await watch.FirstNew(Stopwatch.GetTimestamp(), Patience);
        return engine;
    }

    /// <summary>A second process, once it has its share of the shards and works on them.</summary>
    private static async Task<EngineProcess> Second(Site site, string[] settings, EngineProcess first)
    {
        var times = new RestoreTimes();
        var second = site.Start(Name, "b", drain: false, times.Heard, settings);
        var share = site.Partitions / 2;
        var shared = await second.Until(async () =>
        {
            await Task.Delay(100);
            return times.Shards >= share && await second.Metric("streamengine_shards") == share
                && await first.Metric("streamengine_shards") == site.Partitions - share;
        }, Patience);
        if (!shared)
            throw new InvalidOperationException($"the second process did not get its share:\n{second.Output}\n--- first:\n{first.Output}");
        await Task.Delay(5_000); // some checkpoints of its own
        return second;
    }

    private static async Task WriteOn(Site site, int customers, int perSecond, CancellationToken stop)
    {
        using var log = site.Open();
        using var events = new EventLoad(log, Site.Events, customers, customers);
        while (!stop.IsCancellationRequested)
        {
            events.Write(perSecond / 50);
            await Task.Delay(20, CancellationToken.None);
        }
    }

    private static void Row(string what, IEnumerable<double> seconds, string remark)
    {
        var all = seconds.ToList();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{what,-46}{RatioRun.Median(all),9:0.00}{all.Max(),9:0.00}  {remark}"));
    }
}
