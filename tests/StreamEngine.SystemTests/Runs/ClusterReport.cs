using StreamEngine.SystemTests.Oracle;

namespace StreamEngine.SystemTests.Runs;

/// <summary>What the rounds of a cluster run came to.</summary>
internal sealed class ClusterReport
{
    private readonly SortedDictionary<FaultKind, int> _struck = [], _faults = [];
    private readonly SortedDictionary<FaultKind, double> _slowest = [];
    private int _hung;
    private long _events, _checked, _lost, _doubled, _wrong, _unexpected, _asked;

    /// <summary>What no fault may do: engines that ended by themselves, faults that were not got over.</summary>
    public List<string> Failures { get; } = [];

    /// <summary>Where shards were restored from.</summary>
    public RestoreCount Restores { get; } = new();

    /// <summary>Faults got over.</summary>
    public int Faults => _faults.Values.Sum();

    /// <summary>Kinds of fault that came.</summary>
    public int Kinds => _faults.Count;

    /// <summary>Differences from the oracle.</summary>
    public long Differences => _lost + _doubled + _wrong + _unexpected;

    /// <summary>Requests of the quiet phases, and how many of them were not served.</summary>
    public (int All, int NotServed) Quiet { get; private set; }

    /// <summary>A fault strikes.</summary>
    public void Struck(FaultKind kind)
    {
        lock (_faults) _struck[kind] = _struck.GetValueOrDefault(kind) + 1;
    }

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

    /// <summary>Transactions that the broker left hanging, which were ended by hand.</summary>
    public int Hung => _hung;

    /// <summary>So many more hung.</summary>
    public void Ended(int hanging) => Interlocked.Add(ref _hung, hanging);

    /// <summary>So many requests were asked in a round.</summary>
    public void Asked(int all, int quiet, int notServed)
    {
        _asked += all;
        Quiet = (Quiet.All + quiet, Quiet.NotServed + notServed);
    }

    /// <summary>A round's outputs were held against the oracle.</summary>
    public void Add(Report round, RestoreCount restores)
    {
        Restores.Add(restores);
        _events += round.Events;
        _checked += round.Checked;
        _lost += round.Found("lost");
        _doubled += round.Found("doubled");
        _wrong += round.Found("wrong");
        _unexpected += round.Found("unexpected");
        if (round.Faults > 0) Failed(round.ToString());
    }

    /// <summary>One line.</summary>
    public override string ToString() =>
        $"{Faults} of {_struck.Values.Sum()} faults got over, {_events} events, {_checked} records checked: {_lost} lost, {_doubled} "
            + $"doubled, {_wrong} wrong, {_unexpected} unexpected; "
        + $"slowest recovery {_slowest.Values.DefaultIfEmpty().Max():0.0} s; shards restored: {Restores}; {_hung} transactions left "
        + $"hanging by the broker; {_asked} requests, of {Quiet.All} in quiet phases {Quiet.NotServed} not served; {Failures.Count} "
        + "failures";

    /// <summary>The same with a table of the kinds of fault.</summary>
    public string Table() => string.Join('\n',
    [
        ToString(),
        $"{"fault",-10} {"injected",8} {"got over",8} {"slowest recovery",17}",
        .. _struck
            .Select(k => $"{k.Key,-10} {k.Value,8} {_faults.GetValueOrDefault(k.Key),8} {_slowest.GetValueOrDefault(k.Key),15:0.0} s"),
    ]);
}
