using StreamEngine.Decisions.Outcomes;

namespace StreamEngine.Decisions;

/// <summary>
/// A shard's budgets: what it has spent of each in each period, and what it was granted. It spends only while both fit, so what all shards
/// spend is never more than what was granted to all. Belongs to the shard's thread; allocates only where a period begins.
/// </summary>
public sealed class BudgetBook
{
    /// <summary>The places of a budget's values: what is spent, and what would be if there had been enough.</summary>
    internal const int Spent = 0, Wanted = 1, Values = 2;

    private readonly Budget[] _budgets;
    private readonly SharedState _shared;
    private readonly int _shard;
    private readonly Page[] _pages;   // by budget, the period that was looked at last
    private readonly Dictionary<string, Page> _all = new(StringComparer.Ordinal);

    internal BudgetBook(IReadOnlyList<Budget> budgets, SharedState shared, int shard)
    {
        (_budgets, _shared, _shard) = ([.. budgets], shared, shard);
        _pages = new Page[_budgets.Length];
    }

    /// <summary>What is left of a budget in the period of a time, millionths; below 0 where there is none.</summary>
    internal double Left(int budget, long at)
    {
        var page = PageOf(budget, at);
        if (page.Tally is null) return -1;
        if (page.Generation != _shared.View.Generation)
        {
            page.Generation = _shared.View.Generation;
            var granted = _shared.View.Find(page.Grant);
            page.Granted = granted.IsEmpty ? 0 : granted[0];
        }
        return page.Granted - page.Tally.Values[Spent];
    }

    /// <summary>A decision could not show an offer because of a budget.</summary>
    internal void Refused(int budget, long at, double cost)
    {
        if (PageOf(budget, at).Tally is { } tally) _shared.Tallies.Add(tally, Wanted, cost);
    }

    /// <summary>A decision that shows an offer is written.</summary>
    internal void Served(int offer, long at) => Charge(OutcomeKind.None, offer, at);

    /// <summary>An outcome that counts for a decision is written, or with none a decision that shows the offer.</summary>
    internal void Charge(OutcomeKind kind, int offer, long at)
    {
        if (offer < 0) return;
        for (var i = 0; i < _budgets.Length; i++)
        {
            if (_budgets[i].Charge != kind || _budgets[i].Costs[offer] <= 0) continue;
            if (PageOf(i, at).Tally is not { } tally) continue;
            _shared.Tallies.Add(tally, Spent, _budgets[i].Costs[offer]);
            _shared.Tallies.Add(tally, Wanted, _budgets[i].Costs[offer]);
        }
    }

    private Page PageOf(int budget, long at)
    {
        if (_pages[budget] is { } page && page.Span.Has(at)) return page;
        var span = _budgets[budget].At(at);
        if (span.IsOutside) return _pages[budget] = new Page(span, null, "");
        var name = BudgetName.Spent(_budgets[budget].Name, span.Key);
        if (!_all.TryGetValue(name, out var known))
            _all[name] = known = new Page(span, _shared.Tallies.Of(name, Values),
                BudgetName.Grant(_budgets[budget].Name, span.Key, _shard));
        return _pages[budget] = known;
    }

    private sealed class Page(BudgetSpan span, Tally? tally, string grant)
    {
        public BudgetSpan Span => span;

        public Tally? Tally => tally;

        public string Grant => grant;

        public double Granted { get; set; }

        public int Generation { get; set; } = -1;
    }
}
