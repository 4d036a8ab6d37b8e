namespace StreamEngine.SystemTests.Oracle;

/// <summary>What the oracle found: counts by kind of fault, and the first faults in words.</summary>
internal sealed class Report
{
    private const int Told = 20;
    private readonly SortedDictionary<string, long> _faults = [];
    private readonly List<string> _first = [];

    /// <summary>Records of any output that were compared.</summary>
    public long Checked { get; set; }

    /// <summary>Input records read.</summary>
    public long Events { get; set; }

    /// <summary>Decisions by model version, outcome, trigger and the like: shows that a run tested what it should.</summary>
    public SortedDictionary<string, long> Seen { get; } = [];

    /// <summary>Faults of all kinds.</summary>
    public long Faults => _faults.Values.Sum();

    /// <summary>Faults of one kind: lost, doubled, wrong, unexpected.</summary>
    public long Found(string kind) => _faults.GetValueOrDefault(kind);

    /// <summary>Something expected is not there.</summary>
    public void Lost(string what) => Add("lost", what);

    /// <summary>Something is there twice.</summary>
    public void Doubled(string what) => Add("doubled", what);

    /// <summary>Something is there that nothing caused.</summary>
    public void Unexpected(string what) => Add("unexpected", what);

    /// <summary>Something is there with other contents, or in another order.</summary>
    public void Wrong(string what) => Add("wrong", what);

    /// <summary>Counts something that was seen.</summary>
    public void Saw(string what) => Seen[what] = Seen.GetValueOrDefault(what) + 1;

    /// <summary>How many times something was seen.</summary>
    public long Count(string what) => Seen.GetValueOrDefault(what);

    /// <inheritdoc/>
    public override string ToString()
    {
        var faults = string.Join(", ", new[] { "lost", "doubled", "wrong", "unexpected" }.Select(kind => $"{Found(kind)} {kind}"));
        var seen = string.Join(", ", Seen.Select(s => $"{s.Value} {s.Key}"));
        return $"{Events} events, {Checked} outputs checked: {faults}\n  seen: {seen}{string.Concat(_first.Select(f => $"\n  {f}"))}";
    }

    private void Add(string kind, string what)
    {
        _faults[kind] = _faults.GetValueOrDefault(kind) + 1;
        if (_first.Count < Told) _first.Add($"{kind}: {what}");
    }
}
