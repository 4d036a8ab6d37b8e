using StreamEngine.SystemTests.Oracle;
using StreamEngine.SystemTests.Shop;

namespace StreamEngine.SystemTests.Runs;

/// <summary>What a chaos run does.</summary>
/// <param name="Seed">Of the input, of the points of the kills.</param>
/// <param name="Events">Records of input.</param>
/// <param name="Kills">How often the engine is killed; the fifth kill, when there is most to restore, hits it while it recovers.</param>
internal sealed record ChaosPlan(int Seed, int Events = 60_000, int Kills = 5)
{
    /// <summary>Customers: a fifth of a thousandth of the events.</summary>
    public int Customers => Math.Max(50, Events / 200);
}

/// <summary>
/// An engine is killed again and again at points that the seed draws, started each time with another version of its model, and at last runs
/// to the end of its input. Then every record that it wrote is held against the oracle.
/// </summary>
internal sealed class ChaosRun(Arena arena, ChaosPlan plan, Action<string> tell)
{
    private const int LivePerSecond = 3_000, Versions = 3, Still = 500; // looks in a row at which nothing has come
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private readonly Random _random = new(plan.Seed);

    /// <summary>Kills so far.</summary>
    public int Kills { get; private set; }

    /// <summary>Kills that hit a shard while it was restored.</summary>
    public int KillsInRecovery { get; private set; }

    /// <summary>
    /// Runs. Half of the input is there at the start; where the log allows it, the rest comes in one part for each kill, while the engine
    /// works.
    /// </summary>
    public async Task<Report> Go(bool live, bool chaosModel)
    {
        var input = ShopInput.Make(new InputSpec(plan.Seed, plan.Events, plan.Customers, Arena.Partitions, Plain: !chaosModel)).ToArray();
        var first = live ? input.Length / 2 : input.Length;
        var part = (input.Length - first) / plan.Kills;
        await arena.Write(input.Take(first));
        for (var kill = 0; kill < plan.Kills; kill++)
        {
            var from = first + kill * part;
            var writing = live ? arena.Write(input[from..(kill == plan.Kills - 1 ? input.Length : from + part)], LivePerSecond)
                : Task.CompletedTask;
            await RunAndKill(kill, live ? input.Length / plan.Kills : input.Length / (plan.Kills + 1), chaosModel);
            await writing;
        }
        tell($"seed {plan.Seed}: draining");
        await arena.Drain(Version(plan.Kills, chaosModel));
        var report = arena.Check();
        tell($"seed {plan.Seed}: {Kills} kills, {KillsInRecovery} while recovering; {report}");
        return report;
    }

    private async Task RunAndKill(int kill, int within, bool chaosModel)
    {
        // Small batches and commits, so that a kill finds an engine amid its work.
        using var engine = arena.Start(Version(kill, chaosModel), false, "a", "runtime.max_poll_records=20", "checkpoints.interval=200ms",
            $"runtime.commit_interval={(kill % 2 == 0 ? 5 : 40)}ms");
        string how;
        if (kill % 5 == 4)
        {
            var (recovering, quiet) = (false, 0);
            await engine.Until(async () =>
            {
                var metrics = await engine.Metrics();
                recovering = metrics.GetValueOrDefault("streamengine_records_restored_total") > 0
                    && metrics.GetValueOrDefault("streamengine_records_total") == 0;
                quiet = HasAll(metrics) ? quiet + 1 : 0;
                return recovering || metrics.GetValueOrDefault("streamengine_records_total") > 0 || quiet > Still;
            }, Patience);
            if (recovering) KillsInRecovery++;
            how = recovering ? " while recovering" : " after recovering";
        }
        else
        {
            var after = _random.Next(1, Math.Max(2, within));
            var quiet = 0;
            double seen = 0;
            await engine.Until(async () =>
            {
                var metrics = await engine.Metrics();
                var records = metrics.GetValueOrDefault("streamengine_records_total");
                // All of its shards are there and nothing comes: the life before has read everything.
                quiet = HasAll(metrics) && records == seen ? quiet + 1 : 0;
                seen = records;
                return records >= after || quiet > Still;
            }, Patience);
            how = $" after {seen} records";
        }
        if (engine.Ended) throw new InvalidOperationException($"the engine ended by itself before kill {kill + 1}:\n{engine.Output}");
        await engine.Kill();
        Kills++;
        tell($"seed {plan.Seed}: kill {Kills}{how}");
    }

    private static bool HasAll(Dictionary<string, double> metrics) =>
        metrics.GetValueOrDefault("streamengine_shards") >= Arena.Partitions;

    private static int? Version(int run, bool chaosModel) => chaosModel ? 1 + run % Versions : null;
}
