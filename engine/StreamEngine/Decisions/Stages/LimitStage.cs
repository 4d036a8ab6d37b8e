namespace StreamEngine.Decisions;

/// <summary>
/// The contact limits. The default offer's are looked at even where a rule has dropped it: it may be taken against some of the rules, but
/// never against a limit.
/// </summary>
internal sealed class LimitStage(DecisionPolicy policy) : IFunnelStage
{
    /// <inheritdoc/>
    public IReadOnlyList<DropReason> Reasons { get; } =
        [DropReason.CustomerCap, DropReason.OfferCap, DropReason.ChannelCap, DropReason.GroupCap, DropReason.Suppressed];

    /// <inheritdoc/>
    public bool Apply(in Situation situation, Decision decision)
    {
        if (!policy.Contacts.Any) return true;
        for (var offer = 0; offer < decision.Drop.Length; offer++)
        {
            if (decision.Drop[offer] != DropReason.None && offer != policy.DefaultOffer) continue;
            var reached = policy.Contacts.Reached(situation.Profile, offer, situation.Request.DecidedAt, out var limit);
            decision.Limit[offer] = limit;
            if (reached && decision.Drop[offer] == DropReason.None) decision.Drop[offer] = policy.Contacts.Reason(limit);
        }
        return true;
    }
}
