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
/// counterpart comes in the same step; where one config can't read a record, a timer may fire a step later in it. So what is still alone
/// after a further step is alone for good, and no more than the decisions of two steps are ever held.
/// </summary>
/// <param name="found">Told of every pair and of every decision that stays alone, step by step in the order of their causes.</param>
internal sealed class DecisionMatcher(Action<DecisionPair> found)
{
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
    public void EndStep()
    {
        Tell(_step++);
        foreach (var repeats in _repeats) repeats.Clear();
    }

    /// <summary>Both policies have done their last step.</summary>
    public void End() => Tell(int.MaxValue);

    /// <summary>Gives up on decisions that were alone before a step, and tells of all that is clear now.</summary>
    private void Tell(int before)
    {
        for (var policy = 0; policy < _alone.Length; policy++)
            foreach (var (opening, (decision, step)) in _alone[policy])
                if (step < before && _alone[policy].Remove(opening)) Leave(policy, decision);
        foreach (var pair in _found.OrderBy(p => p.Any.Cause)) found(pair); // stable: as they came where causes are the same
        _found.Clear();
    }

    private void Leave(int policy, ComparedDecision decision) =>
        _found.Add(policy == 0 ? new DecisionPair(decision, null) : new DecisionPair(null, decision));
}
