using StreamEngine.SystemTests.Oracle;
using StreamEngine.SystemTests.Runs;
using StreamEngine.Testing;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.SystemTests;

/// <summary>
/// Three engines on a broker of their own under faults of every kind. <c>STREAMENGINE_CLUSTER_FAULTS=200</c> makes it the long form (in rounds, each with topics of its own and the
/// next seed), <c>STREAMENGINE_CLUSTER_SEED</c> draws others, <c>STREAMENGINE_CLUSTER_KINDS=Kill,Broker</c> takes some kinds only, <c>STREAMENGINE_CLUSTER_LOG</c> names a file that its lines are also written to as they come.
/// </summary>
[Collection(nameof(ChaosTests))]
public sealed class ClusterTests(ITestOutputHelper output)
{
    private const int RoundFaults = 25;
    private static readonly int Faults = Setting("FAULTS", FaultPlan.Least), FirstSeed = Setting("SEED", 1);

    private static readonly FaultKind[] Kinds = Environment.GetEnvironmentVariable("STREAMENGINE_CLUSTER_KINDS") is { Length: > 0 } named
        ? [.. named.Split(',').Select(Enum.Parse<FaultKind>)]
        : Enum.GetValues<FaultKind>();

    private readonly Lock _telling = new();

    [SkippableFact]
    public async Task Three_engines_under_faults_of_every_kind_decide_once()
    {
        Skip.If(KafkaBroker.MissingOwn is not null, KafkaBroker.MissingOwn);
        using var broker = KafkaBroker.Start("group.initial.rebalance.delay.ms=500");
        var report = new ClusterReport();
        for (var (left, seed) = (Faults, FirstSeed); left > 0; left -= RoundFaults, seed++)
        {
            using var arena = new Arena(JobDefinition.Chaos, broker.Address, $"cluster-{seed}", ClusterRun.Partitions);
            using var run = new ClusterRun(broker, arena, seed, report, Tell);
            await run.Go(Math.Min(left, RoundFaults), Kinds);
            Tell($"seed {seed} done; so far {report}");
        }
        Tell($"cluster: {report}");
        Assert.True(report.Failures.Count == 0, string.Join("\n\n", report.Failures));
        Assert.Equal(0, report.Differences);
        Assert.Equal(Faults, report.Faults);
        Assert.Equal(Kinds.Length, report.Kinds);
    }

    private void Tell(string line)
    {
        lock (_telling)
        {
            output.WriteLine(line);
            if (Environment.GetEnvironmentVariable("STREAMENGINE_CLUSTER_LOG") is { Length: > 0 } file) File.AppendAllText(file, $"{DateTime.UtcNow:HH:mm:ss} {line}\n");
        }
    }

    private static int Setting(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable($"STREAMENGINE_CLUSTER_{name}"), out var number) ? number : otherwise;
}
