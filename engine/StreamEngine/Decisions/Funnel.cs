using System.Collections.Immutable;
using StreamEngine.Expressions;
using StreamEngine.Inference;

namespace StreamEngine.Decisions;

/// <summary>
/// Makes a decision: 1. consent, and whether everything is switched off, 2. the switch, placement, eligibility, applicability, suitability
/// and contact policy for each offer, 3. arbitration by P x C x V x L, 4. the default offer, 5. the holdout. One per shard; allocates
/// nothing.
/// </summary>
public sealed class Funnel
{
    /// <summary>By how much a sum of floats, such as a forest's votes, may miss 0 or 1 and still be meant as it.</summary>
    private const float Rounding = 1e-4f;

    private readonly DecisionPolicy _policy;
    private readonly CompiledOffer[] _offers;
    private readonly int[] _nameOrder;
    private readonly int[] _ranking;

    /// <summary>Makes a funnel over a policy.</summary>
    public Funnel(DecisionPolicy policy)
    {
        _policy = policy;
        _offers = [.. policy.Offers];
        _ranking = new int[_offers.Length];
        _nameOrder = new int[_offers.Length];
        var byName = Enumerable.Range(0, _offers.Length).OrderBy(i => _offers[i].Name, StringComparer.Ordinal).ToArray();
        for (var i = 0; i < byName.Length; i++) _nameOrder[byName[i]] = i;
    }

    /// <summary>
    /// Decides. The caller then counts a served offer in the profile (<see cref="Caps.Record"/>) before the profile's next step.
    /// </summary>
    /// <param name="request">Who, when, by what cause.</param>
    /// <param name="context">The event and the feature vector that were copied when the decision was opened.</param>
    /// <param name="scorer">Holds the scores of the batch.</param>
    /// <param name="row">The vector's row in the scored batch.</param>
    /// <param name="profile">The profile now; may be empty where <see cref="DecisionPolicy.NeedsProfile"/> is false.</param>
    /// <param name="switches">What is switched off.</param>
    /// <param name="result">Receives the decision.</param>
    public void Decide(in DecisionRequest request, EvalContext context, Scorer scorer, int row, ReadOnlySpan<byte> profile,
        Switches switches, Decision result)
    {
        result.Reset(request.Placement ?? _policy.Placement(request.Trigger, context));

        // 1. Consent, checked here again: it may have been withdrawn since the timer was set.
        if ((context.Consent & _policy.Purpose) != _policy.Purpose)
        {
            result.Outcome = Outcome.NoConsent;
            Array.Fill(result.Drop, DropReason.NoConsent);
            return;
        }
        if (switches.All)
        {
            result.Outcome = Outcome.SwitchedOff;
            Array.Fill(result.Drop, DropReason.SwitchedOff);
            return;
        }

        // 2. Each offer through the gates; 3. those left by priority.
        var candidates = 0;
        for (var offer = 0; offer < _offers.Length; offer++)
        {
            var drop = switches.IsOff(offer) ? DropReason.SwitchedOff : Gates(offer, context, request.DecidedAt, profile, result);
            if (drop == DropReason.None)
            {
                Price(offer, context, scorer, row, switches, result);
                if (double.IsFinite(result.Priority[offer])) Enter(offer, candidates++, result.Priority);
                else drop = DropReason.BadPriority;
            }
            result.Drop[offer] = drop;
        }
        for (var place = 0; place < candidates; place++)
        {
            result.Rank[_ranking[place]] = place + 1;
            result.Drop[_ranking[place]] = DropReason.LostArbitration;
        }

        // 4. The best, or the default offer for an unknown customer and where nothing is left.
        var best = candidates > 0 ? _ranking[0] : -1;
        if ((best < 0 || request.ColdStart) && DefaultIsPossible(result))
        {
            var standIn = _policy.DefaultOffer;
            if (result.Source[standIn] == PropensitySource.None) Price(standIn, context, scorer, row, switches, result);
            // A priority that is no finite number is no reason to show anything, of the default offer either.
            result.IsDefault = double.IsFinite(result.Priority[standIn]);
            if (result.IsDefault) best = standIn;
            else result.Drop[standIn] = DropReason.BadPriority;
        }

        // 5. The holdout goes through everything before, so that those who would have been served can be compared.
        if (best >= 0)
        {
            var held = _policy.HoldoutShare > 0
                && BucketHash.Bucket(_policy.HoldoutSalt.AsSpan(), request.CustomerId) < _policy.HoldoutShare;
            result.Outcome = held ? Outcome.Holdout : Outcome.Served;
            result.Drop[best] = held ? DropReason.Holdout : DropReason.None;
            if (!held) result.Chosen = best;
        }
    }

