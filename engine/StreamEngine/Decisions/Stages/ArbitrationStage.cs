namespace StreamEngine.Decisions;

/// <summary>Prices every offer that is left, and ranks those that are not withheld: the higher priority first, ties by name.</summary>
internal sealed class ArbitrationStage(DecisionPolicy policy, Pricing pricing) : IFunnelStage
{
    /// <summary>Each offer's place in the order of the names.</summary>
    private readonly int[] _nameOrder = NameOrder(policy);

    /// <inheritdoc/>
    public IReadOnlyList<DropReason> Reasons { get; } = [DropReason.BadPriority];

    /// <inheritdoc/>
    public bool Apply(in Situation situation, Decision decision)
    {
        for (var offer = 0; offer < decision.Drop.Length; offer++)
        {
            if (decision.Drop[offer] != DropReason.None) continue;
            if (!pricing.Price(offer, situation, decision)) decision.Drop[offer] = DropReason.BadPriority;
            else if (decision.Withheld[offer] != DropReason.None) decision.Drop[offer] = decision.Withheld[offer];
            else Enter(offer, decision);
        }
        return true;
    }

    /// <summary>Sorts a candidate into the ranking.</summary>
    private void Enter(int offer, Decision decision)
    {
        var ranking = decision.Ranking;
        var (low, high) = (0, decision.Ranked);
        while (low < high)
        {
            var middle = (low + high) >> 1;
            if (Before(offer, ranking[middle], decision.Priority)) high = middle;
            else low = middle + 1;
        }
        ranking.AsSpan(low, decision.Ranked - low).CopyTo(ranking.AsSpan(low + 1));
        ranking[low] = offer;
        decision.Ranked++;
    }

    private bool Before(int a, int b, double[] priority) => priority[a] != priority[b] ? priority[a] > priority[b]
        : _nameOrder[a] < _nameOrder[b];

    private static int[] NameOrder(DecisionPolicy policy)
    {
        var order = new int[policy.Offers.Count];
        var byName = Enumerable.Range(0, order.Length).OrderBy(i => policy.Offers[i].Name, StringComparer.Ordinal).ToArray();
        for (var place = 0; place < byName.Length; place++) order[byName[place]] = place;
        return order;
    }
}
