using System.Globalization;
using StreamEngine.Configuration;
using StreamEngine.Decisions;

namespace StreamEngine.Host.Replay.Comparison;

/// <summary>A comparison as a table for people.</summary>
/// <param name="output">Where to.</param>
internal sealed class ComparisonText(TextWriter output)
{
    private const int LabelWidth = 44;
    private const int MostDifferences = 20;
    private const int MostText = 60;
    private const int Width = 96;

    /// <summary>Writes all of it.</summary>
    public void Write(ComparisonReport report)
    {
        for (var i = 0; i < report.Policies.Count; i++)
            output.WriteLine($"{"AB"[i]}  {report.Policies[i].File}, config {report.Policies[i].ConfigHash}");
        Differences(report.Differences);
        output.WriteLine(Invariant($"{report.Records:N0} records"));
        Placement("all placements", report.Total);
        if (report.Placements.Count > 1)
            foreach (var (name, placement) in report.Placements) Placement($"placement {name}", placement);
        Changes(report.Total);
        output.WriteLine();
        foreach (var note in report.Notes) Wrapped(note);
    }

    private void Wrapped(string text)
    {
        var column = 0;
        foreach (var word in text.Split(' '))
        {
            if (column > 0) output.Write((column += word.Length + 1) > Width ? "\n" : " ");
            if (column == 0 || column > Width) column = word.Length;
            output.Write(word);
        }
        output.WriteLine();
    }

    private void Differences(IReadOnlyList<ConfigDifference> differences)
    {
        if (differences.Count == 0) output.WriteLine("What decides is written the same in both.");
        foreach (var d in differences.Take(MostDifferences)) output.WriteLine($"  {d.Path}: {Short(d.A)} -> {Short(d.B)}");
        if (differences.Count > MostDifferences)
            output.WriteLine($"  and {differences.Count - MostDifferences} more differences, which --json has");
    }

    private void Placement(string name, PlacementComparison comparison)
    {
        var (a, b) = (comparison.Policies[0], comparison.Policies[1]);
        output.WriteLine();
        output.WriteLine(Invariant($"{name}: {comparison.Same:N0} decisions are the same, {comparison.Changed:N0} changed, ")
            + Invariant($"{comparison.OnlyA:N0} only in A, {comparison.OnlyB:N0} only in B"));
        output.WriteLine($"  {"",-LabelWidth} {"A",14} {"B",14} {"B - A",14}");
        Row("decisions", a.Decisions, b.Decisions);
        foreach (var outcome in Enum.GetValues<Outcome>())
            if (a.Outcomes[(int)outcome] + b.Outcomes[(int)outcome] > 0)
                Row($"  {Spelling.Snake(outcome.ToString())}", a.Outcomes[(int)outcome], b.Outcomes[(int)outcome]);
        Row("customers reached", a.Customers, b.Customers);
        Number("expected value (P x V) of what is shown", a.ExpectedValue, b.ExpectedValue);
        Number("  mean", a.ExpectedValue / a.Served, b.ExpectedValue / b.Served);
        Number("priority (P x C x V x L) of what is shown", a.Priority, b.Priority);
        Number("  mean", a.Priority / a.Served, b.Priority / b.Served);
        Rows("shown, by offer", a.ByOffer, b.ByOffer);
        Rows("shown, by channel", a.ByChannel, b.ByChannel);
        Rows("candidates that a limit dropped", a.Limits, b.Limits);
        Rows("scores that defaults stood in for, by offer", a.Fallbacks, b.Fallbacks);
        Rows("candidates dropped, by offer and reason", Drops(a), Drops(b));
    }

    private void Changes(PlacementComparison total)
    {
        if (total.Changes.Count == 0) return;
        output.WriteLine();
        output.WriteLine("the most frequent changes of what is shown, A's to B's");
        foreach (var change in total.Changes)
            output.WriteLine(Invariant($"  {change.Count,10:N0}  {change.From} -> {change.To}")
                + (change.From == change.To ? " (another treatment or channel)" : ""));
    }

    private static Dictionary<string, long> Drops(PolicyTally tally) =>
        tally.Drops.ToDictionary(d => $"{d.Offer} {d.Reason}", d => d.Count);

    private void Rows(string title, IReadOnlyDictionary<string, long> a, IReadOnlyDictionary<string, long> b)
    {
        var names = a.Keys.Union(b.Keys).Order(StringComparer.Ordinal).ToList();
        if (names.Count == 0) return;
        output.WriteLine($"  {title}");
        foreach (var name in names) Row($"  {name}", a.GetValueOrDefault(name), b.GetValueOrDefault(name));
    }

    private void Row(string label, long a, long b) =>
        output.WriteLine(Invariant($"  {Label(label)} {a,14:N0} {b,14:N0} {Signed(b - a, "N0"),14}"));

    private void Number(string label, double a, double b) => output.WriteLine(
        $"  {Label(label)} {Finite(a, "N4"),14} {Finite(b, "N4"),14} {(double.IsFinite(b - a) ? Signed(b - a, "N4") : "-"),14}");

    private static string Label(string label) => Printable.Text(label).PadRight(LabelWidth);

    private static string Finite(double value, string format) =>
        double.IsFinite(value) ? value.ToString(format, CultureInfo.InvariantCulture) : "-";

    private static string Signed<T>(T value, string format) where T : System.Numerics.INumber<T> =>
        (T.IsPositive(value) && !T.IsZero(value) ? "+" : "") + value.ToString(format, CultureInfo.InvariantCulture);

    private static string Short(string? text) => text is null ? "absent"
        : text.Length <= MostText ? Printable.Text(text) : Printable.Text(text[..MostText]) + " ...";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
