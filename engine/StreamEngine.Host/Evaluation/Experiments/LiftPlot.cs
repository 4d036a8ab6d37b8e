using System.Globalization;
using System.Net;
using System.Text;

namespace StreamEngine.Host.Evaluation.Experiments;

/// <summary>Draws lifts with their intervals, one below the other, as an SVG image (a forest plot) for light and dark pages.</summary>
internal static class LiftPlot
{
    private const int Width = 900, Row = 26, Left = 330, Right = 40, Top = 52, Ticks = 6;

    /// <summary>The image.</summary>
    /// <param name="reports">What is drawn.</param>
    /// <param name="alpha">The intervals' error rate.</param>
    public static string Svg(IReadOnlyList<ExperimentReport> reports, double alpha)
    {
        var rows = reports.SelectMany(r => r.Measures.SelectMany(m => m.Arms.Skip(1).Select(a => (Report: r, Measure: m.Name, Arm: a))))
            .ToList();
        var lifts = rows.Where(r => r.Arm.Lift is not null).Select(r => r.Arm.Lift!).ToList();
        var (low, high) = (lifts.Select(l => l.Low).Append(-0.05).Min(), lifts.Select(l => l.High).Append(0.05).Max());
        var step = Step((high - low) / Ticks);
        (low, high) = (Math.Floor(low / step) * step, Math.Ceiling(high / step) * step);
        double X(double lift) => Left + (lift - low) / (high - low) * (Width - Left - Right);
        var height = Top + rows.Count * Row + 44;
        var svg = new StringBuilder();
        Add($"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {height}" width="{Width}" height="{height}" role="img">
            <title>Lift over the control, with {(1 - alpha) * 100:0.##} % intervals</title>
            <style>
            svg {"{"} color-scheme: light dark; background: light-dark(#fff, #16181d); font: 13px system-ui, sans-serif {"}"}
            text {"{"} fill: light-dark(#1b1f24, #e6e8eb) {"}"} .faint {"{"} fill: light-dark(#57606a, #9aa4af) {"}"}
            line {"{"} stroke: light-dark(#57606a, #9aa4af) {"}"} .grid {"{"} stroke: light-dark(#e4e7eb, #2b3038) {"}"}
            .more {"{"} stroke: light-dark(#0a7d33, #4cc277); fill: light-dark(#0a7d33, #4cc277) {"}"}
            .less {"{"} stroke: light-dark(#b3261e, #ff8a80); fill: light-dark(#b3261e, #ff8a80) {"}"}
            .open {"{"} stroke: light-dark(#57606a, #9aa4af); fill: light-dark(#57606a, #9aa4af) {"}"}
            </style>
            """);
        Add($"""<text x="12" y="24">Lift over the control, with {(1 - alpha) * 100:0.##} % intervals</text>""");
        for (var at = low; at < high + step / 2; at += step)
        {
            Add($"""<line class="grid" x1="{X(at):0.#}" x2="{X(at):0.#}" y1="{Top - 6}" y2="{height - 34}"/>""");
            Add($"""<text class="faint" x="{X(at):0.#}" y="{height - 16}" text-anchor="middle">{ExperimentReport.Percent(at)}</text>""");
        }
        Add($"""<line x1="{X(0):0.#}" x2="{X(0):0.#}" y1="{Top - 6}" y2="{height - 34}"/>""");
        for (var i = 0; i < rows.Count; i++)
        {
            var (report, measure, arm) = rows[i];
            var y = Top + i * Row + Row / 2;
            Add($"""<text x="12" y="{y + 4}">{WebUtility.HtmlEncode($"{report.Name}: {arm.Name}, {measure}")}</text>""");
            if (arm.Lift is not { } lift)
            {
                Add($"""<text class="faint" x="{X(0) + 8:0.#}" y="{y + 4}">{report.Verdict(null)}</text>""");
                continue;
            }
            var kind = report.IsMismatched || !lift.IsSignificant ? "open" : lift.Estimate > 0 ? "more" : "less";
            Add($"""<line class="{kind}" x1="{X(lift.Low):0.#}" x2="{X(lift.High):0.#}" y1="{y}" y2="{y}" stroke-width="2"/>""");
            Add($"""<circle class="{kind}" cx="{X(lift.Estimate):0.#}" cy="{y}" r="4"><title>{report.Verdict(lift)}</title></circle>""");
        }
        return svg.Append("</svg>\n").ToString();

        void Add(FormattableString part) => svg.Append(part.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    /// <summary>The next round number: 1, 2 or 5 times a power of ten.</summary>
    private static double Step(double least)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(least)));
        return power * (least <= power ? 1 : least <= 2 * power ? 2 : least <= 5 * power ? 5 : 10);
    }
}
