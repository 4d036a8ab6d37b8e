using StreamEngine.SystemTests.Oracle;
using StreamEngine.SystemTests.Runs;
using StreamEngine.SystemTests.Shop;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.SystemTests;

/// <summary>
/// The embedded log on a disk that runs full: the engine stops and says why; with space again it goes on, and nothing is lost or decided
/// twice.
/// </summary>
[Collection(nameof(EmbeddedChaosTests))]
public sealed class FullDiskTests(ITestOutputHelper output)
{
    private const int Events = 20_000, Megabytes = 64;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [SkippableFact]
    public async Task A_full_disk_stops_the_engine_with_its_reason_and_loses_nothing()
    {
        using var disk = SmallDisk.Mount(Megabytes, out var why);
        Skip.If(disk is null, why);
        using var arena = new Arena(JobDefinition.Chaos, null, "full-disk", disk: disk.Directory);
        await arena.Write(ShopInput.Make(new InputSpec(31, Events, 200, Arena.Partitions)));

        // Each run has room for some of its commits only; the last one for none.
        foreach (var (left, version) in new[] { (300_000, 1), (1_000_000, 2), (1_500_000, 3), (0, 1) })
        {
            disk.Fill(left);
            using var engine = arena.Start(version, node: "a", settings: ["runtime.max_poll_records=20", "runtime.commit_interval=5ms"]);
            var code = await engine.Exit(Patience);
            output.WriteLine($"{left} bytes left: {engine.Output}");
            Assert.Equal(3, code);
            Assert.Contains("free disk space", engine.Output, StringComparison.Ordinal);
            disk.Free();
        }

        await arena.Drain(1);
        var report = arena.Check();
        output.WriteLine(report.ToString());
        Assert.True(report.Faults == 0, report.ToString());
        Assert.Equal(Events, report.Events);
        Assert.True(report.Seen.Keys.Count(k => k.StartsWith("model version", StringComparison.Ordinal)) > 1,
            $"one run did everything: {report}");
    }
}
