using Confluent.Kafka;
using StreamEngine.SystemTests.Oracle;
using StreamEngine.SystemTests.Runs;
using StreamEngine.SystemTests.Shop;
using StreamEngine.Testing;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.SystemTests;

/// <summary>
/// Engines that were taken for dead, or whose id another took: what they still had in hand never shows, and their process lives on.
/// </summary>
[Collection(nameof(ChaosTests))]
public sealed class ZombieTests(ITestOutputHelper output)
{
    private const int Events = 12_000, Customers = 150;
    private const string Records = "streamengine_records_total";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [SkippableFact]
    public async Task The_late_commit_of_a_zombie_fails_and_it_rejoins()
    {
        using var arena = new Arena(JobDefinition.Chaos, Kafka(), "zombie");
        var input = Input(seed: 21);
        await arena.Write(input[..(Events / 2)]);

        // 1. Frozen amid an interval: so long a one that it is open at any time.
        using var zombie =
            arena.Start(1, node: "a", settings: ["runtime.max_poll_records=20", "runtime.commit_interval=2s", .. Member.Short]);
        Assert.True(await zombie.Until(async () => await zombie.Metric(Records) > 1_000, Patience), zombie.Output);
        var read = await zombie.Metric(Records);
        zombie.Freeze();
        var frozen = arena.Offsets();
        Assert.True(frozen.Sum(p => p.Committed) < read, $"all of the {read} records that were read are committed: no interval was open");

        // 2. Another with another model decides what the zombie had decided, and the rest.
        using var heir = arena.Start(2, node: "b", settings: Member.Short);
        Assert.True(await heir.Until(() => Task.FromResult(arena.AllCommitted()), Patience), heir.Output);

        // 3. It wakes up with its transaction in hand, loses it, and takes part again.
        zombie.Thaw();
        await arena.Write(input[(Events / 2)..], perSecond: 500);
        Assert.True(await zombie.Until(() => Task.FromResult(arena.AllCommitted()), Patience), zombie.Output);
        Assert.True(await zombie.Metric("streamengine_records_restored_total") > 0, $"it was given no shard again:\n{zombie.Output}");
        await End(zombie, heir);
        output.WriteLine(zombie.Output);

        // What was not committed when it froze is the heir's, up to where the input ended then.
        var decisions = arena.Decisions();
        bool InHand(DecisionRecord d) => d.Cause.Offset >= frozen[d.Partition].Committed && d.Cause.Offset < frozen[d.Partition].End
            && d.Kind == "decision";
        Assert.All(decisions.Where(InHand), d => Assert.Equal("2", d.Version(arena.Job.Model)));
        Assert.True(decisions.Count(InHand) > 100, $"{decisions.Count(InHand)} decisions were in hand");
        Fits(arena);
    }

    [SkippableFact]
    public async Task A_client_whose_instance_id_was_taken_is_rebuilt_and_the_process_lives()
    {
        using var arena = new Arena(JobDefinition.Chaos, Kafka(), "fenced");
        var input = Input(seed: 22);
        await arena.Write(input[..(Events / 2)]);
        using var engine = arena.Start(1, node: "a", settings: ["runtime.max_poll_records=20", .. Member.Short]);
        Assert.True(await engine.Until(async () => await engine.Metric(Records) > 1_000, Patience), engine.Output);

        var settings = new Dictionary<string, string>
        {
            ["bootstrap.servers"] = Kafka(),
            ["group.id"] = arena.Job.Name,
            ["group.instance.id"] = $"{arena.Job.Name}-a-0",
            ["partition.assignment.strategy"] = "cooperative-sticky",
            ["session.timeout.ms"] = $"{Member.ShortSession.TotalMilliseconds}",
            ["enable.auto.commit"] = "false",
        };
        using (var twin = new ConsumerBuilder<byte[], byte[]>(settings).Build())
        {
            twin.Subscribe(arena.Topics.Events);
            Assert.True(await engine.Until(() => Task.FromResult(Fenced(engine, twin)), Patience), $"it was not fenced:\n{engine.Output}");
        }

        await arena.Write(input[(Events / 2)..], perSecond: 1_000);
        Assert.True(await engine.Until(() => Task.FromResult(arena.AllCommitted()), Patience), engine.Output);
        await End(engine);
        Fits(arena);
    }

    private static bool Fenced(EngineProcess engine, IConsumer<byte[], byte[]> twin)
    {
        try
        {
            twin.Consume(TimeSpan.FromMilliseconds(100));
        }
        catch (KafkaException)
        {
            // Fenced in its turn once the engine joins again.
        }
        return engine.Output.Contains("Joining again", StringComparison.Ordinal);
    }

    private static async Task End(params EngineProcess[] engines)
    {
        foreach (var engine in engines) engine.Terminate();
        foreach (var engine in engines) Assert.True(await engine.Exit(Patience) == 0, engine.Output);
    }

    private void Fits(Arena arena)
    {
        var report = arena.Check();
        output.WriteLine(report.ToString());
        Assert.True(report.Faults == 0, report.ToString());
        Assert.Equal(Events, report.Events);
    }

    private static InputRecord[] Input(int seed) => ShopInput.Make(new InputSpec(seed, Events, Customers, Arena.Partitions)).ToArray();

    private static string Kafka()
    {
        Skip.If(KafkaBroker.Missing is not null, KafkaBroker.Missing);
        return KafkaBroker.Shared.Address;
    }
}
