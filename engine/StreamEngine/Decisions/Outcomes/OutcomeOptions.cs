using StreamEngine.Configuration;

namespace StreamEngine.Decisions.Outcomes;

/// <summary>What an event says of a decision. The names, in snake case, are the record's symbols and the metric's labels.</summary>
public enum OutcomeKind : byte
{
    /// <summary>Nothing: the record that closes a decision.</summary>
    None,

    /// <summary>The customer saw what was shown.</summary>
    Impression,

    /// <summary>The customer clicked on it.</summary>
    Click,

    /// <summary>The customer did what the offer is for.</summary>
    Conversion,

    /// <summary>A conversion was taken back.</summary>
    Refund,

    /// <summary>The customer did not want it.</summary>
    Reject,
}

/// <summary>What becomes of an outcome event that names no decision.</summary>
public enum WithoutDecision
{
    /// <summary>It belongs to no decision.</summary>
    Ignore,

    /// <summary>It belongs to the customer's last decision of its offer and placement, if that is within the window.</summary>
    LastDecision,
}

/// <summary>Events that say what became of decisions.</summary>
public sealed record OutcomeOptions : ILocated
{
    [Doc("The events that are outcomes; of several that match an event the first one counts.")]
    [Keyed]
    public IReadOnlyList<OutcomeEventOptions> Events { get; init; } = [];

    [Doc("For how long after a decision an outcome counts, in event time.")]
    public OutcomeWindowOptions Windows { get; init; } = new();

    [Doc("How many decisions of a customer are kept open; the oldest is closed where a further one is shown.")]
    [Bounds(1, 256)]
    public int MaxOpen { get; init; } = 16;

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>Attribution windows, by kind of outcome.</summary>
public sealed record OutcomeWindowOptions : ILocated
{
    private static readonly TimeSpan Usual = TimeSpan.FromDays(7);

    [Doc("That of impressions.")]
    public TimeSpan Impression { get; init; } = Usual;

    [Doc("That of clicks.")]
    public TimeSpan Click { get; init; } = Usual;

    [Doc("That of conversions.")]
    public TimeSpan Conversion { get; init; } = Usual;

    [Doc("That of refunds.")]
    public TimeSpan Refund { get; init; } = Usual;

    [Doc("That of rejects.")]
    public TimeSpan Reject { get; init; } = Usual;

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;

    /// <summary>The windows in the order of <see cref="OutcomeKind"/>, each with its key in the config.</summary>
    internal IReadOnlyList<(string Key, TimeSpan Window)> All =>
    [
        ("", TimeSpan.Zero), ("impression", Impression), ("click", Click), ("conversion", Conversion), ("refund", Refund),
        ("reject", Reject),
    ];
}

/// <summary>Events of one outcome.</summary>
public sealed record OutcomeEventOptions : ILocated
{
    /// <summary>The name.</summary>
    public string Name { get; init; } = "";

    [Doc("What they say of the decision: impression, click, conversion, refund or reject.")]
    public OutcomeKind Kind { get; init; }

    [Doc("Which events they are, an expression over event and consent.")]
    public ExprText When { get; init; } = "";

    [Doc("The decision's id (the action_id of what was shown), an expression of type string; '' where an event names none.")]
    public ExprText Decision { get; init; } = "''";

    [Doc("What it is worth, an expression of type double: the value of a conversion or a refund.")]
    public ExprText Value { get; init; } = "0.0";

    [Doc("What becomes of an event that names no decision: ignore, or last_decision, the customer's last one of the offer and placement.")]
    public WithoutDecision WithoutDecision { get; init; } = WithoutDecision.Ignore;

    [Doc("For last_decision: the offer that the event is about, an expression of type string; '' for any.")]
    public ExprText Offer { get; init; } = "''";

    [Doc("For last_decision: the placement that the event is about, an expression of type string; '' for any.")]
    public ExprText Placement { get; init; } = "''";

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
