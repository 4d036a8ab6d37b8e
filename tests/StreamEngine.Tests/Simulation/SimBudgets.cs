using StreamEngine.Decisions;
using StreamEngine.Runtime;

namespace StreamEngine.Tests.Simulation;

/// <summary>
/// The simulated budgets, and what a shard's log says of them: what the marks have granted it, and what its decisions have spent.
/// </summary>
/// <param name="partition">The shard.</param>
/// <param name="repeats">Whether something may be counted twice: then a shard may think that it has spent more than it has.</param>
internal sealed class SimBudgets(int partition, bool repeats)
{
    /// <summary>The budgets: one that is given once, and one that is paced.</summary>
    public static IReadOnlyList<BudgetOptions> Options { get; } =
    [
        new() { Name = "few", Amount = 6, Offers = ["a"] },
        new() { Name = "paced", Amount = 4_320, Period = BudgetPeriod.Day, Pacing = Pacing.Even, Offers = ["b", "c", "d"], Cost = "1.5" },
    ];

    private readonly Dictionary<string, double> _granted = [], _spent = [];
    private readonly HashSet<string> _over = [];

    /// <summary>Decisions that went without an offer because of a budget.</summary>
    public int Refused { get; private set; }

    /// <summary>Marks of shared numbers.</summary>
    public int Marks { get; private set; }

    /// <summary>What this shard's decisions have spent, by budget and period.</summary>
    public IReadOnlyDictionary<string, double> Spent => _spent;

    /// <summary>A mark of shared numbers.</summary>
    public void Mark(SimDecision mark)
    {
        Marks++;
        foreach (var (name, values) in mark.Shared!.Value.Numbers)
        {
            if (!name.EndsWith($"/{partition}", StringComparison.Ordinal) || values.Length > 1)
                throw new SimFailure($"{name} is none of this shard's: {mark}");
            if (values.Length == 0)
            {
                // Its period is over. What was granted stays known here: a decision that would still fit into it must not be refused.
                if (!_granted.ContainsKey(name) || !_over.Add(name)) throw new SimFailure($"nothing was granted that is over: {mark}");
                continue;
            }
            if (_over.Contains(name)) throw new SimFailure($"what was over is granted again: {mark}");
            if (values[0] <= _granted.GetValueOrDefault(name)) throw new SimFailure($"a grant is taken back, or said again: {mark}");
            _granted[name] = values[0];
        }
    }

    /// <summary>What is wrong with a verdict about an offer that nothing else drops; null where nothing is.</summary>
    /// <param name="offer">The offer.</param>
    /// <param name="at">When it was decided, ms.</param>
    /// <param name="drop">The reason in the log.</param>
    /// <param name="expected">Out: the reason that it has to be; null where it is not dropped by a budget.</param>
    public string? Fault(string offer, long at, string drop, out string? expected)
    {
        var (budget, period, cost) = Of(offer, at);
        var left = _granted.GetValueOrDefault($"grant/{budget}@{period}/{partition}")
            - _spent.GetValueOrDefault($"budget/{budget}@{period}");
        var fits = cost <= left;
        var isRefused = drop == $"budget:{budget}";
        expected = isRefused ? drop : null;
        if (isRefused) Refused++;
        if (isRefused != fits || (isRefused && repeats)) return null;
        return $"{offer} costs {cost} of {budget}@{period}, where {left} is left, and was {(isRefused ? "dropped" : "not dropped")}";
    }

    /// <summary>A decision has shown an offer.</summary>
    public void Show(string offer, long at)
    {
        var (budget, period, cost) = Of(offer, at);
        var name = $"budget/{budget}@{period}";
        _spent[name] = _spent.GetValueOrDefault(name) + cost;
    }

    /// <summary>Throws where the topic of shared numbers says something else than all shards' logs, or too much was given away.</summary>
    public static void Judge(SimBudgets[] shards, SharedBoard board, DecisionPolicy policy, bool repeats)
    {
        foreach (var name in shards.SelectMany(s => s.Spent.Keys).Concat(board.Current.Sums.Keys.Where(n => n.StartsWith("budget/",
            StringComparison.Ordinal))).Distinct())
        {
            var logged = shards.Sum(s => s.Spent.GetValueOrDefault(name));
            var told = board.Current.Sums.TryGetValue(name, out var sum) ? sum.Values[BudgetBook.Spent] : 0;
            if (repeats ? told < logged : told != logged) throw new SimFailure($"{name}: the topic says {told}, the log {logged}");
            var at = name.LastIndexOf('@');
            var (budget, period) = (name["budget/".Length..at], name[(at + 1)..]);
            var amount = policy.Budgets.Single(b => b.Name == budget).Amount;
            var granted = board.Current.Sums.Where(s => s.Key.StartsWith($"grant/{budget}@{period}/", StringComparison.Ordinal))
                .Sum(s => s.Value.Values[0]);
            if (logged > granted || granted > amount)
                throw new SimFailure($"{name}: {logged} of {granted} granted of {amount}");
        }
    }

    private static (string Budget, string Period, double Cost) Of(string offer, long at) => offer == "a" ? ("few", "all", 1e6)
        : ("paced", DateTimeOffset.FromUnixTimeMilliseconds(at).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture),
            1.5e6);
}
