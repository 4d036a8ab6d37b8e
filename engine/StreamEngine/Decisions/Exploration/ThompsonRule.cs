namespace StreamEngine.Decisions;

/// <summary>How a placement learns which offers earn most, compiled.</summary>
/// <param name="Reward">What a decision earns.</param>
/// <param name="PriorMean">What an arm is believed to earn before anything is known; null for what its offer promises itself: P, or P x V
/// where the reward is a value.</param>
/// <param name="PriorWeight">How many decisions that belief is worth.</param>
/// <param name="PriorDeviation">Of values, the standard deviation that is believed before anything is known.</param>
/// <param name="HalfLife">After which time rewards count half, ms; 0 for never.</param>
/// <param name="CountsAfter">How long after a decision its reward is known and counts, ms of the watermark.</param>
internal sealed record ThompsonRule(RewardKind Reward, double? PriorMean, double PriorWeight, double PriorDeviation, long HalfLife,
    long CountsAfter);
