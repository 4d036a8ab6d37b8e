using System.Diagnostics;
using System.Text.RegularExpressions;
using StreamEngine.Connectors;
using StreamEngine.SystemTests.Oracle;
using StreamEngine.SystemTests.Runs;
using StreamEngine.SystemTests.Shop;
using StreamEngine.Testing;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.SystemTests;

/// <summary>
/// Engines that leave their group, or are taken out of it: the other one acts long before the session timeout, which has its default of 15
/// s here, and the oracle finds everything once.
/// </summary>
[Collection(nameof(ChaosTests))]
public sealed partial class LeaveTests(ITestOutputHelper output)
{
    private const int Events = 24_000, Customers = 200;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120), FarBelow = TimeSpan.FromSeconds(10);

    [SkippableFact]
    public async Task A_process_that_leaves_is_followed_at_once()
    {
        using var arena = new Arena(JobDefinition.Chaos, Kafka(), "leave");
        await TakenOver(arena, async engine =>
        {
            var said = await arena.Leave(engine.Port);
            Assert.Equal(0, await engine.Exit(Patience));
            return said;
        });
    }

    [SkippableFact]
    public async Task A_killed_node_that_is_taken_out_is_followed_at_once()
    {
        using var arena = new Arena(JobDefinition.Chaos, Kafka(), "take-out");
        await TakenOver(arena, async engine =>
        {
            await engine.Kill();
            return await arena.Leave(0, "a");
        });
        var (code, said) = await arena.Leave(0, "nobody");
        Assert.Equal(3, code);
        Assert.Contains("has no members", said, StringComparison.Ordinal);
    }

    private async Task TakenOver(Arena arena, Func<EngineProcess, Task<(int Code, string Output)>> leave)
    {
        var input = ShopInput.Make(new InputSpec(31, Events, Customers, Arena.Partitions)).ToArray();
        await arena.Write(input[..(Events / 8)]);
        using var first = arena.Start(1, node: "a");
        using var second = arena.Start(2, node: "b");
        Assert.True(await second.Until(async () => await first.Metric("streamengine_shards") == 2
            && await second.Metric("streamengine_shards") == 2, Patience), $"{second.Output}\n--- first:\n{first.Output}");
        Assert.True(await second.Until(() => Task.FromResult(arena.AllCommitted()), Patience), second.Output);
        var writing = arena.Write(input[(Events / 8)..], perSecond: 1_000);
        await Task.Delay(TimeSpan.FromSeconds(2));

        var started = Stopwatch.StartNew();
        var (code, said) = await leave(first);
        Assert.True(code == 0, $"{said}\n--- first:\n{first.Output}");
        var left = started.Elapsed;
        var moved = Moved(said);
        Assert.Equal(2, moved.Length);

        // The first one is gone: whatever comes in these partitions now is the second one's.
        using var log = arena.OpenLog();
        var acted = moved.Select(p => new TopicPartition(arena.Topics.Actions, p)).ToDictionary(p => p, p => log.Watermarks(p).High);
        Assert.True(await second.Until(() => Task.FromResult(acted.All(p => log.Watermarks(p.Key).High > p.Value)), Patience),
            second.Output);
        output.WriteLine($"{arena.Job.Name}: left after {left.TotalSeconds:0.00} s, every partition's first action of the other one after "
            + $"{started.Elapsed.TotalSeconds:0.00} s; {said.Trim()}");
        Assert.True(started.Elapsed < FarBelow, $"the other one acted after {started.Elapsed}");

        await writing;
        Assert.True(await second.Until(() => Task.FromResult(arena.AllCommitted()), Patience), second.Output);
        second.Terminate();
        Assert.Equal(0, await second.Exit(Patience));
        var report = arena.Check();
        Assert.True(report.Faults == 0, report.ToString());
        Assert.Equal(Events, report.Events);
    }

    private static int[] Moved(string said) =>
        [.. HandedOver().Match(said).Groups[1].Value.Split(", ", StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];

    [GeneratedRegex("handed over: partitions ([0-9, ]+)")]
    private static partial Regex HandedOver();

    private static string Kafka()
    {
        Skip.If(KafkaBroker.Missing is not null, KafkaBroker.Missing);
        return KafkaBroker.Shared.Address;
    }
}
