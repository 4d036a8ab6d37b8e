using StreamEngine.Host.Evaluation.Experiments;

namespace StreamEngine.Host.Evaluation.OffPolicy;

/// <summary>What a policy would have done in a logged decision.</summary>
/// <param name="Candidates">What it would have chosen among, the best first; empty where it would have shown nothing.</param>
/// <param name="Probabilities">The probability with which it chooses each.</param>
/// <param name="IsReplaced">Whether the offer that it always shows was no candidate, so that the best one stands for it.</param>
internal sealed record PolicyChoice(IReadOnlyList<LoggedCandidate> Candidates, double[] Probabilities, bool IsReplaced = false);

/// <summary>A policy that is evaluated on logged decisions.</summary>
internal interface IEvaluatedPolicy
{
    /// <summary>What it would have done; null where the log does not tell.</summary>
    /// <param name="record">The decision's record.</param>
    /// <param name="candidates">Its candidates, the best first.</param>
    PolicyChoice? Choose(LoggedRecord record, IReadOnlyList<LoggedCandidate> candidates);

    /// <summary>Takes a decision in which the log had nothing to show; it is not evaluated.</summary>
    void HadNothing(LoggedRecord record)
    {
    }
}
