namespace StreamEngine.Features;

/// <summary>All operators: what each takes, and what it makes.</summary>
internal static class OperatorTable
{
    private static readonly Dictionary<FeatureOperator, OperatorSpec> Specs = new OperatorSpec[]
    {
        new(FeatureOperator.Count, p => p.Add(new(p.Column(ColumnKind.Count)))),
        new(FeatureOperator.Sum, AddSum) { Of = OperandNeed.Number, Adds = true },
        new(FeatureOperator.Mean, p => p.Add(p.Sum() with { B = p.Column(ColumnKind.Count), Form = OutputForm.PerEvent }))
            { Of = OperandNeed.Number, Adds = true },
        new(FeatureOperator.Min, p => p.Add(new(p.Column(ColumnKind.Min)))) { Of = OperandNeed.Number },
        new(FeatureOperator.Max, p => p.Add(new(p.Column(ColumnKind.Max)))) { Of = OperandNeed.Number },
        new(FeatureOperator.First, p => p.Add(new(p.Column(ColumnKind.First)))) { Of = OperandNeed.Number },
        new(FeatureOperator.Last, p => p.Add(new(p.Column(ColumnKind.Last)))) { Of = OperandNeed.Number },
        new(FeatureOperator.TimeSince, p => p.Add(new(p.Column(ColumnKind.LatestTwo))
            { Part = p.Feature.Previous ? CellPart.Second : CellPart.Value, Divisor = p.UnitMs }))
            { Unit = TimeUnit.Seconds, Windows = WindowKinds.Lifetime },
        new(FeatureOperator.Duration, p => p.Add(new() { Form = OutputForm.Duration, Divisor = p.UnitMs }))
            { Unit = TimeUnit.Seconds, Windows = WindowKinds.Session },
        RfmOperator.Spec,
    }.ToDictionary(s => s.Op);

    /// <summary>The operator.</summary>
    public static OperatorSpec Of(FeatureOperator op) => Specs[op];

    /// <summary>The sum over no events is 0 by itself; only another default needs to know that there are none.</summary>
    private static void AddSum(OperatorPlan plan)
    {
        var sum = plan.Sum();
        plan.Add(plan.Feature.Default == 0 ? sum : sum with { B = plan.Column(ColumnKind.Count), Form = OutputForm.WithEvents });
    }
}
