namespace StreamEngine.Host.Evaluation;

/// <summary>
/// What is known of the customers of one arm of an experiment: sums over customers of an outcome, and where the variance is to be reduced
/// (CUPED) of the same measure from before the experiment.
/// </summary>
internal sealed record ArmSums
{
    /// <summary>How many customers.</summary>
    public required long Count { get; init; }

    /// <summary>The outcome's sum.</summary>
    public required double Sum { get; init; }

    /// <summary>The sum of the outcome's squares.</summary>
    public required double Squares { get; init; }

    /// <summary>The sum of the measure from before.</summary>
    public double Before { get; init; }

    /// <summary>The sum of its squares.</summary>
    public double BeforeSquares { get; init; }

    /// <summary>The sum of the products of both.</summary>
    public double Products { get; init; }

    /// <summary>Whether the outcome is yes or no for each customer: its variance is then p (1 - p).</summary>
    public bool IsShare { get; init; }

    /// <summary>An arm whose outcome is yes or no.</summary>
    public static ArmSums Share(long count, long yes) => new() { Count = count, Sum = yes, Squares = yes, IsShare = true };

    /// <summary>The mean outcome.</summary>
    public double Mean => Sum / Count;

    /// <summary>The mean of the measure from before.</summary>
    public double MeanBefore => Before / Count;

    /// <summary>The outcome's variance.</summary>
    public double Variance => IsShare ? Mean * (1 - Mean) : (Squares - Sum * Sum / Count) / (Count - 1);

    /// <summary>The variance of the measure from before.</summary>
    public double VarianceBefore => (BeforeSquares - Before * Before / Count) / (Count - 1);

    /// <summary>The covariance of both.</summary>
    public double Covariance => (Products - Sum * Before / Count) / (Count - 1);
}
