using StreamEngine.SystemTests.Oracle;

namespace StreamEngine.SystemTests.Runs;

/// <summary>What the rounds of a cluster run came to.</summary>
internal sealed class ClusterReport
{
    private readonly SortedDictionary<FaultKind, int> _faults = [];
    private readonly SortedDictionary<FaultKind, double> _slowest = [];
    private int _hung;
    private long _events, _checked, _lost, _doubled, _wrong, _unexpected;

    /// <summary>What no fault may do: engines that ended by themselves, faults that were not got over.</summary>
    public List<string> Failures { get; } = [];

    /// <summary>Faults done.</summary>
    public int Faults => _faults.Values.Sum();

    /// <summary>Kinds of fault that came.</summary>
    public int Kinds => _faults.Count;

    /// <summary>Differences from the oracle.</summary>
    public long Differences => _lost + _doubled + _wrong + _unexpected;

    /// <summary>A fault was got over: everything that was in the topic when it struck is committed.</summary>
    public void Recovered(FaultKind kind, TimeSpan after)
    {
        lock (_faults)
        {
            _faults[kind] = _faults.GetValueOrDefault(kind) + 1;
            _slowest[kind] = Math.Max(_slowest.GetValueOrDefault(kind), after.TotalSeconds);
        }
    }

    /// <summary>Something failed.</summary>
    public void Failed(string what)
    {
        lock (Failures) Failures.Add(what);
    }

    /// <summary>The broker left so many transactions hanging, which were ended by hand.</summary>
    public void Hung(int transactions) => Interlocked.Add(ref _hung, transactions);

    /// <summary>A round's outputs were held against the oracle.</summary>
    public void Add(Report round)
    {
        _events += round.Events;
        _checked += round.Checked;
        _lost += round.Found("lost");
        _doubled += round.Found("doubled");
        _wrong += round.Found("wrong");
        _unexpected += round.Found("unexpected");
        if (round.Faults > 0) Failed(round.ToString());
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Faults} faults ({string.Join(", ", _faults.Select(f => $"{f.Key} {f.Value}"))}), {_events} events, {_checked} records checked: {_lost} lost, {_doubled} doubled, {_wrong} wrong, {_unexpected} unexpected; "
        + $"slowest recovery {_slowest.Values.DefaultIfEmpty().Max():0.0} s ({string.Join(", ", _slowest.Select(s => $"{s.Key} {s.Value:0.0}"))}); {_hung} transactions left hanging by the broker; {Failures.Count} failures";
}
