using System.Runtime.InteropServices;

namespace StreamEngine.Host.Replay.Comparison;

/// <summary>Two decisions that the same thing opened, or one that the other policy did not make.</summary>
/// <param name="A">That of the first policy; null where it made none.</param>
/// <param name="B">That of the second policy.</param>
internal sealed record DecisionPair(ComparedDecision? A, ComparedDecision? B)
{
    /// <summary>Whichever there is.</summary>
    public ComparedDecision Any => A ?? B!;
}

/// <summary>
/// Finds for the decisions of one policy those of the other. Both replays go step by step through the same records, so a decision's
/// counterpart comes in the same step. Only where one config can't read records, its timers fire later: a timer's decision is alone for
/// good once the other replay's watermark has passed its time. So the decisions of two steps are held, and beyond them those that wait for
/// a replay that lags, with what comes behind them: <see cref="MostHeld"/> at most.
/// </summary>
/// <param name="found">Told of every pair and of every decision that stays alone, in the order of their causes.</param>
internal sealed class DecisionMatcher(Action<DecisionPair> found)
{
    /// <summary>Where more is held after a step, what is alone since an earlier one is given up: memory stays bounded.</summary>
    public const int MostHeld = 50_000;

    private readonly Dictionary<Opening, (ComparedDecision Decision, int Step)>[] _alone = [[], []];
    private readonly Dictionary<Opening, int>[] _repeats = [[], []];
    private readonly List<DecisionPair> _found = [];
    private int _step;

    /// <summary>Takes a decision.</summary>
    /// <param name="policy">Whose it is: 0 or 1.</param>
    /// <param name="decision">The decision.</param>
    public void Take(int policy, ComparedDecision decision)
    {
        ref var repeat = ref CollectionsMarshal.GetValueRefOrAddDefault(_repeats[policy], decision.Opening, out _);
        var opening = decision.Opening with { Repeat = repeat++ };
        if (_alone[1 - policy].Remove(opening, out var other))
        {
            _found.Add(policy == 0 ? new DecisionPair(decision, other.Decision) : new DecisionPair(other.Decision, decision));
            return;
        }
        if (_alone[policy].Remove(opening, out var earlier)) Leave(policy, earlier.Decision);
        _alone[policy].Add(opening, (decision, _step));
    }

    /// <summary>Both policies have done a step.</summary>
    /// <param name="a">The watermark of the first replay, ms.</param>
    /// <param name="b">That of the second.</param>
    public void EndStep(long a, long b)
    {
        var full = _found.Count + _alone[0].Count + _alone[1].Count > MostHeld;
        Tell(_step++, full ? [long.MaxValue, long.MaxValue] : [a, b]);
        foreach (var repeats in _repeats) repeats.Clear();
    }

    /// <summary>Both policies have done their last step.</summary>
    public void End() => Tell(int.MaxValue, [long.MaxValue, long.MaxValue]);

    /// <summary>
    /// Gives up on decisions that were alone before a step and whose counterpart can't come any more, and tells of all whose cause lies
    /// before that of every decision that still waits: what is found later has a later cause.
    /// </summary>
    private void Tell(int before, ReadOnlySpan<long> watermarks)
    {
        var clear = long.MaxValue;
        for (var policy = 0; policy < _alone.Length; policy++)
            foreach (var (opening, (decision, step)) in _alone[policy])
                if (step < before && (opening.Offset >= 0 || opening.DecidedAt < watermarks[1 - policy]))
                {
                    _alone[policy].Remove(opening);
                    Leave(policy, decision);
                }
                else clear = Math.Min(clear, decision.Cause);
        foreach (var pair in _found.Where(p => p.Any.Cause < clear).OrderBy(p => p.Any.Cause)) // stable: as they came for the same cause
            found(pair);
        _found.RemoveAll(p => p.Any.Cause < clear);
    }

    private void Leave(int policy, ComparedDecision decision) =>
        _found.Add(policy == 0 ? new DecisionPair(decision, null) : new DecisionPair(null, decision));
}
