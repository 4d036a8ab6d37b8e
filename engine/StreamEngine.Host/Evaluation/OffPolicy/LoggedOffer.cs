using StreamEngine.Host.Evaluation.Experiments;

namespace StreamEngine.Host.Evaluation.OffPolicy;

/// <summary>The gates of the funnel that an offer meets, in their order.</summary>
internal enum Gate
{
    /// <summary>It was switched off, so that nothing else is known of it.</summary>
    Switch,

    /// <summary>The placement.</summary>
    Placement,

    /// <summary>The rule <c>eligible</c>.</summary>
    Eligible,

    /// <summary>The rule <c>applicable</c>.</summary>
    Applicable,

    /// <summary>The rule <c>suitable</c>.</summary>
    Suitable,

    /// <summary>Caps, suppressions, quiet hours and budgets.</summary>
    Limit,

    /// <summary>Experiments and the offer's own holdout.</summary>
    Experiment,

    /// <summary>Arbitration: it was priced.</summary>
    Arbitration,
}

/// <summary>What a decision's record says of an offer.</summary>
internal readonly struct LoggedOffer
{
    private readonly bool _maySkip;

    /// <summary>Reads a candidate of a record.</summary>
    /// <param name="candidate">The candidate.</param>
    /// <param name="isDefault">Whether it is the log's default offer, which may be priced though it does not apply or suit.</param>
    public LoggedOffer(LoggedRecord candidate, bool isDefault)
    {
        var drop = candidate.Text("drop");
        Reached = drop.Split(':')[0] switch
        {
            "switched_off" => Gate.Switch,
            "placement" => Gate.Placement,
            "not_eligible" => Gate.Eligible,
            "not_applicable" => Gate.Applicable,
            "not_suitable" => Gate.Suitable,
            "customer_cap" or "offer_cap" or "channel_cap" or "group_cap" or "suppressed" or "quiet_hours" or "budget" => Gate.Limit,
            "experiment" or "offer_holdout" => Gate.Experiment,
            _ => Gate.Arbitration,
        };
        IsBad = drop == "bad_priority";
        _maySkip = isDefault && Reached == Gate.Arbitration && candidate.Whole("rank") == 0 && (IsBad || drop.Length == 0);
        Source = candidate.Text("p_source");
        (P, C, V, L) = (candidate.Factor("p"), candidate.Factor("c"), candidate.Factor("v"), candidate.Factor("l"));
    }

    /// <summary>How far it came.</summary>
    public Gate Reached { get; }

    /// <summary>Whether it was priced at no finite number.</summary>
    public bool IsBad { get; }

    /// <summary>Where its P came from.</summary>
    public string Source { get; }

    /// <summary>Whether it was priced.</summary>
    public bool IsPriced => Source is not ("" or "none");

    /// <summary>Whether what the offer had earned stands as its P, and not what it promises itself.</summary>
    public bool IsLearned => Source == "learned";

    /// <summary>Whether V is the offer's own: what was learned of a value stands as V, and P is 1 then.</summary>
    public bool HasOwnValue => IsPriced && !(IsLearned && P == 1);

    /// <summary>Propensity.</summary>
    public double P { get; }

    /// <summary>Context.</summary>
    public double C { get; }

    /// <summary>Value.</summary>
    public double V { get; }

    /// <summary>Levers.</summary>
    public double L { get; }

    /// <summary>What a gate said; null where the record does not tell.</summary>
    public bool? Passed(Gate gate) => Reached == Gate.Switch || (_maySkip && gate is Gate.Applicable or Gate.Suitable) ? null
        : Reached > gate ? true : Reached == gate ? false : null;
}
