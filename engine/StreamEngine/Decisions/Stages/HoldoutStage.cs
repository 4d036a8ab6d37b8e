namespace StreamEngine.Decisions;

/// <summary>
/// Keeps back what was chosen for a customer in the holdout. It stands last, so that the record says what would have been shown, and the
/// two groups compare.
/// </summary>
internal sealed class HoldoutStage(DecisionPolicy policy) : IFunnelStage
{
    /// <inheritdoc/>
    public IReadOnlyList<DropReason> Reasons { get; } = [DropReason.Holdout];

    /// <inheritdoc/>
    public bool Apply(in Situation situation, Decision decision)
    {
        if (policy.HoldoutShare <= 0
            || BucketHash.Bucket(policy.HoldoutSalt.AsSpan(), situation.Request.CustomerId) >= policy.HoldoutShare) return true;
        decision.Outcome = Outcome.Holdout;
        decision.Drop[decision.Chosen] = DropReason.Holdout;
        decision.Chosen = -1;
        return false;
    }
}
