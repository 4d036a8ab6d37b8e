namespace StreamEngine.Decisions;

/// <summary>How a budget stands in a period. Units of the currency.</summary>
/// <param name="Budget">The budget's name.</param>
/// <param name="Period">The period: its first day or month, <c>all</c> where there is one only, empty where there is no money now.</param>
/// <param name="Amount">What may be spent in it.</param>
/// <param name="Released">What may be spent by now.</param>
/// <param name="Granted">What shards were granted.</param>
/// <param name="Spent">What they have spent.</param>
public readonly record struct BudgetState(string Budget, string Period, double Amount, double Released, double Granted, double Spent)
{
    /// <summary>What was spent of what was released: below 1 where there are too few customers for it.</summary>
    public double Pace => Released > 0 ? Spent / Released : 0;

    /// <summary>How each budget stands in the period of a time.</summary>
    /// <param name="policy">Whose budgets they are.</param>
    /// <param name="numbers">What is known of all shards.</param>
    /// <param name="now">The time, ms.</param>
    public static IEnumerable<BudgetState> Now(DecisionPolicy policy, SharedNumbers numbers, long now)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(numbers);
        return policy.Budgets.Select(b => Of(b, b.At(now), numbers, now));
    }

    /// <summary>How each budget stands in every period in which something was wanted of it, in order.</summary>
    /// <param name="policy">Whose budgets they are.</param>
    /// <param name="numbers">What is known of all shards.</param>
    /// <param name="now">The time, ms.</param>
    public static IEnumerable<BudgetState> All(DecisionPolicy policy, SharedNumbers numbers, long now)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(numbers);
        foreach (var budget in policy.Budgets)
            foreach (var name in numbers.Sums.Keys.Order(StringComparer.Ordinal))
                if (BudgetName.TryPeriod(name, budget.Name, out var key) && budget.Named(key) is { } span)
                    yield return Of(budget, span, numbers, now);
    }

    private static BudgetState Of(Budget budget, in BudgetSpan span, SharedNumbers numbers, long now)
    {
        if (span.IsOutside) return new BudgetState(budget.Name, "", budget.Amount / Decisions.Budget.Units, 0, 0, 0);
        var granted = 0.0;
        var prefix = BudgetName.Grant(budget.Name, span.Key, 0)[..^1];
        foreach (var (name, sum) in numbers.Sums)
            if (name.StartsWith(prefix, StringComparison.Ordinal)) granted += sum.Values[0];
        var spent = numbers.Sums.TryGetValue(BudgetName.Spent(budget.Name, span.Key), out var all) ? all.Values[BudgetBook.Spent] : 0;
        return new BudgetState(budget.Name, span.Key, budget.Amount / Decisions.Budget.Units,
            budget.Released(span, now) / Decisions.Budget.Units, granted / Decisions.Budget.Units, spent / Decisions.Budget.Units);
    }
}
