namespace StreamEngine.Decisions;

/// <summary>What is known of an arm, an offer in a placement that learns.</summary>
/// <param name="Placement">The placement.</param>
/// <param name="Reward">What it learns from.</param>
/// <param name="Offer">The offer.</param>
/// <param name="Trials">How many decisions count, fewer with each half-life.</param>
/// <param name="Mean">Their mean reward; null where there are none.</param>
/// <param name="PosteriorMean">The mean that is believed.</param>
/// <param name="AsOf">When the newest decision that counts in the placement was made; null before the first.</param>
public sealed record ArmSummary(string Placement, RewardKind Reward, string Offer, double Trials, double? Mean, double PosteriorMean,
    DateTimeOffset? AsOf)
{
    /// <summary>The shapes of the beta distribution that is believed of a rate; null of a value.</summary>
    public (double Alpha, double Beta)? Rate { get; private init; }

    /// <summary>Of a value, the degrees of freedom and the scale of Student's t around the posterior mean; null of a rate.</summary>
    public (double Freedom, double Scale)? Value { get; private init; }

    /// <summary>
    /// The arms of all placements that learn, each placement's best first. Where the prior's mean is that of each decision, the offer's
    /// default propensity stands for it, or the mean of a value.
    /// </summary>
    /// <param name="policy">The policy.</param>
    /// <param name="numbers">The shared numbers.</param>
    public static IReadOnlyList<ArmSummary> Of(DecisionPolicy policy, SharedNumbers numbers)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(numbers);
        var (beliefs, arms) = (new ArmBeliefs(policy), new List<ArmSummary>());
        beliefs.Take(name => numbers.Common.GetValueOrDefault(name));
        for (var i = 0; i < policy.Explorations.Count; i++)
        {
            var exploration = policy.Explorations[i];
            if (exploration.Thompson is not { } rule) continue;
            var (own, newest) = (new List<ArmSummary>(), 0.0);
            for (var offer = 0; offer < policy.Offers.Count; offer++) newest = Math.Max(newest, beliefs.Of(i, offer).AsOf);
            for (var offer = 0; offer < policy.Offers.Count; offer++)
                if (policy.Offers[offer].MayBeIn(exploration.Placement.AsSpan()))
                    own.Add(Of(exploration.Name, rule, policy.Offers[offer], beliefs.Of(i, offer), newest));
            arms.AddRange(own.OrderByDescending(a => a.PosteriorMean).ThenBy(a => a.Offer, StringComparer.Ordinal));
        }
        return arms;
    }

    private static ArmSummary Of(string placement, ThompsonRule rule, CompiledOffer offer, in ArmTally tally, double asOf)
    {
        double? mean = tally.Trials > 0 ? tally.Sum / tally.Trials : null;
        var prior = rule.PriorMean ?? (rule.Reward == RewardKind.Value ? mean ?? 0 : offer.Propensity.Default);
        var posterior = ArmPosterior.Of(rule, prior, tally);
        return new ArmSummary(placement, rule.Reward, offer.Name, tally.Trials, mean, posterior.Mean,
            asOf > 0 ? DateTimeOffset.FromUnixTimeMilliseconds((long)asOf) : null)
        {
            Rate = posterior.IsBeta ? (posterior.A, posterior.B) : null,
            Value = posterior.IsBeta ? null : (posterior.A, posterior.Scale),
        };
    }
}
