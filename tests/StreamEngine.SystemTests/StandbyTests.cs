using System.Diagnostics;
using StreamEngine.Connectors;
using StreamEngine.SystemTests.Oracle;
using StreamEngine.SystemTests.Runs;
using StreamEngine.SystemTests.Shop;
using StreamEngine.Testing;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.SystemTests;

/// <summary>
/// Shards of a killed engine come up where their standbys are, from files, and go on where they stood; <c>STREAMENGINE_STANDBY_KILLS=10</c>
/// kills more often. <c>STREAMENGINE_STANDBY_PROFILES=200000</c> measures the time from kill -9 to the taker's first action, with a standby
/// and without, at so many profiles per shard, each written to the topic <c>STREAMENGINE_STANDBY_ROUNDS</c> times.
/// </summary>
[Collection(nameof(ChaosTests))]
public sealed class StandbyTests(ITestOutputHelper output)
{
    private const int Partitions = 12;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly int Profiles = Setting("PROFILES", 0), Rounds = Setting("ROUNDS", 1), Kills = Setting("KILLS", 2);

    [SkippableFact]
    public async Task Shards_of_a_killed_engine_come_up_from_their_standbys_files()
    {
        Skip.If(KafkaBroker.Missing is not null, KafkaBroker.Missing);
        using var arena = new Arena(JobDefinition.Chaos, KafkaBroker.Shared.Address, "standby-kafka", Partitions);
        var settings = Settings(arena, Partitions, standbys: 1);
        var nodes = new[] { "a", "b", "c" }.ToDictionary(n => n, n => arena.Start(1, node: n, settings: settings));
        var done = false;
        var writing = arena.Write(ShopInput.Make(new InputSpec(17, int.MaxValue, 300, Partitions)).TakeWhile(_ => !Volatile.Read(ref done)),
            perSecond: 500);
        var (moved, fromFiles) = (0, 0);
        foreach (var victim in Enumerable.Range(1, Kills).Select(i => "abc"[i % 3].ToString()))
        {
            Assert.True(await AllReady(nodes, Partitions), Said(nodes));
            var others = nodes.Where(n => n.Key != victim).Select(n => n.Value).ToList();
            var before = others.Select(e => Restored(e).Count).ToList();
            var owned = Partitions / nodes.Count;
            await nodes[victim].Kill();
            Assert.True(await others[0]
                .Until(() => Task.FromResult(others.Zip(before, (e, b) => Restored(e).Count - b).Sum() >= owned), Patience), Said(nodes));
            var lines = others.Zip(before, (e, b) => Restored(e).Skip(b)).SelectMany(l => l).ToList();
            moved += lines.Count;
            fromFiles += lines.Count(l => l.Contains("profiles from files", StringComparison.Ordinal));
            nodes[victim] = arena.Start(2, node: victim, settings: settings);
        }
        Volatile.Write(ref done, true);
        await writing;
        Assert.True(await nodes["c"].Until(() => Task.FromResult(arena.AllCommitted()), Patience), Said(nodes));
        foreach (var node in nodes.Values)
        {
            node.Terminate();
            Assert.Equal(0, await node.Exit(Patience));
        }
        var report = arena.Check();
        output.WriteLine($"{fromFiles} of {moved} shards came up from files; {report}");
        Assert.True(report.Faults == 0, report.ToString());
        Assert.True(moved >= Kills * Partitions / nodes.Count, Said(nodes));
        Assert.Equal(moved, fromFiles);
    }

