namespace StreamEngine.Decisions;

/// <summary>
/// One stage of the funnel. It goes over all candidates that are still in, and gives each one that it drops a reason of its own. What
/// the next stage needs stands in the decision: a stage keeps nothing from one decision to the next.
/// </summary>
internal interface IFunnelStage
{
    /// <summary>The reasons that are the stage's own: each reason belongs to one stage.</summary>
    IReadOnlyList<DropReason> Reasons { get; }

    /// <summary>Does the stage's part of a decision.</summary>
    /// <param name="situation">What the decision is made from.</param>
    /// <param name="decision">The decision as the stages before have left it.</param>
    /// <returns>False where the decision ends here, and no later stage is asked.</returns>
    bool Apply(in Situation situation, Decision decision);
}
