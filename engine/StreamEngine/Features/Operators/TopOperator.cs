namespace StreamEngine.Features;

/// <summary>
/// The texts of the operand that weigh the most: what the customer is drawn to. It makes their names as texts, their weights, and what all
/// events weigh together.
/// </summary>
internal static class TopOperator
{
    /// <summary>The most names that are read.</summary>
    public const int MostNames = 16;

    /// <summary>The most texts that are told apart.</summary>
    public const int MostSlots = 64;

    private const int DefaultNames = 3;

    public static readonly OperatorSpec Spec = new(FeatureOperator.Top, Compile) { Of = OperandNeed.Name };

    /// <summary>How many names are read.</summary>
    public static int Names(FeatureOptions feature) => Math.Clamp(feature.K ?? DefaultNames, 1, MostNames);

    /// <summary>What its numbers in the vector are called.</summary>
    public static IReadOnlyList<string> Weights(FeatureOptions feature) =>
        [.. Enumerable.Range(1, Names(feature)).Select(rank => $"{feature.Name}_weight_{rank}"), $"{feature.Name}_total"];

    /// <summary>What its texts are called.</summary>
    public static IReadOnlyList<string> Texts(FeatureOptions feature) =>
        [.. Enumerable.Range(1, Names(feature)).Select(rank => $"{feature.Name}_{rank}")];

    /// <summary>The cells with so many slots; null where there are none.</summary>
    public static ColumnKind? Kind(FeatureOptions feature) => feature.Slots switch
    {
        8 => ColumnKind.Top8,
        null or 16 => ColumnKind.Top16,
        32 => ColumnKind.Top32,
        64 => ColumnKind.Top64,
        _ => null,
    };

    private static void Compile(OperatorPlan plan) => plan.AddTexts(new TextOutput(
        plan.Column(Kind(plan.Feature)!.Value, plan.Feature.HalfLife is null ? 0 : plan.HalfLifeMs))
    {
        Names = Names(plan.Feature),
        Default = plan.Feature.Default,
    });
}