    [SkippableTheory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_take_over_takes(int standbys)
    {
        Skip.If(KafkaBroker.Missing is not null, KafkaBroker.Missing);
        Skip.If(Profiles == 0, "a measurement: STREAMENGINE_STANDBY_PROFILES=200000");
        using var arena = new Arena(JobDefinition.Chaos, KafkaBroker.Shared.Address, $"take-over-{standbys}-{Profiles}", 2);
        var settings = Settings(arena, 2, standbys);
        var customers = Enumerable.Range(0, 2 * Profiles);
        var nodes = new[] { "a", "b" }.ToDictionary(n => n, n => arena.Start(1, node: n, settings: settings));
        for (var round = 0; round < Rounds; round++)
        {
            await arena.Write(customers.Select(i => View(i, 2 * Profiles * round + i)));
            Assert.True(await nodes["a"].Until(() => Task.FromResult(arena.AllCommitted()), TimeSpan.FromMinutes(8)), Said(nodes));
            await AllCopied(nodes);
        }
        var done = false;
        var writing = arena.Write(customers.TakeWhile(_ => !Volatile.Read(ref done)).Select(i => View(i, 2 * Profiles * Rounds + i)),
            perSecond: 200);
        if (standbys > 0) Assert.True(await AllReady(nodes, 2), Said(nodes));
        await Checkpoint(nodes);
        await Checkpoint(nodes);
        using var log = arena.OpenLog();
        var victim = log.Members(arena.Job.Name)!.Single(m =>
            m.InstanceId!.EndsWith("-b-0", StringComparison.Ordinal)).Partitions.Single().Partition;
        var killed = Stopwatch.GetTimestamp();
        await nodes["b"].Kill();
        var actions = new TopicPartition(arena.Topics.Actions, victim);
        using var reader = log.OpenReader();
        reader.Assign(actions, log.Watermarks(actions).High);
        var batch = new RecordBatch();
        while (batch.Count == 0 && Stopwatch.GetElapsedTime(killed) < Patience) reader.Read(batch, 1, TimeSpan.FromMilliseconds(20));
        var took = Stopwatch.GetElapsedTime(killed);
        var restored = Restored(nodes["a"]).LastOrDefault(l => l.Contains($"Shard {victim} ", StringComparison.Ordinal));
        var line = $"{standbys} standbys, {Profiles} profiles a shard, written {Rounds} times: first action after {took.TotalSeconds:0.0} "
            + $"s; {restored}";
        output.WriteLine(line);
        Console.WriteLine(line);
        Volatile.Write(ref done, true);
        await writing;
        Assert.Contains(standbys > 0 ? "from files" : "from the topic", restored, StringComparison.Ordinal);
    }

    /// <summary>An engine's settings; makes the checkpoint topic.</summary>
    private static string[] Settings(Arena arena, int partitions, int standbys)
    {
        var topic = $"{arena.Job.Name}-checkpoints";
        using var log = arena.OpenLog();
        log.CreateTopics([new TopicSpec(topic, partitions, Compacted: true)]);
        return [$"checkpoints.topic={topic}", $"checkpoints.standbys={standbys}",
            $"checkpoints.interval={(partitions == Partitions ? 1 : 10)}s", "state.memory=256mb", .. Member.Short];
    }

    /// <summary>
    /// Waits until the shards are shared out and each has its standby, for longer than it takes to see a change of the group.
    /// </summary>
    private static async Task<bool> AllReady(Dictionary<string, EngineProcess> nodes, int shards)
    {
        long since = 0;
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < Patience; await Task.Delay(200))
        {
            var metrics = await Task.WhenAll(nodes.Values.Select(n => n.Metrics()));
            var ready = metrics.All(m => m.GetValueOrDefault("streamengine_shards") == shards / nodes.Count)
                && metrics.Sum(m => m.GetValueOrDefault("streamengine_standbys_ready")) == shards;
            if (!ready) since = 0;
            else if (since == 0) since = Stopwatch.GetTimestamp();
            else if (Stopwatch.GetElapsedTime(since) > TimeSpan.FromSeconds(7)) return true;
        }
        return false;
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable($"STREAMENGINE_STANDBY_{name}"), out var number) ? number : otherwise;

    private static async Task Checkpoint(Dictionary<string, EngineProcess> nodes)
    {
        var closed = await Task.WhenAll(nodes.Values.Select(Closed));
        foreach (var (node, n) in nodes.Values.Zip(closed))
            Assert.True(await node.Until(async () => await Closed(node) > n, Patience), Said(nodes));
    }

    /// <summary>Waits until no further checkpoint comes, as nothing has changed since the last.</summary>
    private static async Task AllCopied(Dictionary<string, EngineProcess> nodes)
    {
        var (quiet, last) = (0, 0.0);
        for (var seconds = 0; quiet < 25 && seconds < 240; seconds++, await Task.Delay(1_000))
        {
            var now = (await Task.WhenAll(nodes.Values.Select(Closed))).Sum();
            quiet = now == last && now >= nodes.Count ? quiet + 1 : 0;
            last = now;
        }
    }

    private static Task<double> Closed(EngineProcess engine) => engine.Metric("streamengine_checkpoints_total");

    private static InputRecord View(int customer, int number)
    {
        var e = new ShopEvent($"v{number:x8}", $"c{customer:D7}", "page_view", 1_767_225_600_000 + number * 10L, "home", 0,
            ["personalization", "analytics"]);
        return new InputRecord(System.Text.Encoding.UTF8.GetBytes(e.Customer), e.Encode(), e.Time);
    }

    private static List<string> Restored(EngineProcess engine) =>
        [.. engine.Output.Split('\n').Where(l => l.Contains(" restored: ", StringComparison.Ordinal))];

    private static string Said(Dictionary<string, EngineProcess> nodes) =>
        string.Concat(nodes.Select(n => $"\n--- {n.Key}:\n{n.Value.Output}"));
}
