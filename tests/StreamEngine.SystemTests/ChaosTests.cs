using StreamEngine.SystemTests.Oracle;
using StreamEngine.SystemTests.Runs;
using StreamEngine.Testing;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.SystemTests;

/// <summary>
/// Nothing lost, nothing doubled, nothing decided twice: whatever kills the engine, and whenever. <c>STREAMENGINE_CHAOS_RUNS=20</c> repeats
/// the killing tests with as many seeds (from <c>STREAMENGINE_CHAOS_SEED</c> on, 1 where absent), <c>STREAMENGINE_CHAOS_EVENTS</c> and
/// <c>STREAMENGINE_CHAOS_KILLS</c> make each longer.
/// </summary>
public abstract class Chaos(ITestOutputHelper output)
{
    private static readonly int Runs = Setting("RUNS", 1), FirstSeed = Setting("SEED", 1), Kills = Setting("KILLS", 5),
        Events = Setting("EVENTS", 60_000);

    private protected async Task Kill(JobDefinition job, string? kafka, string name, bool live,
        Action<Arena, string, Action<string>>? then = null, bool atLeastOnce = false)
    {
        for (var seed = FirstSeed; seed < FirstSeed + Runs; seed++)
        {
            using var arena = new Arena(job, kafka, $"{name}-{seed}") { AtLeastOnce = atLeastOnce };
            var run = new ChaosRun(arena, new ChaosPlan(seed, Events, Kills), Tell);
            var report = await run.Go(live, chaosModel: job.Name == "chaos");
            Assert.True(report.Faults == 0, $"seed {seed}: {report}");
            Assert.Equal(Events, report.Events);
            Assert.Equal(Kills, run.Kills);
            then?.Invoke(arena, kafka!, Tell);
        }
    }

    private void Tell(string line)
    {
        output.WriteLine(line);
        if (Runs > 1) Console.WriteLine(line);
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable($"STREAMENGINE_CHAOS_{name}"), out var number) ? number : otherwise;
}

/// <summary>The killing tests on a broker.</summary>
[Collection(nameof(ChaosTests))]
public sealed class ChaosTests(ITestOutputHelper output) : Chaos(output)
{
    [SkippableFact]
    public async Task A_killed_engine_on_Kafka_decides_once() => await Kill(JobDefinition.Chaos, Kafka(), "chaos-kafka", live: true);

    [SkippableFact]
    public async Task The_measured_job_killed_on_Kafka_decides_once() =>
        await Kill(JobDefinition.Plain, Kafka(), "job-kafka", live: true, PeersCheck.Run);

    [SkippableFact]
    public async Task A_killed_engine_that_delivers_at_least_once_on_Kafka_loses_nothing_and_repeats_the_same() =>
        await Kill(JobDefinition.Chaos, Kafka(), "alo-kafka", live: true, atLeastOnce: true);

    private static string Kafka()
    {
        Skip.If(KafkaBroker.Missing is not null, KafkaBroker.Missing);
        return KafkaBroker.Shared.Address;
    }
}

/// <summary>
/// The killing tests on the embedded log. They and the others that need no broker are a collection of their own, as are those that have a
/// broker of their own: they run beside those that share one and mostly wait for it.
/// </summary>
[Collection(nameof(EmbeddedChaosTests))]
public sealed class EmbeddedChaosTests(ITestOutputHelper output) : Chaos(output)
{
    [Fact]
    public async Task A_killed_engine_on_the_embedded_log_decides_once() =>
        await Kill(JobDefinition.Chaos, null, "chaos-embedded", live: false);

    [Fact]
    public async Task The_measured_job_killed_on_the_embedded_log_decides_once() =>
        await Kill(JobDefinition.Plain, null, "job-embedded", live: false);

    [Fact]
    public async Task A_killed_engine_that_delivers_at_least_once_on_the_embedded_log_loses_nothing_and_repeats_the_same() =>
        await Kill(JobDefinition.Chaos, null, "alo-embedded", live: false, atLeastOnce: true);
}
