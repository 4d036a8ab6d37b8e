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
        if (d.Features.Count > 0)
            output.WriteLine("  features: " + string.Join(", ", d.Features.Select((f, i) => string.Create(CultureInfo.InvariantCulture,
                $"{f.Name ?? $"#{i + 1}"} {f.Value:G9}"))));
    }
}
