using StreamEngine.SystemTests.Oracle;
using StreamEngine.SystemTests.Runs;
using StreamEngine.Testing;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.SystemTests;

/// <summary>
/// Three engines on a broker of their own, under faults of every kind, with checkpoints in files and in the topic.
/// <c>STREAMENGINE_CLUSTER_RATE=50</c> makes an Akka cluster of them and asks random members for random customers, so often a second.
/// <c>STREAMENGINE_CLUSTER_FAULTS=200</c> makes it the long form (in rounds, each with topics of its own and the next seed),
/// <c>STREAMENGINE_CLUSTER_SEED</c> draws others, <c>STREAMENGINE_CLUSTER_KINDS=Kill,Broker</c> takes some kinds only,
/// <c>STREAMENGINE_CLUSTER_LOG</c> names a file that its lines are also written to as they come. <c>STREAMENGINE_CLUSTER_JOB_FAULTS</c> is
/// the number for the measured job.
/// </summary>
[Collection(nameof(ClusterTests))]
public sealed class ClusterTests(ITestOutputHelper output)
{
    private const int RoundFaults = 25, MostAttempts = 3, NextAttempt = 1_000;

    private static readonly int FirstSeed = Setting("SEED", 1), Rate = Setting("RATE", 0);

    private static readonly FaultKind[] Kinds = Environment.GetEnvironmentVariable("STREAMENGINE_CLUSTER_KINDS") is { Length: > 0 } named
        ? [.. named.Split(',').Select(Enum.Parse<FaultKind>)]
        : Enum.GetValues<FaultKind>();

    private readonly Lock _telling = new();

    [SkippableFact]
    public async Task Three_engines_under_faults_of_every_kind_decide_once()
    {
        var report = await Rounds(JobDefinition.Chaos, "cluster", Setting("FAULTS", FaultPlan.Least), Kinds, Rate);
        Assert.Equal(Kinds.Length, report.Kinds);
        Assert.InRange(report.Quiet.NotServed, 0, report.Quiet.All / 100); // 0 of 0 without requests
        if (Kinds.Intersect([FaultKind.Kill, FaultKind.StateLoss, FaultKind.TopicLoss]).Count() == 3)
            Assert.True(report.Restores is { Files: > 0, Topic: > 0, Log: > 0 }, $"a way to restore was not taken: {report.Restores}");
    }

    [SkippableFact]
    public async Task The_measured_job_under_kills_and_member_changes_decides_once() =>
        await Rounds(JobDefinition.Plain, "cluster-job", Setting("JOB_FAULTS", 4), [FaultKind.Kill, FaultKind.Leave, FaultKind.Join],
            rate: 0, PeersCheck.Run);

    private async Task<ClusterReport> Rounds(JobDefinition job, string name, int faults, FaultKind[] kinds, int rate, Action<Arena, string,
        Action<string>>? then = null)
    {
        Skip.If(KafkaBroker.MissingOwn is not null, KafkaBroker.MissingOwn);
        for (var attempt = 1; ; attempt++)
        {
            using var broker = KafkaBroker.Start("group.initial.rebalance.delay.ms=500");
            var report = new ClusterReport();
            for (var (left, seed) = (faults, FirstSeed + (attempt - 1) * NextAttempt); left > 0; left -= RoundFaults, seed++)
            {
                using var arena = new Arena(job, broker.Address, $"{name}-{seed}", ClusterRun.Partitions);
                using var run = new ClusterRun(broker, arena, seed, rate, report, Tell);
                await run.Go(Math.Min(left, RoundFaults), kinds);
                then?.Invoke(arena, broker.Address, Tell);
                Tell($"seed {seed} done; so far {report}");
            }
            Tell($"{name}: {report.Table()}");
            // What the broker itself has lost says nothing of the engines: only a run in which it kept its word does.
            var missing = report.Failures.Count > 0 ? broker.MissingMarkers() : [];
            if (report.Failures.Count > 0 && (missing.Count > 0 || report.Hung > 0))
            {
                Tell($"the broker called transactions complete without writing all their markers ({string.Join("; ", missing)}; "
                    + $"{report.Hung} left hanging): what they wrote is lost or comes twice. "
                    + $"{report.Failures.Count} failures:\n{string.Join("\n\n", report.Failures)}");
                if (attempt < MostAttempts) continue;
            }
            Assert.True(report.Failures.Count == 0, string.Join("\n\n", report.Failures));
            Assert.Equal(0, report.Differences);
            Assert.Equal(faults, report.Faults);
            return report;
        }
    }

    private void Tell(string line)
    {
        lock (_telling)
        {
            output.WriteLine(line);
            if (Environment.GetEnvironmentVariable("STREAMENGINE_CLUSTER_LOG") is { Length: > 0 } file)
                File.AppendAllText(file, $"{DateTime.UtcNow:HH:mm:ss} {line}\n");
        }
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable($"STREAMENGINE_CLUSTER_{name}"), out var number) ? number : otherwise;
}
