using System.Diagnostics.Metrics;
using StreamEngine.Configuration;
using StreamEngine.Decisions;

namespace StreamEngine.Runtime;

/// <summary>
/// Measures what placements have learnt: rewards by what became of them, and of each arm that was tried how often and with which mean.
/// There are as many series as offers that were shown in placements that learn.
/// </summary>
internal sealed class ArmMetrics
{
    private readonly DecisionPolicy _policy;
    private readonly string[][] _names;
    private readonly SharedBoard _board;

    private ArmMetrics(DecisionPolicy policy, SharedBoard board) => (_policy, _board, _names) = (policy, board, ArmNames.Of(policy));

    /// <summary>Counts rewards.</summary>
    public static void Count(Meter meter, DecisionPolicy policy, Func<ShardCounters> totals) => meter.CreateObservableCounter(
        "streamengine.exploration.rewards", () => Rewards(policy, totals()), "{decision}",
        "Decisions whose reward a placement could learn from, by what became of it.");

    /// <summary>Measures arms.</summary>
    public static void Watch(Meter meter, DecisionPolicy policy, SharedBoard board)
    {
        var arms = new ArmMetrics(policy, board);
        meter.CreateObservableGauge("streamengine.exploration.arm.trials", () => arms.Read(t => t.Trials), "{decision}",
            "Decisions that count for an arm, an offer in a placement that learns; fewer with each half-life.");
        meter.CreateObservableGauge("streamengine.exploration.arm.mean", () => arms.Read(t => t.Sum / t.Trials), "1",
            "The mean reward of an arm, an offer in a placement that learns.");
    }

    private static IEnumerable<Measurement<long>> Rewards(DecisionPolicy policy, ShardCounters totals)
    {
        for (var i = 0; i < policy.Explorations.Count; i++)
            if (policy.Explorations[i].Learns)
                foreach (var fate in Enum.GetValues<RewardFate>())
                    yield return new Measurement<long>(totals.Rewards[i * ShardCounters.RewardFates + (int)fate],
                        new("placement", policy.Explorations[i].Name),
                        new KeyValuePair<string, object?>("fate", Spelling.Snake($"{fate}")));
    }

    private IEnumerable<Measurement<double>> Read(Func<ArmTally, double> number)
    {
        var (beliefs, numbers) = (new ArmBeliefs(_policy), _board.Current.Common);
        beliefs.Take(name => numbers.GetValueOrDefault(name));
        for (var i = 0; i < _names.Length; i++)
            for (var offer = 0; offer < _names[i].Length; offer++)
                if (beliefs.Of(i, offer) is { Trials: > 0 } tally)
                    yield return new Measurement<double>(number(tally), new("placement", _policy.Explorations[i].Name),
                        new KeyValuePair<string, object?>("offer", _policy.Offers[offer].Name));
    }
}
