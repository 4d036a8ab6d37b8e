using StreamEngine.Configuration;
using StreamEngine.Decisions.Outcomes;

namespace StreamEngine.Decisions;

/// <summary>For how long a budget's amount is given.</summary>
public enum BudgetPeriod
{
    /// <summary>From midnight to midnight.</summary>
    Day,

    /// <summary>From Monday to Sunday.</summary>
    Week,

    /// <summary>From the first of the month to the last.</summary>
    Month,
}

/// <summary>How fast a budget may be spent within its period.</summary>
public enum Pacing
{
    /// <summary>As fast as there are customers: all of it from the beginning.</summary>
    Asap,

    /// <summary>In proportion to the time.</summary>
    Even,

    /// <summary>Twice as fast as evenly at the beginning, and ever slower: three quarters in the first half.</summary>
    FrontLoaded,
}

/// <summary>What a budget pays for.</summary>
public enum BudgetCharge
{
    /// <summary>Each offer that is shown.</summary>
    Served,

    /// <summary>An impression that joins the decision.</summary>
    Impression,

    /// <summary>A click that joins the decision.</summary>
    Click,

    /// <summary>A conversion that joins the decision.</summary>
    Conversion,
}

/// <summary>What offers may cost together.</summary>
public sealed record BudgetOptions : ILocated
{
    /// <summary>The budget's name, in drop reasons.</summary>
    public string Name { get; init; } = "";

    [Doc("What may be spent in a period, or in all where there is no period: in units of the currency, to the millionth.")]
    [Bounds(0, 9e9)]
    public double Amount { get; init; }

    [Doc("After which the amount is given again: day, week or month. Where absent it is given once.")]
    public BudgetPeriod? Period { get; init; }

    [Doc("From when on there is money; without it from ever.")]
    public DateTimeOffset? From { get; init; }

    [Doc("Until when there is money; without it for ever.")]
    public DateTimeOffset? To { get; init; }

    [Doc("The time zone in which days, weeks and months begin: a name of the IANA database, or an offset such as +05:30.")]
    public string TimeZone { get; init; } = "UTC";

    [Doc("How fast it may be spent: asap (all from the beginning), even (in proportion to the time), or front_loaded (three quarters in "
        + "the first half).")]
    public Pacing Pacing { get; init; } = Pacing.Asap;

    [Doc("The offers that it pays for; all where absent.")]
    public IReadOnlyList<string> Offers { get; init; } = [];

    [Doc("The channels whose offers it pays for; all where absent.")]
    public IReadOnlyList<string> Channels { get; init; } = [];

    [Doc("The groups whose offers it pays for; all where absent.")]
    public IReadOnlyList<string> Groups { get; init; } = [];

    [Doc("What an offer costs, an expression of type double over offer.*, such as offer.cost; 1 counts what is shown.")]
    public ExprText Cost { get; init; } = "1.0";

    [Doc("When it is charged: served (an offer is shown), or impression, click or conversion (one joins the decision).")]
    public BudgetCharge Charge { get; init; } = BudgetCharge.Served;

    /// <summary>The outcome that is charged; none where what is shown is.</summary>
    internal OutcomeKind Outcome => Charge switch
    {
        BudgetCharge.Impression => OutcomeKind.Impression,
        BudgetCharge.Click => OutcomeKind.Click,
        BudgetCharge.Conversion => OutcomeKind.Conversion,
        _ => OutcomeKind.None,
    };

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
