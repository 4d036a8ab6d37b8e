using StreamEngine.Inference;

namespace StreamEngine.Decisions;

/// <summary>Gives an offer its factors and its priority.</summary>
internal sealed class Pricing(DecisionPolicy policy)
{
    private readonly CompiledOffer[] _offers = [.. policy.Offers];
    private readonly Experiment[] _experiments = [.. policy.Experiments];
    private readonly ThompsonRule?[] _learning = [.. policy.Explorations.Select(e => e.Thompson)];

    /// <summary>Sets the offer's factors and its priority; false where the priority is no finite number.</summary>
    public bool Price(int offer, in Situation situation, Decision decision)
    {
        var o = _offers[offer];
        var (propensity, context, value) = (o.Propensity, o.Context, o.Value);
        for (var i = 0; i < _experiments.Length; i++)
        {
            if (decision.Variations[i] is not (var variation and >= 0)) continue;
            var tried = _experiments[i].Variations[variation];
            propensity = tried.Propensities[offer] ?? propensity;
            context = tried.Contexts[offer] ?? context;
            value = tried.Values[offer] ?? value;
        }
        decision.Model[offer] = propensity.Model;
        decision.P[offer] = Propensity(propensity, situation, out decision.Source[offer], out decision.Fault[offer]);
        decision.C[offer] = context is null ? 1 : context(situation.Context);
        decision.V[offer] = value is null ? 1 : value(situation.Context);
        if (decision.Explorable is var placement and >= 0 && _learning[placement] is { } rule)
            Learned(rule, offer, situation.Beliefs.Of(placement, offer), decision);
        var levers = 1.0;
        foreach (var factor in o.Levers)
        {
            var sum = 1.0;
            foreach (var lever in factor) sum += lever(situation.Context);
            levers *= sum;
        }
        for (var i = 0; i < _experiments.Length; i++)
            if (decision.Variations[i] is var arm and >= 0 && _experiments[i].Variations[arm].Levers[offer] is { } lift)
                levers *= 1 + lift(situation.Context);
        decision.L[offer] = levers;
        decision.Priority[offer] = Priority.Of(decision.P[offer], decision.C[offer], decision.V[offer], levers);
        return double.IsFinite(decision.Priority[offer]);
    }

    /// <summary>What the offer has earned in the placement takes the place of P, or of P and V where it is a value.</summary>
    private static void Learned(ThompsonRule rule, int offer, in ArmTally tally, Decision decision)
    {
        var isValue = rule.Reward == RewardKind.Value;
        var prior = rule.PriorMean ?? (isValue ? decision.P[offer] * decision.V[offer] : decision.P[offer]);
        decision.PriorMean[offer] = prior;
        var mean = ArmPosterior.PosteriorMean(rule, prior, tally);
        decision.P[offer] = isValue ? 1 : mean;
        if (isValue) decision.V[offer] = mean;
        decision.Source[offer] = PropensitySource.Learned;
    }

    private static double Propensity(PropensityTerm term, in Situation situation, out PropensitySource source, out ScoreFault fault)
    {
        (source, fault) = (PropensitySource.Fixed, ScoreFault.None);
        if (term.Model < 0) return term.Default;
        // A model that is off is not run, so it has no scores.
        fault = situation.Switches.IsModelOff(term.Model) ? ScoreFault.SwitchedOff : situation.Scorer.Fault(term.Model, situation.Row);
        if (fault == ScoreFault.None)
        {
            var p = situation.Scorer.Outputs(term.Model, situation.Row)[term.Output];
            source = PropensitySource.Model;
            if (Propensities.IsOne(p)) return Propensities.Of(p);
            fault = ScoreFault.OutOfRange;
        }
        source = PropensitySource.Fallback;
        return term.Default;
    }
}
