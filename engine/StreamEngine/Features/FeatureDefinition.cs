using StreamEngine.Configuration;

namespace StreamEngine.Features;

/// <summary>What a feature is, in words, by its options alone.</summary>
internal static class FeatureDefinition
{
    private const string Rounded = "up to rounding";

    /// <summary>The definition. Savepoints hold it, and compare it with that of a new config.</summary>
    public static string Of(FeatureOptions feature)
    {
        if (feature.Expr is not null) return feature.Expr.Text.Trim();
        var text = Spelling.Snake(feature.Op!.Value.ToString());
        if (feature.SameDayMerge) text += " by days";
        if (feature.Of is not null) text += $" of {feature.Of.Text.Trim()}";
        if (feature.Over is not null) text += $" for each item of {feature.Over.Text.Trim()}";
        if (feature.Weight is not null) text += $" weighing {feature.Weight.Text.Trim()}";
        if (feature.Slots is { } count) text += $" in {count} slots";
        if (feature.Scale is { } scale) text += $" to {scale} digits";
        if (feature.HalfLife is { } halfLife) text += $" with a half-life of {Spelling.Duration(halfLife)}";
        if (feature.Where is not null) text += $" where {feature.Where.Text.Trim()}";
        if (feature.Per is not null) text += $" per {feature.Per.Text.Trim()}";
        return $"{text} over {Window(feature.Window)}";
    }

    /// <summary>The events that it looks at.</summary>
    public static string Window(WindowOptions? window) => window switch
    {
        { Sliding: { } size } => $"the last {Spelling.Duration(size)} by panes of {Spelling.Duration(window.Every!.Value)}",
        { Tumbling: { } size } => $"aligned windows of {Spelling.Duration(size)}",
        { Calendar: { } unit } => $"the last {window.Last ?? 1} of {Spelling.Snake(unit.ToString())}s in {window.Zone ?? "UTC"}",
        { Session: { } gap } => $"sessions with a gap of {Spelling.Duration(gap)}",
        _ => "the whole life time",
    };

    /// <summary>The unit of its values; empty where they are those of the operand, or plain numbers.</summary>
    public static string Unit(FeatureOptions feature) =>
        feature.Op is { } op && (feature.Unit ?? OperatorTable.Of(op).Unit) is { } unit ? op switch
        {
            FeatureOperator.Trend => $"per {Spelling.Snake(unit.ToString())}"[..^1],
            FeatureOperator.Rfm => $"{Spelling.Snake(unit.ToString())} (recency and age)",
            _ => Spelling.Snake(unit.ToString()),
        } : feature.Op == FeatureOperator.Streak ? "days" : "";

    /// <summary>How new its value is when it is read.</summary>
    public static string Freshness(FeatureOptions feature) => feature switch
    {
        { Expr: not null } => "as new as the features that it reads",
        { Window.Every: { } pane } => $"has every event up to now; events leave it by panes of {Spelling.Duration(pane)}",
        { HalfLife: not null } => "has every event up to now; decays to the very time",
        _ => "has every event up to now",
    };

    /// <summary>How exact its value is, whatever the order of arrival.</summary>
    /// <param name="feature">The options.</param>
    /// <param name="isFixed">Whether its operand is added as an integer of its smallest unit.</param>
    public static string Bound(FeatureOptions feature, bool isFixed) => feature.Op switch
    {
        null => "as exact as the features that it reads",
        FeatureOperator.Distinct => $"exact to {DistinctCell.Exact} values, then a standard error of {HyperLogLog.StandardError:P1}",
        FeatureOperator.Quantile => "within 1 % of the right value, more where values are spread wide",
        FeatureOperator.Top => $"{(feature.HalfLife is null && feature.Weight is null ? "exact" : Rounded)} while there are at most "
            + $"{feature.Slots ?? 16} names, then too large by at most the smallest slot's weight (total / {feature.Slots ?? 16}"
            + (feature.Window is null ? ")" : ", twice that over several panes)"),
        FeatureOperator.DecayedSum or FeatureOperator.DecayedMean => Rounded,
        { } op when OperatorTable.Of(op).Adds && feature.Of is not null && !isFixed => Rounded,
        _ => "exact",
    };
}
