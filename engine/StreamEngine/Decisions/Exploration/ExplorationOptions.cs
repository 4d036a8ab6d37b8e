using StreamEngine.Configuration;

namespace StreamEngine.Decisions;

/// <summary>How a placement sometimes shows another offer than the best one.</summary>
public enum ExplorationMethod
{
    /// <summary>Mostly the best one; with probability epsilon one of all candidates, each as likely.</summary>
    EpsilonGreedy,

    /// <summary>Each candidate with a probability that grows exponentially with its priority.</summary>
    Softmax,
}

/// <summary>Exploration in one placement: offers other than the best are shown too, so that what they would do can be learnt.</summary>
public sealed record ExplorationOptions : ILocated
{
    /// <summary>The placement.</summary>
    public string Name { get; init; } = "";

    [Doc("epsilon_greedy: the best one, and with probability epsilon any candidate, each as likely; softmax: each candidate with a "
        + "probability in proportion to exp(priority / (temperature x the largest absolute priority of the decision)).")]
    public ExplorationMethod Method { get; init; }

    [Doc("epsilon_greedy: how often any candidate is drawn, 0 to 1.")]
    [Bounds(0, 1)]
    public double? Epsilon { get; init; }

    [Doc("softmax: 0.1 makes a candidate whose priority is a tenth lower e times less likely; a higher temperature explores more.")]
    [Bounds(0.001, 1_000)]
    public double? Temperature { get; init; }

    [Doc("The draw's seed: another seed draws otherwise.")]
    public string Seed { get; init; } = "exploration";

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
