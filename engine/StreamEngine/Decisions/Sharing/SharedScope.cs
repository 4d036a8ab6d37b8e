using System.Text;

namespace StreamEngine.Decisions;

/// <summary>
/// Which shared numbers a shard's decisions can follow; it takes no others into its marks and checkpoints, whatever else there is, such as
/// what offers that have left earned, and what was granted years ago:
/// <code>
///  arms    those of the config's offers in its placements that learn
///  grants  of the config's budgets, for periods that were not over <c>time.lateness</c> before the watermark: a decision is made for a
///          time that is no earlier. Of each budget the oldest and the newest of them, as many as lateness may span and a few more:
///          decisions are made for times about the watermark, or about the clock.
/// </code>
/// So its size has a bound that the config tells. Belongs to the shard's thread.
/// </summary>
internal sealed class SharedScope
{
    /// <summary>How many periods are followed beside those that lateness spans.</summary>
    private const int Spare = 3;

    /// <summary>What a number takes beside its name and values, and what the digits of a shard do.</summary>
    private const int Overhead = 3 * SpanWriter.MaxLong, ShardDigits = 10;

    private readonly string[] _arms;
    private readonly Budget[] _budgets;
    private readonly long _lateness;
    private readonly Dictionary<string, Period?> _periods = new(StringComparer.Ordinal);
    private readonly List<(Period Period, string Name)> _open = [];

    /// <param name="policy">Whose decisions they are.</param>
    /// <param name="lateness">How much earlier than the watermark an event may be.</param>
    public SharedScope(DecisionPolicy policy, TimeSpan lateness)
    {
        _arms = [.. ArmNames.Of(policy).SelectMany(o => o)];
        _budgets = [.. policy.Budgets];
        _lateness = (long)lateness.TotalMilliseconds;
    }

    /// <summary>Takes those numbers that are followed.</summary>
    /// <param name="common">Numbers that every shard decides by.</param>
    /// <param name="own">Numbers that the shard alone decides by.</param>
    /// <param name="watermark">The shard's watermark, ms.</param>
    /// <param name="into">Receives them by name; what it has is forgotten.</param>
    /// <returns>The watermark from which on others are followed.</returns>
    public long Select(IReadOnlyDictionary<string, double[]> common, IReadOnlyDictionary<string, double[]> own, long watermark,
        Dictionary<string, double[]> into)
    {
        into.Clear();
        foreach (var name in _arms)
            if (common.TryGetValue(name, out var values)) into[name] = values;
        if (_budgets.Length == 0) return long.MaxValue;
        _open.Clear();
        foreach (var name in own.Keys)
            if (PeriodOf(name) is { } period && period.Over > watermark) _open.Add((period, name));
        _open.Sort(static (a, b) => a.Period.Budget != b.Period.Budget ? a.Period.Budget.CompareTo(b.Period.Budget)
            : a.Period.Span.Start != b.Period.Span.Start ? a.Period.Span.Start.CompareTo(b.Period.Span.Start)
            : string.CompareOrdinal(a.Name, b.Name));
        var until = long.MaxValue;
        for (int from = 0, to; from < _open.Count; from = to)
        {
            var budget = _open[from].Period.Budget;
            for (to = from + 1; to < _open.Count && _open[to].Period.Budget == budget;) to++;
            var most = MostOf(_budgets[budget], _lateness);
            for (var i = from; i < to; i++)
                if (i < from + most || i >= to - most) into[_open[i].Name] = own[_open[i].Name];
            until = Math.Min(until, _open[from].Period.Over);
        }
        return _open.Count > 0 && watermark == long.MinValue ? watermark + 1 : until;
    }

    /// <summary>The most bytes that the numbers take in a checkpoint's marker.</summary>
    public static long MostBytes(DecisionPolicy policy, TimeSpan lateness)
    {
        var bytes = 2L * SpanWriter.MaxLong;
        foreach (var arm in ArmNames.Of(policy).SelectMany(o => o))
            bytes += Encoding.UTF8.GetByteCount(arm) + Overhead + sizeof(double) * ArmTally.Numbers;
        foreach (var budget in policy.Budgets)
        {
            var name = Encoding.UTF8.GetByteCount(BudgetName.Grant(budget.Name, Budget.DayFormat, 0)) + ShardDigits;
            bytes += 2L * MostOf(budget, (long)lateness.TotalMilliseconds) * (name + Overhead + sizeof(double));
        }
        return bytes;
    }

    /// <summary>How many of the oldest periods of a budget are followed, and how many of the newest.</summary>
    private static int MostOf(Budget budget, long lateness) => budget.Period is { } period
        ? (int)Math.Min(int.MaxValue / 4, lateness / ShortestOf(period)) + Spare : 1;

    private static long ShortestOf(BudgetPeriod period) => period switch
    {
        BudgetPeriod.Month => 27 * TimeSpan.MillisecondsPerDay,
        BudgetPeriod.Week => 6 * TimeSpan.MillisecondsPerDay,
        _ => 20 * TimeSpan.MillisecondsPerHour, // a day in which clocks are put forward has less than 24
    };

    private Period? PeriodOf(string name)
    {
        if (_periods.TryGetValue(name, out var known)) return known;
        Period? period = null;
        if (BudgetName.TryGrant(name, out var budget, out var key))
            for (var i = 0; i < _budgets.Length && period is null; i++)
                if (_budgets[i].Name == budget && _budgets[i].Named(key) is { } span)
                    period = new Period(i, span, span.End > long.MaxValue - _lateness ? long.MaxValue : span.End + _lateness);
        return _periods[name] = period;
    }

    /// <summary>A period of a budget.</summary>
    /// <param name="Budget">The budget's index.</param>
    /// <param name="Span">The period.</param>
    /// <param name="Over">The watermark from which on nothing is decided for it any more, ms.</param>
    private readonly record struct Period(int Budget, BudgetSpan Span, long Over);
}