    private DropReason Gates(int offer, EvalContext context, long now, ReadOnlySpan<byte> profile, Decision result)
    {
        var o = _offers[offer];
        if (!InPlacement(o.Placements, result.Placement)) return DropReason.Placement;
        if (o.Eligible is { } eligible && !eligible(context)) return DropReason.NotEligible;
        // Caps stand behind the rules, but the default offer may be taken against two of the rules, never against a cap.
        var capped = _policy.NeedsProfile && _policy.Caps.Reached(profile, offer, now, out result.Cap[offer]);
        if (o.Applicable is { } applicable && !applicable(context)) return DropReason.NotApplicable;
        if (o.Suitable is { } suitable && !suitable(context)) return DropReason.NotSuitable;
        return !capped ? DropReason.None : _policy.Caps.Scope(result.Cap[offer]) == CapScope.Customer ? DropReason.CustomerCap
            : DropReason.OfferCap;
    }

    private static bool InPlacement(ImmutableArray<ImmutableArray<byte>> allowed, ReadOnlySpan<byte> placement)
    {
        foreach (var one in allowed)
            if (placement.SequenceEqual(one.AsSpan())) return true;
        return allowed.Length == 0;
    }

    /// <summary>P x C x V x L.</summary>
    private void Price(int offer, EvalContext context, Scorer scorer, int row, Switches switches, Decision result)
    {
        var o = _offers[offer];
        result.P[offer] = Propensity(o, scorer, row, switches, out result.Source[offer], out result.Fault[offer]);
        result.C[offer] = o.Context is { } weight ? weight(context) : 1;
        result.V[offer] = o.Value is { } value ? value(context) : 1;
        var levers = 1.0;
        foreach (var lever in o.Levers) levers += lever(context);
        result.L[offer] = levers;
        result.Priority[offer] = result.P[offer] * result.C[offer] * result.V[offer] * levers;
    }

    private static double Propensity(CompiledOffer offer, Scorer scorer, int row, Switches switches, out PropensitySource source,
        out ScoreFault fault)
    {
        (source, fault) = (PropensitySource.Fixed, ScoreFault.None);
        if (offer.Model < 0) return offer.DefaultPropensity;
        // A model that is off is not run, so it has no scores.
        fault = switches.IsModelOff(offer.Model) ? ScoreFault.SwitchedOff : scorer.Fault(offer.Model, row);
        if (fault == ScoreFault.None)
        {
            var p = scorer.Outputs(offer.Model, row)[offer.Output];
            source = PropensitySource.Model;
            if (p is >= 0 and <= 1) return p;
            if (p is > -Rounding and < 1 + Rounding) return p < 0.5f ? 0 : 1;
            fault = ScoreFault.OutOfRange;
        }
        source = PropensitySource.Fallback;
        return offer.DefaultPropensity;
    }

    /// <summary>Sorts a candidate into the ranking: higher priority first, ties by name.</summary>
    private void Enter(int offer, int count, double[] priority)
    {
        var (low, high) = (0, count);
        while (low < high)
        {
            var middle = (low + high) >> 1;
            if (Before(offer, _ranking[middle], priority)) high = middle;
            else low = middle + 1;
        }
        _ranking.AsSpan(low, count - low).CopyTo(_ranking.AsSpan(low + 1));
        _ranking[low] = offer;
    }

    private bool Before(int a, int b, double[] priority) => priority[a] != priority[b] ? priority[a] > priority[b]
        : _nameOrder[a] < _nameOrder[b];

    /// <summary>
    /// The default offer must be switched on, allowed in the placement, eligible and below its caps; whether it applies and suits does not
    /// matter.
    /// </summary>
    private bool DefaultIsPossible(Decision result)
    {
        if (_policy.DefaultOffer < 0) return false;
        var drop = result.Drop[_policy.DefaultOffer];
        return drop is not (DropReason.SwitchedOff or DropReason.Placement or DropReason.NotEligible)
            && (!_policy.NeedsProfile || result.Cap[_policy.DefaultOffer] < 0);
    }
}
