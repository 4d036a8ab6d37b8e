using StreamEngine.Configuration;

namespace StreamEngine.Decisions;

/// <summary>What becomes of an offer whose channel is quiet.</summary>
public enum QuietHoursFate
{
    /// <summary>It is dropped, and nothing waits.</summary>
    Drop,

    /// <summary>It is dropped; where nothing else can be shown either, it is decided anew at the end of the quiet hours.</summary>
    Defer,
}

/// <summary>Hours of the day in which offers of some channels are not shown, by the customer's own clock.</summary>
public sealed record QuietHoursOptions : ILocated
{
    /// <summary>Their name, in drop reasons.</summary>
    public string Name { get; init; } = "";

    [Doc("When they begin, a time of day such as '21:00'.")]
    public string From { get; init; } = "";

    [Doc("When they end, e.g. '08:00', which is the next day's where it is before 'from'; '24:00' is the day's end.")]
    public string To { get; init; } = "";

    [Doc("The channels whose offers are not shown then; all where absent.")]
    public IReadOnlyList<string> Channels { get; init; } = [];

    [Doc("The days on which they begin, monday to sunday; every day where absent.")]
    public IReadOnlyList<DayOfWeek> Days { get; init; } = [];

    [Doc("The customer's time zone, an expression of type string over event and features, e.g. event.time_zone: a name such as "
        + "'Europe/Berlin' or an offset such as '+05:30'. Where absent, 'otherwise' is everybody's.")]
    public ExprText? TimeZone { get; init; }

    [Doc("The time zone where the expression gives none that is known.")]
    public string Otherwise { get; init; } = "UTC";

    [Doc("What becomes of an offer then: drop; or defer, so that a decision of an event or a timer that can show nothing is made anew at "
        + "their end.")]
    public QuietHoursFate Then { get; init; } = QuietHoursFate.Drop;

    [Doc("With 'then: defer', the longest that a decision waits; where they end later than that, it does not. However long where absent.")]
    public TimeSpan? MaxWait { get; init; }

    [Doc("With 'then: defer', the time after their end over which the decisions that wait are made anew, each customer's at a time of its "
        + "own, so that not all come at once; at most 6h, 0s for none.")]
    public TimeSpan Spread { get; init; } = TimeSpan.FromMinutes(10);

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
