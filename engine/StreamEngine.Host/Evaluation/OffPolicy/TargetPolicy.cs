using System.Globalization;
using StreamEngine.Decisions;
using StreamEngine.Host.Evaluation.Experiments;

namespace StreamEngine.Host.Evaluation.OffPolicy;

/// <summary>A candidate of a logged decision that any policy could have chosen.</summary>
/// <param name="Offer">The offer.</param>
/// <param name="P">Its propensity.</param>
/// <param name="V">Its value.</param>
/// <param name="Priority">What arbitration ordered it by.</param>
/// <param name="Drawn">With which probability the log would have shown it; null where the record does not say.</param>
/// <param name="IsLearned">Whether P and V are what the log had learnt of its placement's reward, not what the offer promises.</param>
internal readonly record struct LoggedCandidate(string Offer, double P, double V, double Priority, double? Drawn = null,
    bool IsLearned = false);

/// <summary>
/// A policy that could have chosen among the candidates of logged decisions: what it would have done follows from their priorities.
/// </summary>
internal sealed class TargetPolicy : IEvaluatedPolicy
{
    /// <summary>How a policy is written.</summary>
    public const string Forms = "greedy, uniform, epsilon_greedy:EPSILON, softmax:TEMPERATURE or offer:NAME";

    /// <summary>Why a policy that learns can't be evaluated on the log of another one.</summary>
    public const string WhyNotLearning = "thompson learns from what its own choices earn, so what it would have chosen does not follow "
        + "from the choices of another policy. What it earned where it ran is the estimate 'logged'";

    private readonly SelectionRule _rule;
    private readonly string? _offer;

    private TargetPolicy(string name, SelectionRule rule, string? offer = null) => (Name, _rule, _offer) = (name, rule, offer);

    /// <summary>The policy as it was written.</summary>
    public string Name { get; }

    /// <summary>Reads a policy; null where the text is none.</summary>
    public static TargetPolicy? TryParse(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var (kind, argument) = colon < 0 ? (text, "") : (text[..colon], text[(colon + 1)..]);
        if (kind == "offer") return argument.Length > 0 ? new TargetPolicy(text, Greedy(0), argument) : null;
        if (colon < 0) return kind switch { "greedy" => new(text, Greedy(0)), "uniform" => new(text, Greedy(1)), _ => null };
        if (!double.TryParse(argument, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number))
            return null;
        return kind switch
        {
            "epsilon_greedy" when number is >= 0 and <= 1 => new TargetPolicy(text, Greedy(number)),
            "softmax" when number > 0 => new TargetPolicy(text, new SelectionRule(ExplorationMethod.Softmax, number)),
            _ => null,
        };
    }

    /// <summary>Whether the text names a policy that learns.</summary>
    public static bool Learns(string text) => text.Split(':')[0] == "thompson";

    /// <inheritdoc/>
    public PolicyChoice Choose(LoggedRecord record, IReadOnlyList<LoggedCandidate> candidates) =>
        new(candidates, Probabilities(candidates), _offer is not null && !candidates.Any(c => c.Offer == _offer));

    /// <summary>The probability with which it chooses each candidate.</summary>
    /// <param name="candidates">The candidates in the order of arbitration, the best first.</param>
    public double[] Probabilities(IReadOnlyList<LoggedCandidate> candidates)
    {
        var probabilities = new double[candidates.Count];
        var wanted = _offer is null ? -1 : candidates.Select(c => c.Offer).ToList().IndexOf(_offer);
        if (wanted >= 0) probabilities[wanted] = 1;
        else _rule.Probabilities([.. candidates.Select(c => c.Priority)], probabilities);
        return probabilities;
    }

    private static SelectionRule Greedy(double epsilon) => new(ExplorationMethod.EpsilonGreedy, epsilon);
}
