using System.Diagnostics;
using StreamEngine.SystemTests.Oracle;
using StreamEngine.SystemTests.Runs;
using StreamEngine.SystemTests.Shop;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.SystemTests;

/// <summary>
/// Whole engines on an embedded log whose files are damaged between kill -9 and restart: what is gone is done again, what can't be read is
/// named, nothing is decided twice.
/// </summary>
[Collection(nameof(EmbeddedChaosTests))]
public sealed class EmbeddedDamageTests(ITestOutputHelper output)
{
    /// <summary>So many commits that one in their middle is proven durable by later ones, and no torn tail.</summary>
    private const int Commits = 20;

    private const int Events = 12_000, Customers = 150, Rounds = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90), Idle = TimeSpan.FromSeconds(5);
    private readonly Random _random = new(41);

    [Fact]
    public async Task A_torn_tail_is_done_again()
    {
        using var arena = await Prepared("torn-tail");
        var input = LastByte(LogFile(arena));
        var cut = 0L;
        for (var round = 0; round < Rounds; round++)
        {
            await RunAndKill(arena, round);
            // Whole commits go with the tail, and part of one; the input stays.
            var end = LastByte(LogFile(arena));
            var keep = Math.Max(input, end - _random.Next(1, 60_000));
            cut += end - keep;
            using var file = File.OpenHandle(LogFile(arena), FileMode.Open, FileAccess.ReadWrite);
            RandomAccess.SetLength(file, keep);
        }
        Assert.True(cut > 20_000, $"only {cut} bytes were cut off");
        Assert.True(arena.Restores.Files > 0, $"no cut was older than what was torn off: {arena.Restores}");
        output.WriteLine($"{cut} bytes cut off; shards restored: {arena.Restores}");
        await Fits(arena);
    }

    [Fact]
    public async Task A_flipped_byte_stops_the_start_is_named_and_nothing_is_changed()
    {
        using var arena = await Prepared("flipped-byte");
        var input = LastByte(LogFile(arena));
        await RunAndKill(arena, 0);
        var end = LastByte(LogFile(arena));
        for (var flips = 0; flips < 4; flips++)
        {
            // Among the events, or among the commits; not in the last ones, which may be a torn tail.
            var at = flips % 2 == 0 ? _random.NextInt64(input / 10, input) : _random.NextInt64(input, input + (end - input) / 2);
            Flip(LogFile(arena), at);
            var before = File.ReadAllBytes(LogFile(arena));
            using (var engine = arena.Start(2))
            {
                Assert.True(await engine.Exit(Patience) == 3, engine.Output);
                Assert.Contains("corrupt", engine.Output, StringComparison.Ordinal);
                Assert.Contains(arena.LogDirectory, engine.Output, StringComparison.Ordinal);
            }
            Assert.True(before.AsSpan().SequenceEqual(File.ReadAllBytes(LogFile(arena))), $"the damaged log was changed (byte {at})");
            Flip(LogFile(arena), at);
        }
        await Fits(arena);
    }

    [Fact]
    public async Task Damaged_checkpoint_files_are_passed_over()
    {
        using var arena = await Prepared("damaged-checkpoints");
        var damaged = 0;
        for (var round = 0; round < Rounds; round++)
        {
            await RunAndKill(arena, round);
            foreach (var path in Directory.GetFiles(arena.StateOf("a"), "checkpoint-*.bin", SearchOption.AllDirectories))
            {
                var length = new FileInfo(path).Length;
                if (length == 0) continue;
                // Some not at all; some anywhere, also in the first block: then no cut is left.
                if (_random.Next(3) == 0) continue;
                if (_random.Next(2) == 0)
                    Flip(path, _random.Next(3) == 0 ? _random.Next((int)Math.Min(length, 500)) : _random.NextInt64(length));
                else
                {
                    using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
                    RandomAccess.SetLength(file, _random.NextInt64(length));
                }
                damaged++;
            }
        }
        output.WriteLine($"{damaged} files damaged; shards restored: {arena.Restores}");
        Assert.True(arena.Restores is { Files: > 0, Log: > 0 }, $"of {damaged} damaged files: {arena.Restores}");
        await Fits(arena);
    }

    private static async Task<Arena> Prepared(string name)
    {
        var arena = new Arena(JobDefinition.Chaos, null, name);
        await arena.Write(ShopInput.Make(new InputSpec(41, Events, Customers, Arena.Partitions)));
        return arena;
    }

    private async Task RunAndKill(Arena arena, int round)
    {
        using var engine = arena.Start(1 + round % 3,
            settings: ["runtime.max_poll_records=20", "checkpoints.interval=10ms", "runtime.commit_interval=5ms"]);
        var after = _random.Next(300, Events / Rounds);
        var (seen, since) = (0.0, Stopwatch.GetTimestamp());
        Assert.True(await engine.Until(async () =>
        {
            var m = await engine.Metrics();
            var records = m.GetValueOrDefault("streamengine_records_total");
            if (records != seen || m.GetValueOrDefault("streamengine_shards") != Arena.Partitions)
                (seen, since) = (records, Stopwatch.GetTimestamp());
            // And with some cuts, while anything is left to do: a loaded machine makes short pauses, the end of the input a long one.
            return records >= after && m.GetValueOrDefault("streamengine_checkpoints_total") >= Arena.Partitions
                && m.GetValueOrDefault("streamengine_commits_total") >= Commits
                || Stopwatch.GetElapsedTime(since) > Idle;
        }, Patience), engine.Output);
        await engine.Kill();
    }

    private async Task Fits(Arena arena)
    {
        await arena.Drain(3);
        var report = arena.Check();
        output.WriteLine(report.ToString());
        Assert.True(report.Faults == 0, report.ToString());
        Assert.Equal(Events, report.Events);
    }

    private static string LogFile(Arena arena) => Path.Combine(arena.LogDirectory, "log.0");

    private static void Flip(string path, long at)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        var one = new byte[1];
        if (RandomAccess.Read(file, one, at) == 0) return;
        one[0] ^= 16;
        RandomAccess.Write(file, one, at);
    }

    /// <summary>Behind the last byte that was written: the file itself is longer.</summary>
    private static long LastByte(string path)
    {
        var bytes = File.ReadAllBytes(path);
        return bytes.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
    }
}
