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
        new(FeatureOperator.First, p => AddMoment(p, ColumnKind.First, ColumnKind.FirstText)) { Of = OperandNeed.NumberOrText },
        new(FeatureOperator.Last, p => AddMoment(p, ColumnKind.Last, ColumnKind.LastText)) { Of = OperandNeed.NumberOrText },
        new(FeatureOperator.TimeSince, p => p.Add(new(p.Column(ColumnKind.LatestTwo))
            { Part = p.Feature.Previous ? CellPart.Second : CellPart.Value, Divisor = p.UnitMs }))
            { Unit = TimeUnit.Seconds, Windows = WindowKinds.Lifetime },
        new(FeatureOperator.Duration, p => p.Add(new() { Form = OutputForm.Duration, Divisor = p.UnitMs }))
            { Unit = TimeUnit.Seconds, Windows = WindowKinds.Session, IsOfEvents = true },
        RfmOperator.Spec,
        new(FeatureOperator.RepeatMonetary, p => p.Add(p.Sum(ColumnKind.RepeatFixedSum, ColumnKind.RepeatDoubleSum) with
            { B = p.Column(ColumnKind.Days), Form = OutputForm.PerRepeatDay }))
            { Of = OperandNeed.Number, Adds = true, KeepsDays = true, Windows = WindowKinds.Lifetime, IsOfEvents = true },
        new(FeatureOperator.Variance, AddVariance) { Of = OperandNeed.Number, Adds = true },
        new(FeatureOperator.Stddev, p => p.Add(p.Sum(ColumnKind.FixedVariance, ColumnKind.Variance) with { Part = CellPart.Second }))
            { Of = OperandNeed.Number, Adds = true },
        new(FeatureOperator.Rate, AddRate) { Of = OperandNeed.Optional, Adds = true },
        new(FeatureOperator.Trend, AddTrend)
            { Of = OperandNeed.Optional, Adds = true, Unit = TimeUnit.Days, Windows = WindowKinds.Panes },
        new(FeatureOperator.DecayedSum, p => p.Add(new(p.Column(ColumnKind.DecayedSum, p.HalfLifeMs))))
            { Of = OperandNeed.Optional, Windows = WindowKinds.Lifetime },
        new(FeatureOperator.DecayedMean, p => p.Add(new(p.Column(ColumnKind.DecayedMean, p.HalfLifeMs))))
            { Of = OperandNeed.Number, Windows = WindowKinds.Lifetime },
        new(FeatureOperator.Streak, p => p.Add(new(p.Column(ColumnKind.Streak)))) { KeepsDays = true, Windows = WindowKinds.Lifetime },
        new(FeatureOperator.Distinct, p => p.Add(new(p.Column(ColumnKind.Distinct)))) { Of = OperandNeed.Text },
        new(FeatureOperator.Quantile, p => p.Add(new(p.Column(ColumnKind.Quantile))
            { Form = OutputForm.Quantile, Share = p.Feature.Quantile!.Value })) { Of = OperandNeed.Number },
        TopOperator.Spec,
    }.ToDictionary(s => s.Op);

    /// <summary>The operator.</summary>
    public static OperatorSpec Of(FeatureOperator op) => Specs[op];

    private static void AddMoment(OperatorPlan plan, ColumnKind number, ColumnKind text)
    {
        if (plan.Shape.Texts.Count == 0) plan.Add(new(plan.Column(number)));
        else plan.AddTexts(new TextOutput(plan.Column(text)));
    }

    /// <summary>The sum over no events is 0 by itself; only another default needs to know that there are none.</summary>
    private static void AddSum(OperatorPlan plan)
    {
        var sum = plan.Sum();
        plan.Add(plan.Feature.Default == 0 ? sum : sum with { B = plan.Column(ColumnKind.Count), Form = OutputForm.WithEvents });
    }

    private static void AddVariance(OperatorPlan plan)
    {
        var variance = plan.Sum(ColumnKind.FixedVariance, ColumnKind.Variance);
        plan.Add(variance with { Divisor = variance.Divisor * variance.Divisor });
    }

    private static void AddRate(OperatorPlan plan)
    {
        var (feature, weight) = (plan.Feature, plan.Feature.PriorWeight ?? 0);
        plan.AddWithDefault(plan.SumOrCount() with
        {
            B = plan.CountOfPer(),
            Form = OutputForm.Rate,
            Prior = feature.Prior ?? 0,
            PriorWeight = weight,
        }, weight > 0 ? feature.Prior ?? 0 : feature.Default);
    }

    private static void AddTrend(OperatorPlan plan)
    {
        var values = plan.SumOrCount();
        plan.Add(values with
        {
            B = plan.Column(ColumnKind.Count),
            Form = OutputForm.Slope,
            Panes = plan.Window.Rows,
            Divisor = values.Divisor * (plan.Window.Size / plan.UnitMs),
        });
    }
}
