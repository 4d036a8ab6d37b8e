using System.Globalization;

namespace StreamEngine.Decisions;

/// <summary>The names of budgets' shared numbers (<see cref="SharedName"/>).</summary>
internal static class BudgetName
{
    /// <summary>What shards have spent in a period, and what they would have.</summary>
    public static string Spent(string budget, string period) => $"{SharedName.Budget}{budget}@{period}";

    /// <summary>What a shard may have spent.</summary>
    public static string Grant(string budget, string period, int shard) =>
        string.Create(CultureInfo.InvariantCulture, $"{SharedName.Grant}{budget}@{period}/{shard}");

    /// <summary>The budget and the period in a name of <see cref="Spent"/>; false where it is none.</summary>
    public static bool TryRead(string name, out string budget, out string period)
    {
        var at = name.LastIndexOf('@');
        var isOne = at >= SharedName.Budget.Length && name.StartsWith(SharedName.Budget, StringComparison.Ordinal);
        (budget, period) = isOne ? (name[SharedName.Budget.Length..at], name[(at + 1)..]) : ("", "");
        return isOne;
    }

    /// <summary>The period in a name of <see cref="Spent"/>; false where it is of another budget.</summary>
    public static bool TryPeriod(string name, string budget, out string period)
    {
        var at = name.LastIndexOf('@');
        var isOne = at == SharedName.Budget.Length + budget.Length && name.StartsWith(SharedName.Budget, StringComparison.Ordinal)
            && name.AsSpan(SharedName.Budget.Length, budget.Length).SequenceEqual(budget);
        period = isOne ? name[(at + 1)..] : "";
        return isOne;
    }

    /// <summary>The budget and the period in a name of <see cref="Grant"/>; false where it is another name.</summary>
    public static bool TryGrant(string name, out string budget, out string period)
    {
        (budget, period) = ("", "");
        var (at, end) = (name.LastIndexOf('@'), name.LastIndexOf('/'));
        if (at < SharedName.Grant.Length || end < at || !name.StartsWith(SharedName.Grant, StringComparison.Ordinal)) return false;
        (budget, period) = (name[SharedName.Grant.Length..at], name[(at + 1)..end]);
        return true;
    }
}
