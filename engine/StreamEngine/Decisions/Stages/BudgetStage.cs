namespace StreamEngine.Decisions;

/// <summary>
/// The budgets: an offer whose cost does not fit into what the shard has left is dropped. As with contact limits, the default offer's are
/// looked at even where a rule has dropped it. Where no shard decides, as in evaluations over a log, there are no budgets.
/// </summary>
internal sealed class BudgetStage(DecisionPolicy policy) : IFunnelStage
{
    private readonly Budget[] _budgets = [.. policy.Budgets];
    private readonly int _firstLimit = policy.Contacts.Count + policy.QuietHours.Count;

    /// <inheritdoc/>
    public IReadOnlyList<DropReason> Reasons { get; } = [DropReason.Budget];

    /// <inheritdoc/>
    public bool Apply(in Situation situation, Decision decision)
    {
        if (situation.Budgets is not { } book) return true;
        var now = situation.Request.DecidedAt;
        for (var i = 0; i < _budgets.Length; i++)
        {
            var (left, isKnown, refused) = (0.0, false, 0.0);
            for (var offer = 0; offer < decision.Drop.Length; offer++)
            {
                var cost = _budgets[i].Costs[offer];
                if (cost < 0 || !IsIn(offer, decision)) continue;
                if (!isKnown) (left, isKnown) = (book.Left(i, now), true);
                if (cost <= left) continue;
                decision.Limit[offer] = _firstLimit + i;
                if (IsWanted(offer, decision)) refused = Math.Max(refused, cost);
                if (decision.Drop[offer] == DropReason.None) decision.Drop[offer] = DropReason.Budget;
            }
            if (refused > 0) book.Refused(i, now, refused);
        }
        return true;
    }

    private bool IsIn(int offer, Decision decision) =>
        decision.Drop[offer] == DropReason.None || (offer == policy.DefaultOffer && decision.Limit[offer] < 0);

    /// <summary>Whether it may be shown but for the budget: the default offer may stand in although a rule has dropped it.</summary>
    private bool IsWanted(int offer, Decision decision) => decision.Drop[offer] == DropReason.None
        || (offer == policy.DefaultOffer && SelectionStage.MayStandIn(decision.Drop[offer]));
}
