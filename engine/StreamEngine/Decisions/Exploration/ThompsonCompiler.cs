using StreamEngine.Configuration;
using StreamEngine.Decisions.Outcomes;

namespace StreamEngine.Decisions;

/// <summary>Compiles how a placement learns, collecting every mistake.</summary>
internal static class ThompsonCompiler
{
    /// <summary>Of a prior that says nothing of it: with two decisions' worth, a mean exists and is soon outweighed.</summary>
    private const double UsualWeight = 2;

    public static ThompsonRule Compile(ExplorationOptions options, OutcomeOptions? outcomes, TimeSpan lateness, ConfigErrors errors)
    {
        var reward = options.Reward ?? RewardKind.Click;
        if (options.Reward is null)
            errors.Add(options.Node.At, "thompson has no reward",
                "Say what a decision earns: 'reward: click', or impression, conversion or value");
        else if (outcomes is null)
            errors.Add(options.Node, "reward", "nothing is learnt where no event is an outcome",
                "Say under 'outcomes' which events tell what became of a decision");
        else if (outcomes.Events.All(e => e.Kind != KindOf(reward)))
            errors.Add(options.Node, "reward", $"no event under 'outcomes' is {Article(KindOf(reward))}",
                "Declare it under 'outcomes.events', or choose another reward");
        if (options.HalfLife is { } halfLife && halfLife <= TimeSpan.Zero)
            errors.Add(options.Node, "half_life", $"a half-life of {halfLife} forgets everything at once", "Choose a duration such as 30d");
        var windows = outcomes?.Windows ?? new OutcomeWindowOptions();
        var window = windows.All[(int)KindOf(reward)].Window;
        if (reward == RewardKind.Value && windows.Refund > window) window = windows.Refund;
        var (mean, weight, deviation) = reward == RewardKind.Value ? OfValues(options, errors) : OfRates(options, errors);
        return new ThompsonRule(reward, mean, weight, deviation, (long)(options.HalfLife ?? TimeSpan.Zero).TotalMilliseconds,
            (long)(window + lateness).TotalMilliseconds);
    }

    /// <summary>
    /// Finds variations whose propensities or values would be without effect: where the prior's mean is one number, what is learnt takes
    /// the place of the propensity, and of the value too where that is what is learnt.
    /// </summary>
    public static void CheckExperiments(IReadOnlyList<ExperimentOptions> experiments, IReadOnlyList<OfferOptions> offers,
        IReadOnlyList<Exploration> explorations, ConfigErrors errors)
    {
        foreach (var placement in explorations)
        {
            if (placement.Thompson is not { PriorMean: not null } rule) continue;
            var isValue = rule.Reward == RewardKind.Value;
            foreach (var variation in experiments.SelectMany(e => e.Variations))
            {
                foreach (var tried in variation.Propensities) Check(tried.Name, tried.Node, "propensity");
                if (!isValue) continue;
                foreach (var tried in variation.Values) Check(tried.Name, tried.Node, "value");
            }

            void Check(string name, ConfigNode node, string term)
            {
                if (!offers.Any(o => o.Name == name && (o.Placements.Count == 0 || o.Placements.Contains(placement.Name)))) return;
                errors.Add(node.At, $"another {term} of {name} is without effect in placement {placement.Name}, which learns what offers "
                    + "earn", isValue
                    ? "Leave 'mean' out of the prior there, so that the offer's own P x V is believed at first; or keep the offer out of "
                        + "that placement"
                    : "Give a prior with a 'weight' there, so that the offer's own propensity is believed at first; or keep the offer out "
                        + "of that placement");
            }
        }
    }

    /// <summary>The outcome that a reward comes with.</summary>
    public static OutcomeKind KindOf(RewardKind reward) => reward switch
    {
        RewardKind.Impression => OutcomeKind.Impression,
        RewardKind.Click => OutcomeKind.Click,
        _ => OutcomeKind.Conversion,
    };

    private static string Article(OutcomeKind kind) => kind == OutcomeKind.Impression ? "an impression" : $"a {Spelling.Snake($"{kind}")}";

    private static (double? Mean, double Weight, double Deviation) OfRates(ExplorationOptions options, ConfigErrors errors)
    {
        if (options.Prior is not { } prior) return (0.5, 2, 0);
        foreach (var (key, isGiven) in new[] { ("mean", prior.Mean is not null), ("deviation", prior.Deviation is not null) })
            if (isGiven)
                errors.Add(prior.Node, key, $"the prior of a reward that comes or not has no {key}",
                    "Give 'alpha' and 'beta', or 'weight' for the offer's own propensity");
        if (prior.Weight is { } weight)
        {
            if (prior.Alpha is not null || prior.Beta is not null)
                errors.Add(prior.Node, "weight", "the prior is given twice",
                    "Give 'alpha' and 'beta', or 'weight' for the offer's own propensity");
            return (null, Positive(prior, "weight", weight, errors), 0);
        }
        if (prior.Alpha is not { } alpha || prior.Beta is not { } beta)
        {
            errors.Add(prior.Node.At, "the prior is not whole",
                "Give both 'alpha' and 'beta' (1 and 1: any rate is as likely), or 'weight'");
            return (0.5, 2, 0);
        }
        (alpha, beta) = (Positive(prior, "alpha", alpha, errors), Positive(prior, "beta", beta, errors));
        return (alpha / (alpha + beta), alpha + beta, 0);
    }

    private static (double? Mean, double Weight, double Deviation) OfValues(ExplorationOptions options, ConfigErrors errors)
    {
        var prior = options.Prior ?? new PriorOptions();
        foreach (var (key, isGiven) in new[] { ("alpha", prior.Alpha is not null), ("beta", prior.Beta is not null) })
            if (isGiven)
                errors.Add(prior.Node, key, $"the prior of values has no {key}", "Give 'deviation', and 'mean' and 'weight' if you like");
        if (prior.Mean is { } mean && !double.IsFinite(mean))
            errors.Add(prior.Node, "mean", $"{mean} is no mean", "Choose a number, or leave it out for the offer's own P x V");
        if (prior.Deviation is null)
            errors.Add((options.Prior?.Node ?? options.Node).At, "the prior of values has no deviation",
                "Say by how much single decisions' values differ: 'prior: { deviation: 20.0 }', in the unit of the values");
        return (prior.Mean, Positive(prior, "weight", prior.Weight ?? UsualWeight, errors),
            Positive(prior, "deviation", prior.Deviation ?? 1, errors));
    }

    private static double Positive(PriorOptions prior, string key, double number, ConfigErrors errors)
    {
        if (number > 0 && double.IsFinite(number)) return number;
        errors.Add(prior.Node, key, $"{number} is no {key}", "Choose a number above 0");
        return 1;
    }
}
