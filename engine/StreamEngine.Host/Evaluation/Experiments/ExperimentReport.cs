using System.Globalization;
using System.Text.Json.Nodes;

namespace StreamEngine.Host.Evaluation.Experiments;

/// <summary>How a variation did by one measure; the lift is null for the control, and where nothing can be computed.</summary>
internal sealed record ReportedArm(string Name, long Customers, double Mean, Lift? Lift);

/// <summary>A measure, over all variations, the control first.</summary>
internal sealed record ReportedMeasure(string Name, IReadOnlyList<ReportedArm> Arms);

/// <summary>An experiment's report.</summary>
/// <param name="Name">The experiment.</param>
/// <param name="Customers">Customers in all variations.</param>
/// <param name="Moved">Customers that were in several variations, and are left out.</param>
/// <param name="RatioPValue">
/// How likely these numbers of customers are by the weights; null for a sticky experiment, whose customers stay where earlier weights put
/// them.
/// </param>
/// <param name="Measures">The measures.</param>
internal sealed record ExperimentReport(string Name, long Customers, long Moved, double? RatioPValue,
    IReadOnlyList<ReportedMeasure> Measures)
{
    /// <summary>Whether something is broken in the assignment or the counting, so that no lift is to be believed.</summary>
    public bool IsMismatched => RatioPValue < SampleRatio.Alarm;

    /// <summary>Compares the variations with the control.</summary>
    /// <param name="data">What is known of the customers.</param>
    /// <param name="measures">The measures: a name, and its sums by variation.</param>
    /// <param name="compare">The statistics: control, variation.</param>
    public static ExperimentReport Of(ExperimentData data, IEnumerable<(string Name, ArmSums[] Arms)> measures,
        Func<ArmSums, ArmSums, Lift> compare)
    {
        var counts = data.Counts;
        return new ExperimentReport(data.Experiment.Name, counts.Sum(), data.Moved,
            data.Experiment.Sticky ? null : SampleRatio.Check(counts, data.Weights).PValue,
            [.. measures.Select(m => new ReportedMeasure(m.Name, [.. m.Arms.Select((arm, i) => new ReportedArm(
                data.Experiment.Variations[i].Name, arm.Count, arm.Count > 0 ? arm.Mean : double.NaN,
                i == 0 ? null : Compared(m.Arms[0], arm, compare)))]))]);
    }

    /// <summary>What is said of a lift in a word.</summary>
    public string Verdict(Lift? lift) => lift is null ? "nothing to compare" : IsMismatched ? "not to be believed"
        : !lift.IsSignificant ? "not significant" : lift.Estimate > 0 ? "more" : "less";

    /// <summary>The report as lines.</summary>
    public void Tell(TextWriter output, double alpha)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Name}: {Customers:N0} customers, sample ratio ") + (RatioPValue is { } p
            ? string.Create(CultureInfo.InvariantCulture, $"p {p:0.####}{(IsMismatched ? " MISMATCH" : "")}")
            : "not checked: the experiment is sticky, so that customers stay where earlier weights put them"));
        var width = Measures.SelectMany(m => m.Arms).Select(a => a.Name.Length).Append(12).Max();
        foreach (var measure in Measures)
        {
            output.WriteLine($"  {measure.Name.PadRight(width + 2)} {"customers",10} {"mean",10} {"lift",9}   "
                + string.Create(CultureInfo.InvariantCulture, $"{(1 - alpha) * 100:0.##} % interval"));
            foreach (var arm in measure.Arms)
            {
                var line = string.Create(CultureInfo.InvariantCulture,
                    $"    {arm.Name.PadRight(width)} {arm.Customers,10:N0} {(double.IsFinite(arm.Mean) ? arm.Mean : 0),10:0.0000}");
                if (arm != measure.Arms[0])
                    line += arm.Lift is { } lift
                        ? $" {Percent(lift.Estimate),9}   {Percent(lift.Low)} to {Percent(lift.High)}, "
                            + string.Create(CultureInfo.InvariantCulture, $"p {lift.PValue:0.####}: {Verdict(lift)}")
                        : $" {"-",9}   {Verdict(null)}";
                output.WriteLine(line);
            }
        }
    }

    /// <summary>The report as JSON; lifts are parts of the control's mean.</summary>
    public JsonNode Json() => new JsonObject
    {
        ["experiment"] = Name,
        ["customers"] = Customers,
        ["customers_in_several_variations"] = Moved,
        ["sample_ratio_p"] = Number(RatioPValue),
        ["sample_ratio_mismatch"] = RatioPValue is null ? null : IsMismatched,
        ["measures"] = new JsonArray([.. Measures.Select(m => new JsonObject
        {
            ["measure"] = m.Name,
            ["variations"] = new JsonArray([.. m.Arms.Select((a, i) => new JsonObject
            {
                ["variation"] = a.Name,
                ["is_control"] = i == 0,
                ["customers"] = a.Customers,
                ["mean"] = Number(a.Mean),
                ["lift"] = Number(a.Lift?.Estimate),
                ["low"] = Number(a.Lift?.Low),
                ["high"] = Number(a.Lift?.High),
                ["p"] = Number(a.Lift?.PValue),
                ["verdict"] = i == 0 ? null : Verdict(a.Lift),
            })]),
        })]),
    };

    /// <summary>A lift as people read it.</summary>
    public static string Percent(double lift) => string.Create(CultureInfo.InvariantCulture, $"{lift * 100:+0.0;-0.0;0.0} %");

    private static Lift? Compared(ArmSums control, ArmSums arm, Func<ArmSums, ArmSums, Lift> compare)
    {
        // A relative lift needs a control that is not 0. Where all customers of an arm did the same (as nobody at all), nothing is known of
        // how much they differ: an interval by the other arm's variance alone would be far too narrow.
        if (control.Mean == 0 || !Varies(control) || !Varies(arm)) return null;
        var lift = compare(control, arm);
        return double.IsFinite(lift.Low) && double.IsFinite(lift.High) ? lift : null;
    }

    /// <summary>A variance is the difference of two sums: what is below their precision is 0.</summary>
    private static bool Varies(ArmSums arm) => arm.Count >= 2 && arm.Variance > 1e-12 * (arm.Squares / arm.Count);

    private static JsonNode? Number(double? value) => value is { } number && double.IsFinite(number) ? JsonValue.Create(number) : null;
}
