using StreamEngine.SystemTests.Oracle;
using StreamEngine.SystemTests.Runs;
using StreamEngine.SystemTests.Shop;
using StreamEngine.Testing;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.SystemTests;

/// <summary>Engines that end as they should, or leave their partitions to another: the same oracle, no kill or one.</summary>
[Collection(nameof(ChaosTests))]
public sealed class StopTests(ITestOutputHelper output)
{
    private const int Events = 20_000, Customers = 200;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [SkippableFact]
    public async Task An_undisturbed_run_on_Kafka_fits_the_oracle() => await Undisturbed(Kafka(), "clean-kafka");

    [Fact]
    public async Task An_undisturbed_run_on_the_embedded_log_fits_the_oracle() => await Undisturbed(null, "clean-embedded");

    [SkippableFact]
    public async Task A_signal_on_Kafka_commits_and_ends_well() => await Terminated(Kafka(), "stop-kafka");

    [Fact]
    public async Task A_signal_on_the_embedded_log_commits_and_ends_well() => await Terminated(null, "stop-embedded");

    [SkippableFact]
    public async Task The_partitions_of_a_dead_engine_move_to_the_living()
    {
        using var arena = new Arena(JobDefinition.Chaos, Kafka(), "two-kafka");
        var input = Input(seed: 13);
        await arena.Write(input[..(Events / 4)]);
        using var first = arena.Start(1, node: "a", settings: "runtime.max_poll_records=20");
        Assert.True(await first.Until(async () => await first.Metric("streamengine_records_total") > 1_000, Patience), first.Output);

        // A second one joins: partitions are handed over while both work.
        using var second = arena.Start(2, node: "b", settings: "runtime.max_poll_records=20");
        var writing = arena.Write(input[(Events / 4)..], perSecond: 2_000);
        Assert.True(await second.Until(async () => await second.Metric("streamengine_records_total") > 500, Patience),
            $"{second.Output}\n--- first:\n{first.Output}");

        await first.Kill();
        await writing;
        Assert.True(await second.Until(() => Task.FromResult(arena.AllCommitted()), Patience), second.Output);
        second.Terminate();
        Assert.Equal(0, await second.Exit(Patience));
        Fits(arena);
    }

    private async Task Undisturbed(string? kafka, string name)
    {
        using var arena = new Arena(JobDefinition.Chaos, kafka, name);
        await arena.Write(Input(seed: 11));
        await arena.Drain(3);
        var report = Fits(arena);

        // The input is worth its name only where all of this happened.
        foreach (var what in new[]
                 {
                     "records duplicate", "records late", "records malformed", "records unknown-schema", "records missing-customer",
                         "records no-consent", "records future-time", "records too-old",
                     "by placed_view", "by cart_left", "by session_left", "outcome served", "outcome holdout", "outcome no_consent",
                         "default offers", "drops by customer_cap:often", "drops by offer_cap:same",
                 }) Assert.True(report.Count(what) > 0, $"no {what}: {report}");
    }

    private async Task Terminated(string? kafka, string name)
    {
        using var arena = new Arena(JobDefinition.Chaos, kafka, name);
        await arena.Write(Input(seed: 12));
        using (var engine = arena.Start(1, false, "a", "runtime.max_poll_records=20"))
        {
            Assert.True(await engine.Until(async () => await engine.Metric("streamengine_records_total") > 2_000, Patience),
                $"{await engine.Metric("streamengine_records_total")} records\n{engine.Output}");
            engine.Terminate();
            Assert.True(await engine.Exit(TimeSpan.FromSeconds(30)) == 0, engine.Output);
        }
        await arena.Drain(2);
        Fits(arena);
    }

    private Report Fits(Arena arena)
    {
        var report = arena.Check();
        output.WriteLine(report.ToString());
        Assert.True(report.Faults == 0, report.ToString());
        Assert.Equal(Events, report.Events);
        return report;
    }

    private static InputRecord[] Input(int seed) => ShopInput.Make(new InputSpec(seed, Events, Customers, Arena.Partitions)).ToArray();

    private static string Kafka()
    {
        Skip.If(KafkaBroker.Missing is not null, KafkaBroker.Missing);
        return KafkaBroker.Shared.Address;
    }
}
