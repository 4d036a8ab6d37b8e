namespace StreamEngine.Decisions;

/// <summary>Counts outcomes, drops by offer and reason, and propensities that fell back. Written by the shard's thread, read by any.</summary>
public sealed class DecisionCounters(DecisionPolicy policy)
{
    private static readonly int Reasons = Enum.GetValues<DropReason>().Length;

    private readonly long[] _outcomes = new long[Enum.GetValues<Outcome>().Length];
    private readonly long[] _drops = new long[policy.Offers.Count * Reasons];
    private readonly long[] _fallbacks = new long[policy.Offers.Count];

    /// <summary>Decisions that were made.</summary>
    public long Decisions { get; private set; }

    /// <summary>Decisions in which the default offer was taken.</summary>
    public long Defaults { get; private set; }

    /// <summary>Decisions that ended so.</summary>
    public long Of(Outcome outcome) => Volatile.Read(ref _outcomes[(int)outcome]);

    /// <summary>How often an offer was dropped for a reason; for <see cref="DropReason.None"/>, how often it was chosen.</summary>
    public long Of(int offer, DropReason reason) => Volatile.Read(ref _drops[offer * Reasons + (int)reason]);

    /// <summary>How often an offer's default propensity stood in for its model.</summary>
    public long Fallbacks(int offer) => Volatile.Read(ref _fallbacks[offer]);

    internal void Count(Decision decision)
    {
        Decisions++;
        if (decision.IsDefault) Defaults++;
        _outcomes[(int)decision.Outcome]++;
        for (var offer = 0; offer < _fallbacks.Length; offer++)
        {
            _drops[offer * Reasons + (int)decision.Drop[offer]]++;
            if (decision.Source[offer] == PropensitySource.Fallback) _fallbacks[offer]++;
        }
    }
}
