using StreamEngine.Configuration;

namespace StreamEngine.Decisions;

/// <summary>How a placement sometimes shows another offer than the best one.</summary>
public enum ExplorationMethod
{
    /// <summary>Mostly the best one; with probability epsilon one of all candidates, each as likely.</summary>
    EpsilonGreedy,

    /// <summary>Each candidate with a probability that grows exponentially with its priority.</summary>
    Softmax,

    /// <summary>Each candidate with the probability that it is the best one, given what it has earned so far.</summary>
    Thompson,
}

/// <summary>What a decision earns. Those but the last are kinds of outcomes.</summary>
public enum RewardKind
{
    /// <summary>1 where the customer saw what was shown.</summary>
    Impression,

    /// <summary>1 where the customer clicked on it.</summary>
    Click,

    /// <summary>1 where the customer did what the offer is for.</summary>
    Conversion,

    /// <summary>The value of conversions less that of refunds.</summary>
    Value,
}

/// <summary>Exploration in one placement: offers other than the best are shown too, so that what they would do can be learnt.</summary>
public sealed record ExplorationOptions : ILocated
{
    /// <summary>The placement.</summary>
    public string Name { get; init; } = "";

    [Doc("epsilon_greedy: the best one, and with probability epsilon any candidate, each as likely; softmax: each candidate with a "
        + "probability in proportion to exp(priority / (temperature x the largest absolute priority of the decision)); thompson: each "
        + "candidate with the probability that it is the best one, given what its offer has earned in this placement so far.")]
    public ExplorationMethod Method { get; init; }

    [Doc("epsilon_greedy: how often any candidate is drawn, 0 to 1.")]
    [Bounds(0, 1)]
    public double? Epsilon { get; init; }

    [Doc("softmax: 0.1 makes a candidate whose priority is a tenth lower e times less likely; a higher temperature explores more.")]
    [Bounds(0.001, 1_000)]
    public double? Temperature { get; init; }

    [Doc("thompson: what a decision earns: impression, click or conversion, 1 where that came within its window and 0 where not; or "
        + "value, that of conversions less refunds.")]
    public RewardKind? Reward { get; init; }

    [Doc("thompson: what offers are believed to earn before anything is known of them.")]
    public PriorOptions? Prior { get; init; }

    [Doc("thompson: after which time (event time) what an offer has earned counts half, for a world that changes; for good where absent.")]
    [Bounds(1, 1e10)]
    public TimeSpan? HalfLife { get; init; }

    [Doc("The draw's seed: another seed draws otherwise.")]
    public string Seed { get; init; } = "exploration";

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>What offers are believed to earn before anything is known of them.</summary>
public sealed record PriorOptions : ILocated
{
    [Doc("For rewards that come or not: how many decisions with a reward the belief is worth; 1 where there is no prior.")]
    [Bounds(0.001, 1e9)]
    public double? Alpha { get; init; }

    [Doc("For rewards that come or not: how many decisions without a reward the belief is worth; 1 where there is no prior.")]
    [Bounds(0.001, 1e9)]
    public double? Beta { get; init; }

    [Doc("How many decisions the belief is worth. For rewards that come or not, instead of alpha and beta: then the offer's own "
        + "propensity, its model's too, is what is believed. For values 2 where absent.")]
    [Bounds(0.001, 1e9)]
    public double? Weight { get; init; }

    [Doc("For values: what a decision is believed to earn; the offer's own P x V where absent.")]
    public double? Mean { get; init; }

    [Doc("For values: by how much single decisions' values are believed to differ, as a standard deviation.")]
    [Bounds(1e-9, 1e12)]
    public double? Deviation { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
