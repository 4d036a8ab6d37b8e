namespace StreamEngine.Decisions;

/// <summary>
/// Assigns the customer to a variation of each experiment, and withholds the offers that the variation goes without, or that the offer's
/// own holdout keeps from this customer. What is withheld is priced by arbitration like the others, so that the record says whether it
/// would have won, but it takes no place.
/// </summary>
internal sealed class ExperimentStage(DecisionPolicy policy) : IFunnelStage
{
    private readonly Experiment[] _experiments = [.. policy.Experiments];
    private readonly CompiledOffer[] _offers = [.. policy.Offers];
    private readonly bool _anyHoldout = policy.Offers.Any(o => o.HoldoutShare > 0);

    /// <inheritdoc/>
    public IReadOnlyList<DropReason> Reasons { get; } = [DropReason.Experiment, DropReason.OfferHoldout];

    /// <inheritdoc/>
    public bool Apply(in Situation situation, Decision decision)
    {
        var customer = situation.Request.CustomerId;
        if (_anyHoldout)
            for (var offer = 0; offer < _offers.Length; offer++)
                if (_offers[offer].HoldoutShare > 0
                    && BucketHash.Bucket(_offers[offer].HoldoutSeed.AsSpan(), customer) < _offers[offer].HoldoutShare)
                    decision.Withheld[offer] = DropReason.OfferHoldout;
        for (var i = 0; i < _experiments.Length; i++)
        {
            var assigned = _experiments[i].Assign(customer, situation.Profile, out decision.Sticky[i]);
            decision.Variations[i] = assigned;
            if (assigned < 0) continue;
            var variation = _experiments[i].Variations[assigned];
            for (var offer = 0; offer < _offers.Length; offer++)
            {
                if (variation.Without[offer]) decision.Withheld[offer] = DropReason.Experiment;
                if (variation.Treatment[offer] > 0) decision.Treatments[offer] = variation.Treatment[offer];
            }
        }
        return true;
    }
}
