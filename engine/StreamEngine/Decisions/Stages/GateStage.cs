namespace StreamEngine.Decisions;

/// <summary>
/// What is allowed at all: consent and the switch for everything end the decision; then the switch, placement, eligibility, applicability
/// and suitability of each offer.
/// </summary>
internal sealed class GateStage(DecisionPolicy policy) : IFunnelStage
{
    private readonly CompiledOffer[] _offers = [.. policy.Offers];

    /// <inheritdoc/>
    public IReadOnlyList<DropReason> Reasons { get; } =
    [
        DropReason.NoConsent, DropReason.SwitchedOff, DropReason.Placement, DropReason.NotEligible, DropReason.NotApplicable,
        DropReason.NotSuitable,
    ];

    /// <inheritdoc/>
    public bool Apply(in Situation situation, Decision decision)
    {
        // Consent is checked here again: it may have been withdrawn since the timer was set.
        if ((situation.Context.Consent & policy.Purpose) != policy.Purpose)
            return End(decision, Outcome.NoConsent, DropReason.NoConsent);
        if (situation.Switches.All) return End(decision, Outcome.SwitchedOff, DropReason.SwitchedOff);
        for (var offer = 0; offer < _offers.Length; offer++)
            decision.Drop[offer] = situation.Switches.IsOff(offer) ? DropReason.SwitchedOff : Gate(_offers[offer], situation, decision);
        return true;
    }

    private static bool End(Decision decision, Outcome outcome, DropReason reason)
    {
        decision.Outcome = outcome;
        Array.Fill(decision.Drop, reason);
        return false;
    }

    private static DropReason Gate(CompiledOffer offer, in Situation situation, Decision decision)
    {
        if (!offer.MayBeIn(decision.Placement)) return DropReason.Placement;
        if (offer.Eligible is { } eligible && !eligible(situation.Context)) return DropReason.NotEligible;
        if (offer.Applicable is { } applicable && !applicable(situation.Context)) return DropReason.NotApplicable;
        return offer.Suitable is { } suitable && !suitable(situation.Context) ? DropReason.NotSuitable : DropReason.None;
    }
}
