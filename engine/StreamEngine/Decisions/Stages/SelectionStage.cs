namespace StreamEngine.Decisions;

/// <summary>
/// Takes the best of the ranking, or the one that is drawn where the placement explores; the default offer where nothing is left and for
/// a customer of whom nothing is known. Then makes the list behind it, which a request may ask for: in the order of arbitration, but with
/// no more of a group than diversity allows.
/// </summary>
internal sealed class SelectionStage(DecisionPolicy policy, Pricing pricing) : IFunnelStage
{
    private readonly int[] _groups = [.. policy.Offers.Select(o => o.Group)];
    private readonly Explorer? _explorer = policy.Explorations.Count > 0 ? new Explorer(policy) : null;
    private readonly int[] _taken = new int[policy.Groups];

    /// <inheritdoc/>
    public IReadOnlyList<DropReason> Reasons { get; } = [DropReason.LostArbitration, DropReason.Diversity];

    /// <inheritdoc/>
    public bool Apply(in Situation situation, Decision decision)
    {
        var best = Best(situation, decision);
        List(decision, best);
        if (best < 0) return false;
        decision.Outcome = Outcome.Served;
        decision.Drop[best] = DropReason.None;
        decision.Chosen = best;
        return true;
    }

    private int Best(in Situation situation, Decision decision)
    {
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
        return _explorer is null || best < 0 || decision.IsDefault ? best : _explorer.Choose(situation, decision);
    }

    /// <summary>Numbers the places; a group's places are taken by the chosen one first, then by the better ones.</summary>
    private void List(Decision decision, int best)
    {
        Array.Clear(_taken);
        if (best >= 0 && _groups[best] >= 0) _taken[_groups[best]] = 1;
        var last = 0;
        for (var place = 0; place < decision.Ranked; place++)
        {
            var offer = decision.Ranking[place];
            var isOver = offer != best && _groups[offer] >= 0 && ++_taken[_groups[offer]] > policy.MaxPerGroup;
            decision.Drop[offer] = isOver ? DropReason.Diversity : DropReason.LostArbitration;
            if (!isOver) decision.Rank[offer] = ++last;
        }
    }

    /// <summary>
    /// The default offer must be switched on, allowed in the placement, eligible, below its caps and not withheld; whether it applies and
    /// suits does not matter.
    /// </summary>
    private bool DefaultIsPossible(Decision decision) =>
        policy.DefaultOffer >= 0 && MayStandIn(decision.Drop[policy.DefaultOffer])
        && decision.Limit[policy.DefaultOffer] < 0 && decision.Withheld[policy.DefaultOffer] == DropReason.None;

    /// <summary>Whether the default offer may be taken although it was dropped for this reason.</summary>
    internal static bool MayStandIn(DropReason drop) =>
        drop is not (DropReason.SwitchedOff or DropReason.Placement or DropReason.NotEligible);
}
