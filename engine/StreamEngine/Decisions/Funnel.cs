using StreamEngine.Expressions;
using StreamEngine.Inference;

namespace StreamEngine.Decisions;

/// <summary>
/// Makes a decision: one stage after the other, in the order of <see cref="Stages"/>. One per shard; allocates nothing.
/// </summary>
public sealed class Funnel
{
    private readonly DecisionPolicy _policy;
    private readonly IFunnelStage[] _stages;
    private readonly DeferralRule? _deferral;
    private readonly ArmBeliefs _noBeliefs;

    /// <summary>Makes a funnel over a policy.</summary>
    public Funnel(DecisionPolicy policy)
    {
        _policy = policy;
        _noBeliefs = new ArmBeliefs(policy);
        var pricing = new Pricing(policy);
        var zones = new CustomerZones();
        _deferral = policy.Deferred is null ? null : new DeferralRule(policy, zones);
        _stages =
        [
            new GateStage(policy),                  // 1. consent, switches and the rules of each offer
            new LimitStage(policy),                 // 2. the contact limits
            new QuietStage(policy, zones),          // 3. the hours in which channels are quiet
            new BudgetStage(policy),                // 4. what is left of budgets
            new ExperimentStage(policy),            // 5. the customer's variations, and what they go without
            new ArbitrationStage(policy, pricing),  // 6. P x C x V x L, and the ranking by it
            new SelectionStage(policy, pricing),    // 7. the best, or the default offer
            new HoldoutStage(policy),               // 8. the customers who get nothing, so that the others can be compared
        ];
    }

    /// <summary>The stages in the order in which a decision goes through them.</summary>
    internal IReadOnlyList<IFunnelStage> Stages => _stages;

    /// <summary>
    /// Decides. The caller then counts a served offer in the profile (<see cref="ContactPolicy.Record"/>) before the profile's next step.
    /// </summary>
    /// <param name="request">Who, when, by what cause.</param>
    /// <param name="context">The event and the feature vector that were copied when the decision was opened.</param>
    /// <param name="scorer">Holds the scores of the batch.</param>
    /// <param name="row">The vector's row in the scored batch.</param>
    /// <param name="profile">The profile now; may be empty where <see cref="DecisionPolicy.NeedsProfile"/> is false.</param>
    /// <param name="switches">What is switched off.</param>
    /// <param name="result">Receives the decision.</param>
    /// <param name="budgets">The shard's budgets; null where there are none, or no shard decides.</param>
    /// <param name="beliefs">What is known of arms where placements learn; null where nothing is.</param>
    public void Decide(in DecisionRequest request, EvalContext context, Scorer scorer, int row, ReadOnlySpan<byte> profile,
        Switches switches, Decision result, BudgetBook? budgets = null, ArmBeliefs? beliefs = null)
    {
        result.Reset(request.Placement ?? _policy.Placement(request.Trigger, context));
        result.Explorable = _policy.ExplorationIndex(result.Placement);
        var situation = new Situation(in request, context, scorer, row, profile, switches, budgets, beliefs ?? _noBeliefs);
        foreach (var stage in _stages)
            if (!stage.Apply(situation, result)) break;
        if (result.Outcome == Outcome.NoOffer) _deferral?.Apply(situation, result);
    }

    /// <summary>
    /// The earliest time, ms, at which a decision could be made anew that is opened now; <see cref="long.MaxValue"/> where it does not wait
    /// for the end of quiet hours, whatever comes of it.
    /// </summary>
    /// <param name="context">The event and the feature vector of the decision.</param>
    /// <param name="decidedAt">The time at which it is evaluated, ms.</param>
    internal long MayWaitUntil(EvalContext context, long decidedAt) => _deferral?.Earliest(context, decidedAt) ?? long.MaxValue;
}
