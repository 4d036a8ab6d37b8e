namespace StreamEngine.Decisions;

/// <summary>
/// Takes the best of the ranking, or the default offer where nothing is left and for a customer of whom nothing is known.
/// </summary>
internal sealed class SelectionStage(DecisionPolicy policy, Pricing pricing) : IFunnelStage
{
    /// <inheritdoc/>
    public IReadOnlyList<DropReason> Reasons { get; } = [DropReason.LostArbitration];

    /// <inheritdoc/>
    public bool Apply(in Situation situation, Decision decision)
    {
        for (var place = 0; place < decision.Ranked; place++)
        {
            decision.Rank[decision.Ranking[place]] = place + 1;
            decision.Drop[decision.Ranking[place]] = DropReason.LostArbitration;
        }
        var best = decision.Ranked > 0 ? decision.Ranking[0] : -1;
        if ((best < 0 || situation.Request.ColdStart) && DefaultIsPossible(decision))
        {
            var standIn = policy.DefaultOffer;
            if (decision.Source[standIn] == PropensitySource.None) pricing.Price(standIn, situation, decision);
            // A priority that is no finite number is no reason to show anything, of the default offer either.
            decision.IsDefault = double.IsFinite(decision.Priority[standIn]);
            if (decision.IsDefault) best = standIn;
            else decision.Drop[standIn] = DropReason.BadPriority;
        }
        if (best < 0) return false;
        decision.Outcome = Outcome.Served;
        decision.Drop[best] = DropReason.None;
        decision.Chosen = best;
        return true;
    }

    /// <summary>
    /// The default offer must be switched on, allowed in the placement, eligible and below its caps; whether it applies and suits does not
    /// matter.
    /// </summary>
    private bool DefaultIsPossible(Decision decision)
    {
        if (policy.DefaultOffer < 0) return false;
        var drop = decision.Drop[policy.DefaultOffer];
        return drop is not (DropReason.SwitchedOff or DropReason.Placement or DropReason.NotEligible)
            && decision.Cap[policy.DefaultOffer] < 0;
    }
}
