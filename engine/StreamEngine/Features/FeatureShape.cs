namespace StreamEngine.Features;

/// <summary>What a feature of the config is called where it is read, and where it stands in the vector.</summary>
/// <param name="Options">The feature.</param>
/// <param name="Numbers">Its numbers, in the vector's order.</param>
/// <param name="Texts">Its texts.</param>
public sealed record FeatureShape(FeatureOptions Options, IReadOnlyList<string> Numbers, IReadOnlyList<string> Texts)
{
    /// <summary>Whether its texts are ranked: they are a list under the feature's own name, and each has a weight.</summary>
    public bool IsRanked => Options.Op == FeatureOperator.Top;

    /// <summary>The place of the first number.</summary>
    public int Index { get; init; }

    /// <summary>The place of the first text.</summary>
    public int Place { get; init; }
}
