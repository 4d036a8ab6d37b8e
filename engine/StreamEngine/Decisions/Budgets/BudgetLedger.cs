namespace StreamEngine.Decisions;

/// <summary>
/// The allocator of budgets: the part of shard 0 that grants the other shards what they may spend. Grants are shared numbers of shard 0, so
/// they are written in its own commits: whoever has lost the shard can't grant any more, and whoever has it goes on from what is
/// committed. Belongs to shard 0's thread.
/// </summary>
internal sealed class BudgetLedger(DecisionPolicy policy, SharedState shared, int shards)
{
    /// <summary>The shard that grants.</summary>
    public const int Shard = 0;

    /// <summary>How often grants are raised, ms: releases go on without any news.</summary>
    public const long Every = 250;

    /// <summary>The share of an amount that all shards together have in hand at most, but for what one offer costs in each.</summary>
    public const double MostInHand = 0.05;

    private readonly Dictionary<string, int> _budgets = policy.Budgets.Select((b, i) => (b.Name, i))
        .ToDictionary(b => b.Name, b => b.i, StringComparer.Ordinal);
    private readonly Dictionary<string, (int Budget, BudgetSpan Span)> _named = new(StringComparer.Ordinal); // by name of a number
    private readonly List<(string Name, BudgetSpan Span, SharedSum Sum)>[] _periods = [.. policy.Budgets.Select(_ => Nothing())];
    private readonly Dictionary<string, ShardDemand> _demand = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SharedSum> _settled = new(StringComparer.Ordinal);
    private readonly string[] _current = [.. policy.Budgets.Select(_ => "")];
    private readonly ShardBudget[] _shards = new ShardBudget[shards];
    private readonly double[] _grants = new double[shards], _wanted = new double[shards];
    private long _next = long.MinValue;
    private bool _always, _goesOn;
    private SharedNumbers? _indexed;   // what the periods are of

    /// <summary>Raises grants where it is time to; whether any was.</summary>
    /// <param name="numbers">What is known of all shards.</param>
    /// <param name="now">The time by which budgets are paced, ms.</param>
    /// <param name="always">Whether a single shard is granted what is released also while it wants nothing.</param>
    public bool Allocate(SharedNumbers numbers, long now, bool always = false) => Allocate(numbers.Sums, numbers, now, always);

    /// <summary>The same by the numbers' sums alone, which may have changed since the last time.</summary>
    public bool Allocate(IReadOnlyDictionary<string, SharedSum> numbers, long now, bool always) => Allocate(numbers, null, now, always);

    private bool Allocate(IReadOnlyDictionary<string, SharedSum> numbers, SharedNumbers? snapshot, long now, bool always)
    {
        // A clock that was put back is followed.
        if (now < _next && now >= _next - Every) return false;
        _next = now + Every;
        var any = false;
        _always = always;
        if (snapshot is null || !ReferenceEquals(_indexed, snapshot)) Index(numbers);
        _indexed = snapshot;
        for (var i = 0; i < policy.Budgets.Count; i++) any |= Allocate(i, policy.Budgets[i], numbers, now);
        _goesOn = true;
        return any;
    }

    private bool Allocate(int index, Budget budget, IReadOnlyDictionary<string, SharedSum> numbers, long now)
    {
        var span = budget.At(now);
        var current = span.IsOutside ? "" : BudgetName.Spent(budget.Name, span.Key);
        if (current.Length > 0 && current != _current[index])
        {
            // Who wanted some of the period before wants some of this one.
            _demand[current] = new ShardDemand(shards, now, _demand.GetValueOrDefault(_current[index]));
            _current[index] = current;
        }
        var any = current.Length > 0 && Allocate(budget, span, current, numbers.GetValueOrDefault(current), now);
        // Events of earlier times spend what was given for those.
        foreach (var (name, other, sum) in _periods[index])
            if (name != current && !(_settled.TryGetValue(name, out var settled) && ReferenceEquals(settled, sum)))
            {
                any |= Allocate(budget, other, name, sum, now);
                if (now >= other.End + ShardDemand.Horizon) _settled[name] = sum;
            }
        return any;
    }

    /// <summary>Finds the periods of each budget in a snapshot: names are gone over once, and what one says is read once for all.</summary>
    private void Index(IReadOnlyDictionary<string, SharedSum> numbers)
    {
        foreach (var periods in _periods) periods.Clear();
        foreach (var (name, sum) in numbers)
        {
            if (!_named.TryGetValue(name, out var read))
            {
                read = (-1, default);
                if (BudgetName.TryRead(name, out var budget, out var key) && _budgets.TryGetValue(budget, out var index)
                    && policy.Budgets[index].Named(key) is { } span)
                    read = (index, span);
                _named[name] = read;
            }
            if (read.Budget >= 0) _periods[read.Budget].Add((name, read.Span, sum));
        }
    }

    private static List<(string, BudgetSpan, SharedSum)> Nothing() => [];

    private bool Allocate(Budget budget, in BudgetSpan span, string name, SharedSum? sum, long now)
    {
        Array.Clear(_wanted);
        foreach (var (shard, values) in sum?.Parts ?? [])
            if (shard < shards && values.Length == BudgetBook.Values) _wanted[shard] = values[BudgetBook.Wanted];
        if (!_demand.TryGetValue(name, out var demand))
        {
            _demand[name] = demand = new ShardDemand(shards, now);
            // What another process has granted of a period that is over was wanted then, and may not be any more.
            if (!_goesOn && now >= span.End) demand.Since(_wanted);
        }
        demand.Follow(now, _wanted);
        Array.Clear(_shards);
        foreach (var (shard, values) in sum?.Parts ?? [])
            if (shard < shards && values.Length == BudgetBook.Values)
                _shards[shard] = new ShardBudget(0, values[BudgetBook.Spent], values[BudgetBook.Wanted], 0);
        var most = Math.Floor(budget.Amount * MostInHand / shards);
        for (var i = 0; i < shards; i++)
            _shards[i] = _shards[i] with
            {
                Granted = shared.Tallies.Of(BudgetName.Grant(budget.Name, span.Key, i), 1).Values[0],
                Target = demand.Target(i, budget.LargestCost, most),
            };
        // A single shard is granted all that is released; each second of it in a commit of its own would be for nobody while it is silent.
        if (shards == 1 && !_always && _shards[0] is { Granted: > 0, Target: 0 }) return false;
        BudgetAllocator.Allocate(budget.Released(span, now), budget.LargestCost, _shards, _grants);
        var any = false;
        for (var i = 0; i < shards; i++)
        {
            if (_grants[i] <= _shards[i].Granted) continue;
            shared.Tallies.Set(shared.Tallies.Of(BudgetName.Grant(budget.Name, span.Key, i), 1), 0, _grants[i]);
            any = true;
        }
        return any;
    }
}
