using StreamEngine.Expressions;
using StreamEngine.Inference;

namespace StreamEngine.Decisions;

/// <summary>What one decision is made from: the same for every stage of the funnel.</summary>
internal readonly ref struct Situation
{
    /// <summary>Who, when, by what cause.</summary>
    public readonly ref readonly DecisionRequest Request;

    /// <summary>The event and the feature vector that were copied when the decision was opened.</summary>
    public readonly EvalContext Context;

    /// <summary>Holds the scores of the batch.</summary>
    public readonly Scorer Scorer;

    /// <summary>The vector's row in the scored batch.</summary>
    public readonly int Row;

    /// <summary>The profile now; empty where the policy needs none.</summary>
    public readonly ReadOnlySpan<byte> Profile;

    /// <summary>What is switched off.</summary>
    public readonly Switches Switches;

    /// <summary>The shard's budgets; null where there are none, or no shard decides.</summary>
    public readonly BudgetBook? Budgets;

    /// <summary>What is known of arms, where placements learn.</summary>
    public readonly ArmBeliefs Beliefs;

    public Situation(ref readonly DecisionRequest request, EvalContext context, Scorer scorer, int row, ReadOnlySpan<byte> profile,
        Switches switches, BudgetBook? budgets, ArmBeliefs beliefs)
    {
        Request = ref request;
        (Context, Scorer, Row, Switches, Budgets, Beliefs) = (context, scorer, row, switches, budgets, beliefs);
        Profile = profile;
    }
}
