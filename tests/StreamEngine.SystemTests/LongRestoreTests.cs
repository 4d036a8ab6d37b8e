using System.Collections.Concurrent;
using System.Diagnostics;
using Confluent.Kafka;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.SystemTests.Oracle;
using StreamEngine.SystemTests.Runs;
using StreamEngine.SystemTests.Shop;
using StreamEngine.Testing;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.SystemTests;

/// <summary>
/// A shard whose restore takes several times <c>max.poll.interval.ms</c>: its worker stays in the group, its other shards commit on, and
/// the restore ends.
/// </summary>
[Collection(nameof(ChaosTests))]
public sealed class LongRestoreTests(ITestOutputHelper output)
{
    private const int Events = 16_000, Half = Events / 2, ReadPerSecond = 200;
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(3), Patience = TimeSpan.FromSeconds(120);

    /// <summary>The lowest that the client takes is the session timeout, and that must be above the transaction timeout.</summary>
    private static readonly string[] Timeouts =
    [
        "kafka.transaction_timeout=2s", "checkpoints.interval=0s",
        $"kafka.settings={{consumer.session.timeout.ms: {PollInterval.TotalMilliseconds}, consumer.max.poll.interval.ms: "
            + $"{PollInterval.TotalMilliseconds}, consumer.heartbeat.interval.ms: 300}}",
    ];

    [SkippableFact]
    public async Task A_restore_longer_than_the_poll_interval_ends_while_other_shards_commit_on()
    {
        Skip.If(KafkaBroker.Missing is not null, KafkaBroker.Missing);
        using var arena = new Arena(JobDefinition.Plain, KafkaBroker.Shared.Address, "long-restore", partitions: 2);
        var input = ShopInput.Make(new InputSpec(51, Events, 200, 2, Plain: true)).ToArray();
        await arena.Write(input[..Half]);
        await arena.Drain(null, "checkpoints.interval=0s");

        var errors = new ConfigErrors();
        var config = ConfigLoader.Load(arena.Config, arena.Settings(null, "slow", Timeouts), new Dictionary<string, string>(), errors);
        using var compiled = ConfigCheck.CompileForTopics(config, errors);
        errors.ThrowIfAny();
        // Partition 1 is restored from a log that gives some 200 records a second.
        using var log = new SlowLog(arena.OpenLog(config.Options.Kafka), partition: 1, ReadPerSecond);
        var told = new ConcurrentQueue<string>();
        using var engine = new Engine(new WorkerSettings
        {
            Engine = compiled!,
            Log = log,
            InstanceId = "long-restore-slow",
            OpenStore = _ =>
            new MemoryStateStore(),
            Report = e => told.Enqueue(e.Text)
        });
        string Told() => string.Join('\n', told);
        engine.Start();
        var started = Stopwatch.GetTimestamp();
        await Until(() => told.Any(t => t.Contains("Shard 0 restored", StringComparison.Ordinal)), engine, Told);
        var member = Member();

        // Past the interval, several times: shard 0 goes on.
        var lastCommitted = arena.Offsets()[0].Committed;
        for (var part = 0; part < 4; part++)
        {
            await arena.Write(input[(Half + part * Half / 4)..(Half + (part + 1) * Half / 4)]);
            await Task.Delay(PollInterval);
            Assert.True(engine.Restoring.Any(r => r.Key == 1),
                $"the restore was over after {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s:\n{Told()}");
            var (end, committed) = arena.Offsets()[0];
            Assert.True(committed == end && committed > lastCommitted,
                $"shard 0 stands at {committed} of {end}, before at {lastCommitted}:\n{Told()}");
            lastCommitted = committed;
        }
        await Until(arena.AllCommitted, engine, Told);
        Assert.True(Stopwatch.GetElapsedTime(started) > 4 * PollInterval);
        Assert.Equal(member, Member());
        Assert.Single(told, t => t.Contains("Shard 1 restored", StringComparison.Ordinal));
        Assert.DoesNotContain("lost", Told(), StringComparison.Ordinal);
        output.WriteLine(Told());
        engine.Stop();
        await engine.Completion.WaitAsync(Patience);

        var report = arena.Check();
        output.WriteLine(report.ToString());
        Assert.True(report.Faults == 0, report.ToString());
        Assert.Equal(Events, report.Events);
    }

    /// <summary>The broker's name for the one member; another after it was thrown out and joined again.</summary>
    private static string Member()
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = KafkaBroker.Shared.Address }).Build();
        return Assert.Single(Assert.Single(admin.DescribeConsumerGroupsAsync(["long-restore"]).GetAwaiter()
            .GetResult().ConsumerGroupDescriptions).Members).ConsumerId;
    }

    private static async Task Until(Func<bool> holds, Engine engine, Func<string> told)
    {
        var started = Stopwatch.GetTimestamp();
        while (!holds())
        {
            Assert.True(!engine.Completion.IsCompleted && Stopwatch.GetElapsedTime(started) < Patience,
                $"{engine.Completion.Exception?.Message}\n{told()}");
            await Task.Delay(20);
        }
    }
}
