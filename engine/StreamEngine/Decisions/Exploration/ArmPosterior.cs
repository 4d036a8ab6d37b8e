namespace StreamEngine.Decisions;

/// <summary>
/// What is believed of an arm's mean reward, given its prior and its tally. A reward that is there or not: the beta distribution with
/// weight x prior mean + successes and weight x (1 - prior mean) + failures. A value: the normal-inverse-gamma model, under which the mean
/// is Student's t (Murphy, <em>Conjugate Bayesian analysis of the Gaussian distribution</em>, 2007, section 6, whose kappa is the weight,
/// as 2 alpha is, and whose 2 beta is weight x deviation^2; in these terms Gelman and others, <em>Bayesian data analysis</em>, 3rd edition,
/// 3.3).
/// </summary>
internal readonly record struct ArmPosterior
{
    private ArmPosterior(bool isBeta, double a, double b, double mean, double scale) =>
        (IsBeta, A, B, Mean, Scale) = (isBeta, a, b, mean, scale);

    /// <summary>Whether it is a beta distribution.</summary>
    public bool IsBeta { get; }

    /// <summary>The first shape of the beta distribution, or the degrees of freedom.</summary>
    public double A { get; }

    /// <summary>The second shape.</summary>
    public double B { get; }

    /// <summary>The mean: that of the prior and of the rewards, by their weights.</summary>
    public double Mean { get; }

    /// <summary>Of Student's t, what a standard one is multiplied by.</summary>
    public double Scale { get; }

    /// <summary>The posterior of an arm.</summary>
    /// <param name="rule">How the placement learns.</param>
    /// <param name="mean">The prior's mean.</param>
    /// <param name="tally">What the arm has earned.</param>
    public static ArmPosterior Of(ThompsonRule rule, double mean, in ArmTally tally)
    {
        var (weight, trials) = (rule.PriorWeight, tally.Trials);
        var posterior = PosteriorMean(rule, mean, tally);
        if (rule.Reward != RewardKind.Value)
            return new ArmPosterior(true, weight * mean + tally.Sum, weight * (1 - mean) + Math.Max(0, trials - tally.Sum), posterior, 0);
        var total = weight + trials;
        var squares = weight * rule.PriorDeviation * rule.PriorDeviation;
        if (trials > 0)
        {
            var (average, ofPrior) = (tally.Sum / trials, tally.Sum / trials - mean);
            // Rounding may leave less than nothing of the squares where all rewards are the same.
            squares += Math.Max(0, tally.Squares - tally.Sum * average) + weight * trials / total * ofPrior * ofPrior;
        }
        return new ArmPosterior(false, total, 0, posterior, Math.Sqrt(squares / total / total));
    }

    /// <summary>The posterior's mean alone.</summary>
    public static double PosteriorMean(ThompsonRule rule, double mean, in ArmTally tally) =>
        (rule.PriorWeight * mean + tally.Sum) / (rule.PriorWeight + tally.Trials);
}
