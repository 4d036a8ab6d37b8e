using System.Globalization;
using Spectre.Console;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Demo;

/// <summary>What the demo shows at one moment.</summary>
/// <param name="Elapsed">Since the start.</param>
/// <param name="Totals">The shards' counts.</param>
/// <param name="EventsPerSecond">Over the last look.</param>
/// <param name="DecisionsPerSecond">Over the last look.</param>
/// <param name="Lag">Events written but not yet processed.</param>
/// <param name="Watermark">The lowest watermark.</param>
/// <param name="P50">Median of record to commit, ms.</param>
/// <param name="P99">99th percentile of the same.</param>
internal sealed record DemoMoment(TimeSpan Elapsed, ShardCounters Totals, double EventsPerSecond, double DecisionsPerSecond, long Lag,
    DateTimeOffset? Watermark, double P50, double P99);

/// <summary>Draws the demo as a table, or tells it as lines.</summary>
internal static class DemoView
{
    /// <summary>A live table.</summary>
    public static Table Table(DemoMoment m, IReadOnlyList<string> offers, string? dashboard = null)
    {
        var table = new Table { Border = TableBorder.Rounded }.AddColumn("StreamEngine demo").AddColumn(new TableColumn("").RightAligned());
        table.AddRow("running", string.Create(CultureInfo.InvariantCulture, $"{m.Elapsed:mm\\:ss}"));
        if (dashboard is not null) table.AddRow("dashboard", Markup.Escape(dashboard));
        table.AddRow("events/s", N(m.EventsPerSecond)).AddRow("decisions/s", N(m.DecisionsPerSecond));
        table.AddRow("lag (events)", N(m.Lag))
            .AddRow("watermark (shop time)", m.Watermark?.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "-");
        table.AddRow("record to commit p50 / p99", string.Create(CultureInfo.InvariantCulture, $"{m.P50:F1} / {m.P99:F1} ms"));
        table.AddEmptyRow().AddRow("[bold]actions by offer[/]", "");
        for (var i = 0; i < offers.Count; i++) table.AddRow("  " + Markup.Escape(offers[i]), N(m.Totals.Actions[i]));
        table.AddEmptyRow().AddRow("[bold]rejected by reason[/]", "");
        foreach (var (reason, count) in Rejected(m.Totals)) table.AddRow("  " + reason, N(count));
        return table;
    }

    /// <summary>One line.</summary>
    public static string Line(DemoMoment m) => string.Create(CultureInfo.InvariantCulture,
        $"{m.Elapsed:mm\\:ss}  {m.EventsPerSecond,8:N0} events/s  {m.DecisionsPerSecond,7:N0} decisions/s  lag {m.Lag:N0}  watermark "
            + $"{m.Watermark:HH:mm:ss}  p50 {m.P50:F1} ms  p99 {m.P99:F1} ms  actions {m.Totals.Actions.Sum():N0}  rejected "
            + $"{m.Totals.Rejected.Sum():N0}");

    /// <summary>The reasons that occurred.</summary>
    public static IEnumerable<(string Reason, long Count)> Rejected(ShardCounters totals) =>
        totals.Rejected.Select((count, i) => (EngineMetrics.Reasons[i], count)).Where(r => r.count > 0);

    private static string N(double value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
