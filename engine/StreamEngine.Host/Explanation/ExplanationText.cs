using System.Globalization;
using StreamEngine.Configuration;

namespace StreamEngine.Host.Explanation;

/// <summary>Writes an explained decision for people.</summary>
internal static class ExplanationText
{
    /// <summary>Writes it.</summary>
    public static void Write(TextWriter output, ExplainedDecision d)
    {
        output.WriteLine(Printable.Text($"{d.DecisionId}: {d.Outcome}{(d.Chosen is { } c ? $" {c.Offer}" : "")} for {d.Customer} at "
            + $"{d.DecidedAt}, config {d.ConfigHash}{(d.ConfigIsSame ? "" : " (not the one at hand)")}"));
        foreach (var sentence in d.Why) output.WriteLine($"  - {Printable.Text(sentence)}");
        var width = d.Candidates.Select(o => Printable.Text(o.Offer).Length).Append(5).Max();
        if (d.Candidates.Count > 0)
            output.WriteLine($"  {"offer".PadRight(width)}  {"rank",4} {"priority",11} {"P",10} {"C",8} {"V",10} {"L",8}  stage: reason");
        foreach (var o in d.Candidates.OrderBy(o => o.Rank == 0).ThenBy(o => o.Rank))
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {Printable.Text(o.Offer).PadRight(width)}  {o.Rank,4} {o.Priority,11:G6} {o.P,10:G6} {o.C,8:G6} {o.V,10:G6} {o.L,8:G6}")
                + $"  {o.Stage}: {Printable.Text(o.Why)}");
        foreach (var score in d.Reasons) Reasons(output, score);
        if (d.Features.Count > 0)
            output.WriteLine("  features: " + string.Join(", ", d.Features.Select((f, i) => string.Create(CultureInfo.InvariantCulture,
                $"{f.Name ?? $"#{i + 1}"} {f.Value:G9}"))));
    }

    /// <summary>Writes what features added to a score.</summary>
    private static void Reasons(TextWriter output, ExplainedScore s)
    {
        var head = $"  {Printable.Text($"{s.Model} {s.Version}{(s.Offers.Count > 0 ? $", for {string.Join(", ", s.Offers)}" : "")}")}: ";
        output.WriteLine(head + Printable.Text(Of(s)));
        foreach (var r in s.Reasons)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"    {Signed(r.Contribution)}  {r.Feature} {r.Value:G9}"));
        if (s.OtherFeatures > 0)
            output.WriteLine($"    {Signed(s.Others)}  {s.OtherFeatures} other feature{(s.OtherFeatures == 1 ? "" : "s")}");
    }

    /// <summary>What a score is made of, or why that is not told.</summary>
    public static string Of(ExplainedScore s)
    {
        if (s.Refusal.Length > 0) return s.Refusal;
        var from = s.ComparedWith == "training" ? "the mean of the training" : "a customer of whom nothing is known";
        return (s.Unit == "score" ? "" : string.Create(CultureInfo.InvariantCulture, $"P {s.P:G6} is "))
            + string.Create(CultureInfo.InvariantCulture, $"{Unit(s.Unit)} {s.Raw:G6} = {s.Base:G6} of {from}, and of features:");
    }

    private static string Unit(string unit) => unit switch { "log_odds" => "log odds", "score" => "P", _ => unit };

    private static string Signed(double number) => number.ToString("+0.0000;-0.0000", CultureInfo.InvariantCulture).PadLeft(9);
}
