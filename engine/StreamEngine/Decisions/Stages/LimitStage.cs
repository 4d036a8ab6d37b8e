namespace StreamEngine.Decisions;

/// <summary>
/// The contact limits. The default offer's are looked at even where a rule has dropped it: it may be taken against some of the rules, but
/// never against a cap.
/// </summary>
internal sealed class LimitStage(DecisionPolicy policy) : IFunnelStage
{
    /// <inheritdoc/>
    public IReadOnlyList<DropReason> Reasons { get; } = [DropReason.CustomerCap, DropReason.OfferCap];

    /// <inheritdoc/>
    public bool Apply(in Situation situation, Decision decision)
    {
        if (!policy.Caps.Any) return true;
        for (var offer = 0; offer < decision.Drop.Length; offer++)
        {
            if (decision.Drop[offer] != DropReason.None && offer != policy.DefaultOffer) continue;
            var reached = policy.Caps.Reached(situation.Profile, offer, situation.Request.DecidedAt, out decision.Cap[offer]);
            if (reached && decision.Drop[offer] == DropReason.None)
                decision.Drop[offer] = policy.Caps.Scope(decision.Cap[offer]) == CapScope.Customer ? DropReason.CustomerCap
                    : DropReason.OfferCap;
        }
        return true;
    }
}
