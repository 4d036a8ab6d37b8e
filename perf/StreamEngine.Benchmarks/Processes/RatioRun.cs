using System.Globalization;
using System.Text.Json;
using StreamEngine.Testing;

namespace StreamEngine.Benchmarks.Processes;

/// <summary>
/// One job under two configs, A B B A ... over one topic of one broker: CPU seconds per million events, events per second, and how long
/// batches and commits took. Without settings, A keeps no checkpoints and B both kinds.
/// </summary>
internal static class RatioRun
{
    private const int Partitions = 4;
    private static readonly string[] Off = ["checkpoints.interval=0s"],
        On = ["checkpoints.topic={run}-checkpoints", "checkpoints.interval=2s"];
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly string[] Histograms = ["batch", "commit", "interval"];

    private sealed record Figures(double Cpu, double PerSecond, double Allocated, double[] P99);

    public static async Task<int> Run(string[] args)
    {
        var given = new RunArguments(args, "--events", "--customers", "--rounds", "--a", "--b");
        var (events, customers, rounds) =
            (given.Number("--events", 2_000_000), given.Number("--customers", 100_000), given.Number("--rounds", 5));
        string[] a = given.All("--a"), b = given.All("--b");
        if (a.Length + b.Length == 0) (a, b) = (Off, On);
        Console.WriteLine($"A: {string.Join(' ', a)}\nB: {string.Join(' ', b)}\n{events:n0} events, {customers:n0} customers, {rounds} "
            + $"rounds, {Partitions} partitions; p99 in ms, within a histogram's bucket");
        using var broker = KafkaBroker.Start();
        using var site = new Site(broker.Address, Partitions);
        using (var log = site.Open())
        using (var load = new EventLoad(log, Site.Events, customers)) load.Write(events);

        var rows = new Dictionary<string, List<Figures>> { ["A"] = [], ["B"] = [] };
        await One(site, "warm-up", a);
        Console.WriteLine($"{"",-10}{"CPU s per million",18}{"events/s",12}{"bytes/event",13}{"batch p99",11}{"commit p99",11}"
            + $"{"interval p99",13}");
        for (var round = 1; round <= rounds; round++)
            foreach (var which in round % 2 == 1 ? new[] { "A", "B" } : ["B", "A"])
            {
                var figures = await One(site, $"{which.ToLowerInvariant()}{round}", which == "A" ? a : b);
                rows[which].Add(figures);
                Print($"{which} {round}", figures);
            }
        var (of, to) = (Median(rows["B"]), Median(rows["A"]));
        Print("A median", to);
        Print("B median", of);
        Console.WriteLine(
            $"{"B / A",-10}{of.Cpu / to.Cpu,18:0.000}{of.PerSecond / to.PerSecond,12:0.000}{of.Allocated / to.Allocated,13:0.000}"
            + $"{of.P99[0] / to.P99[0],11:0.000}{of.P99[1] / to.P99[1],11:0.000}{of.P99[2] / to.P99[2],13:0.000}");
        return 0;
    }

    /// <summary>Runs over the whole topic, with a group and outputs of its own.</summary>
    private static async Task<Figures> One(Site site, string run, string[] settings)
    {
        site.CreateOutputs(run);
        string? summary = null;
        var text = "";
        using var engine = site.Start(run, "a", drain: true, line =>
            summary = line.StartsWith("{\"events\"", StringComparison.Ordinal) ? line : summary, settings);
        await engine.Until(async () =>
        {
            // The last answer before it ends: all but the last moments of the run are in it.
            if (await engine.MetricsText() is { Length: > 0 } now) text = now;
            await Task.Delay(200);
            return false;
        }, Patience);
        var code = await engine.Exit(TimeSpan.FromSeconds(10));
        site.Lose(run, "a");
        if (code != 0 || summary is null) throw new InvalidOperationException($"run {run} ended with {code}:\n{engine.Output}");
        using var json = JsonDocument.Parse(summary);
        double Of(string name) => json.RootElement.GetProperty(name).GetDouble();
        return new Figures(Of("cpu_seconds") * 1e6 / Of("events"), Of("events") / Of("seconds"), Of("allocated_bytes") / Of("events"),
            [.. Histograms.Select(h => 1_000 * Quantile(text, $"streamengine_{h}_duration_seconds", 0.99))]);
    }

    /// <summary>
    /// A quantile from a histogram in Prometheus' text, linear within its bucket, as Prometheus' <c>histogram_quantile</c>.
    /// </summary>
    internal static double Quantile(string text, string histogram, double quantile)
    {
        var buckets = new SortedDictionary<double, double>();
        foreach (var line in text.Split('\n'))
        {
            var at = line.IndexOf("le=\"", StringComparison.Ordinal);
            if (at < 0 || !line.StartsWith(histogram + "_bucket{", StringComparison.Ordinal)) continue;
            var bound = line[(at + 4)..line.IndexOf('"', at + 4)];
            var upper = bound == "+Inf" ? double.PositiveInfinity : double.Parse(bound, CultureInfo.InvariantCulture);
            buckets[upper] = buckets.GetValueOrDefault(upper)
                + double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
        }
        if (buckets.Count == 0) return double.NaN;
        var rank = quantile * buckets.Values.Last();
        double lower = 0, below = 0;
        foreach (var (upper, count) in buckets)
        {
            if (count >= rank && count > below)
                return double.IsInfinity(upper) ? lower : lower + (upper - lower) * (rank - below) / (count - below);
            (lower, below) = (upper, count);
        }
        return lower;
    }

    private static Figures Median(List<Figures> rows) => new(Median(rows.Select(r => r.Cpu)), Median(rows.Select(r => r.PerSecond)),
        Median(rows.Select(r => r.Allocated)), [.. Histograms.Select((_, i) => Median(rows.Select(r => r.P99[i])))]);

    internal static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count == 0 ? double.NaN : (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    private static void Print(string what, Figures f) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{what,-10}{f.Cpu,18:0.00}{f.PerSecond,12:n0}{f.Allocated,13:0.0}{f.P99[0],11:0.00}{f.P99[1],11:0.00}{f.P99[2],13:0.0}"));
}
