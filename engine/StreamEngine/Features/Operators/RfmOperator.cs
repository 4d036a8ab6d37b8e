namespace StreamEngine.Features;

/// <summary>
/// Recency, frequency, monetary and age by the definitions of Fader and Hardie's RFM summaries, but with all purchases counted in frequency
/// and monetary, the first one included, and recency measured back from now.
/// </summary>
internal static class RfmOperator
{
    public static readonly OperatorSpec Spec = new(FeatureOperator.Rfm, Compile)
    {
        Of = OperandNeed.Number,
        Adds = true,
        IsOfEvents = true,
        Unit = TimeUnit.Days,
        Windows = WindowKinds.Lifetime,
        Suffixes = ["_recency", "_frequency", "_monetary", "_age"],
    };

    private static void Compile(OperatorPlan plan)
    {
        var purchases = plan.Column(plan.Feature.SameDayMerge ? ColumnKind.Days : ColumnKind.Count);
        plan.Add(new(plan.Column(ColumnKind.LatestTwo)) { Divisor = plan.UnitMs });
        plan.AddWithDefault(new(purchases), 0);
        plan.AddWithDefault(plan.Sum() with { B = purchases, Form = OutputForm.PerEvent }, 0);
        plan.Add(new(plan.Column(ColumnKind.FirstTime)) { Divisor = plan.UnitMs });
    }
}
