namespace StreamEngine.Tests.Simulation;

/// <summary>What happens to requests between whoever asks and whoever is asked.</summary>
internal enum SimNetworkEvent
{
    /// <summary>A request was made.</summary>
    Asked,

    /// <summary>It ended with a decision.</summary>
    Decided,

    /// <summary>It ended at its deadline.</summary>
    TimedOut,

    /// <summary>It ended with the last failure that was heard.</summary>
    OtherEnds,

    /// <summary>A message took long.</summary>
    Delayed,

    /// <summary>A question was lost.</summary>
    LostAsks,

    /// <summary>An answer was lost.</summary>
    LostAnswers,

    /// <summary>A question arrived twice.</summary>
    Doubled,

    /// <summary>A shard was asked for what one was asked for before.</summary>
    Repeats,

    /// <summary>Who was asked did not have the shard any more, or not yet, and another did.</summary>
    Stale,

    /// <summary>Two took requests for the shard.</summary>
    TwoOwners,

    /// <summary>Who was asked had died.</summary>
    Silent,

    /// <summary>A question arrived when nobody waited any more.</summary>
    Expired,

    /// <summary>An answer came after another one.</summary>
    Dropped,
}

/// <summary>Counts them.</summary>
internal sealed class SimNetworkCounts
{
    private readonly int[] _counts = new int[Enum.GetValues<SimNetworkEvent>().Length];

    /// <summary>What never happened.</summary>
    public IEnumerable<SimNetworkEvent> Missing => Enum.GetValues<SimNetworkEvent>().Where(e => _counts[(int)e] == 0);

    public void Add(SimNetworkEvent happened) => _counts[(int)happened]++;

    public void Add(SimNetworkCounts other)
    {
        for (var i = 0; i < _counts.Length; i++) _counts[i] += other._counts[i];
    }

    public override string ToString() => string.Join(", ", Enum.GetValues<SimNetworkEvent>().Select(e => $"{e} {_counts[(int)e]}"));
}
