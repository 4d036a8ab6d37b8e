namespace StreamEngine.Decisions;

/// <summary>A shard's own part of a shared number: one value or a few, counted since the name was first used.</summary>
internal sealed class Tally(string name, int length)
{
    private readonly double[] _values = new double[length];

    /// <summary>The number's name.</summary>
    public string Name => name;

    /// <summary>The values now.</summary>
    public ReadOnlySpan<double> Values => _values;

    /// <summary>Whether they differ from what was last handed to the log.</summary>
    internal bool IsChanged { get; set; }

    internal Span<double> Writable => _values;
}

/// <summary>
/// What a shard adds to the numbers that all shards share. They are outputs: they change exactly where a decision or an outcome is
/// written, and those that have changed are written as they stand, in the commit of what changed them. So whoever owns the shard next goes
/// on from what is committed, and an interval that is lost takes them with it. Belongs to the shard's thread.
/// </summary>
internal sealed class Tallies
{
    private readonly Dictionary<string, Tally> _all = new(StringComparer.Ordinal);
    private readonly List<Tally> _changed = [];

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<Tally> All => _all.Values;

    /// <summary>Whether some have changed since they were last handed to the log.</summary>
    public bool AnyChanged => _changed.Count > 0;

    /// <summary>The tally of that name, made where there is none.</summary>
    /// <param name="name">The name.</param>
    /// <param name="length">How many values it has. One that was loaded with another length, from another version, begins anew.</param>
    public Tally Of(string name, int length)
    {
        if (_all.TryGetValue(name, out var tally) && tally.Values.Length == length) return tally;
        return _all[name] = new Tally(name, length);
    }

    /// <summary>Adds to a value. Allocates nothing once the interval's list has grown.</summary>
    public void Add(Tally tally, int index, double amount) => Set(tally, index, tally.Values[index] + amount);

    /// <summary>Sets a value.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is no finite number: the sum would be none for ever.</exception>
    public void Set(Tally tally, int index, double value)
    {
        if (!double.IsFinite(value)) throw new ArgumentOutOfRangeException(nameof(value), value, $"{tally.Name} is no finite number.");
        if (tally.Values[index] == value) return;
        tally.Writable[index] = value;
        if (tally.IsChanged) return;
        tally.IsChanged = true;
        _changed.Add(tally);
    }

    /// <summary>All are written again as they stand, as what was written is gone; those that count nothing yet are not.</summary>
    /// <returns>Whether there are any.</returns>
    public bool ChangeAll()
    {
        foreach (var tally in _all.Values)
        {
            if (tally.IsChanged || !tally.Values.ContainsAnyExcept(0.0)) continue;
            tally.IsChanged = true;
            _changed.Add(tally);
        }
        return AnyChanged;
    }

    /// <summary>Takes what the log holds of a shard, before it goes live.</summary>
    public void Load(string name, ReadOnlySpan<double> values)
    {
        var tally = Of(name, values.Length);
        values.CopyTo(tally.Writable);
    }

    /// <summary>Hands over what has changed since the last time.</summary>
    public void Take(Action<Tally> take)
    {
        foreach (var tally in _changed)
        {
            tally.IsChanged = false;
            take(tally);
        }
        _changed.Clear();
    }
}
