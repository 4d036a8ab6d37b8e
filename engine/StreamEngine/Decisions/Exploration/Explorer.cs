using System.Collections.Immutable;
using StreamEngine.Events;

namespace StreamEngine.Decisions;

/// <summary>A placement's exploration, compiled.</summary>
/// <param name="Placement">The placement, UTF-8.</param>
/// <param name="Name">The same as text.</param>
/// <param name="Rule">With which probability each candidate is chosen; of no meaning where the placement learns.</param>
/// <param name="Seed">The seed's hash.</param>
public sealed record Exploration(ImmutableArray<byte> Placement, string Name, SelectionRule Rule, ulong Seed)
{
    /// <summary>How it learns which offers earn most; null where it does not.</summary>
    internal ThompsonRule? Thompson { get; init; }

    /// <summary>Whether it learns which offers earn most.</summary>
    public bool Learns => Thompson is not null;
}

/// <summary>
/// Chooses among the candidates of arbitration where the placement explores. What is drawn depends on the seed and on the position that
/// the decision's id names; where the placement learns, on what is known of its arms too. The same decision draws the same, in whichever
/// batch it is made. One per worker.
/// </summary>
internal sealed class Explorer(DecisionPolicy policy)
{
    private readonly Exploration[] _placements = [.. policy.Explorations];
    private readonly double[] _priorities = new double[policy.Offers.Count];
    private readonly double[] _probabilities = new double[policy.Offers.Count];
    private readonly ThompsonSampler? _sampler = policy.Learns ? new ThompsonSampler(policy) : null;

    /// <summary>
    /// The chosen candidate; the best one where the placement does not explore. Where it does, the decision notes each one's probability.
    /// </summary>
    /// <param name="situation">The position, and what is known of arms.</param>
    /// <param name="decision">The decision after arbitration, with one candidate or more.</param>
    public int Choose(in Situation situation, Decision decision)
    {
        var ranking = decision.Ranking.AsSpan(0, decision.Ranked);
        var index = decision.Explorable;
        if (index < 0) return ranking[0];
        var probabilities = _probabilities.AsSpan(0, ranking.Length);
        if (_placements[index].Learns) _sampler!.Probabilities(index, situation.Beliefs, decision, probabilities);
        else
        {
            var priorities = _priorities.AsSpan(0, ranking.Length);
            for (var place = 0; place < ranking.Length; place++) priorities[place] = decision.Priority[ranking[place]];
            _placements[index].Rule.Probabilities(priorities, probabilities);
        }
        var drawn = Draw(situation.Request, _placements[index].Seed);
        var chosen = 0; // rounding may leave the sum below the draw: then the best one is taken
        for (var place = 0; place < ranking.Length; place++)
        {
            drawn -= probabilities[place];
            if (drawn >= 0) continue;
            chosen = place;
            break;
        }
        for (var place = 0; place < ranking.Length; place++) decision.Probability[ranking[place]] = probabilities[place];
        decision.SelectionProbability = probabilities[chosen];
        (decision.Exploration, decision.IsExplored) = (index, chosen > 0);
        return ranking[chosen];
    }

    /// <summary>A number from 0 to below 1 of 53 bits, by the position of the decision.</summary>
    internal static double Draw(in DecisionRequest request, ulong seed)
    {
        var hash = Hash64.Of(((long)request.Source << 32) | (uint)request.Partition, seed);
        hash = Hash64.Of(request.Ordinal, Hash64.Of(request.Offset, hash));
        return (hash >> 11) * (1.0 / (1UL << 53));
    }
}
