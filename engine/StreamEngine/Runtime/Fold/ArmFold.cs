using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;

namespace StreamEngine.Runtime;

/// <summary>What became of a reward that a placement could learn from. The names, in snake case, are the metric's labels.</summary>
internal enum RewardFate : byte
{
    /// <summary>It counted for its arm.</summary>
    Counted,

    /// <summary>Newer decisions took the room before it was known.</summary>
    Displaced,

    /// <summary>Its customer consents no more.</summary>
    Withdrawn,

    /// <summary>Its offer has left the config.</summary>
    Unknown,

    /// <summary>It is no number, or so large that the sum of squares would soon be none.</summary>
    BadValue,
}

/// <summary>
/// The fold of rewards into the tallies of arms. A reward counts once it is known for good, whether it came or not: counted as it comes,
/// it would be missing for decisions that are still young, and new arms would look worse than they are.
/// </summary>
internal sealed class ArmFold
{
    /// <summary>The largest reward that counts. Its square leaves room for more of them in a sum than there will ever be.</summary>
    private const double MostReward = 1e100;

    private readonly ShardState _shard;
    private readonly Exploration[] _placements;
    private readonly string[][] _names;
    private readonly Tally?[][] _tallies;

    public ArmFold(ShardState shard)
    {
        var policy = shard.Engine.Policy;
        (_shard, _placements, _names) = (shard, [.. policy.Explorations], ArmNames.Of(policy));
        _tallies = [.. _names.Select(offers => new Tally?[offers.Length])];
    }

    /// <summary>A decision's reward is known for good.</summary>
    /// <param name="decision">The decision.</param>
    /// <param name="exploration">Its placement's exploration.</param>
    /// <param name="offer">Its offer; -1 where the config has it no more.</param>
    /// <param name="withdrawn">Whether its customer consents no more.</param>
    public void Earned(in OpenDecision decision, int exploration, int offer, bool withdrawn)
    {
        var rule = _placements[exploration].Thompson!;
        var reward = rule.Reward == RewardKind.Value ? decision.Value : decision.Has(ThompsonCompiler.KindOf(rule.Reward)) ? 1 : 0;
        // A sum of values is NaN where infinities of both signs met.
        var fate = withdrawn ? RewardFate.Withdrawn : offer < 0 ? RewardFate.Unknown
            : Math.Abs(reward) <= MostReward ? RewardFate.Counted : RewardFate.BadValue;
        _shard.Counters.CountReward(exploration, fate);
        if (fate != RewardFate.Counted) return;
        var tallies = _shard.Shared!.Tallies;
        var tally = _tallies[exploration][offer] ??= tallies.Of(_names[exploration][offer], ArmTally.Numbers);
        var arm = ArmTally.Read(tally.Values);
        arm.Add(reward, decision.DecidedAt, rule.HalfLife);
        Span<double> numbers = stackalloc double[ArmTally.Numbers];
        arm.Write(numbers);
        for (var i = 0; i < numbers.Length; i++) tallies.Set(tally, i, numbers[i]);
    }

    /// <summary>A decision gave way to newer ones before its reward was known: neither that it came nor that it did not counts.</summary>
    public void Displaced(int exploration) => _shard.Counters.CountReward(exploration, RewardFate.Displaced);
}
