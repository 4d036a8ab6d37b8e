using StreamEngine.Configuration;

namespace StreamEngine.Features;

/// <summary>What a feature computes over its window's events.</summary>
public enum FeatureOperator
{
    /// <summary>How many events.</summary>
    Count,

    /// <summary>The sum of <c>of</c>.</summary>
    Sum,

    /// <summary>The mean of <c>of</c>.</summary>
    Mean,

    /// <summary>The smallest <c>of</c>.</summary>
    Min,

    /// <summary>The largest <c>of</c>.</summary>
    Max,

    /// <summary><c>of</c> at the earliest event (ties by event id).</summary>
    First,

    /// <summary><c>of</c> at the latest event (ties by event id).</summary>
    Last,

    /// <summary>Time since the latest event, in <c>unit</c>.</summary>
    TimeSince,

    /// <summary>Session window only: time from the session's first event to its last, in <c>unit</c>.</summary>
    Duration,

    /// <summary>Recency, frequency, monetary and age at once: makes NAME_recency, NAME_frequency, NAME_monetary and NAME_age.</summary>
    Rfm,

    /// <summary>The mean spending of a purchase day after the first one, as the Gamma-Gamma model of Fader and Hardie takes it.</summary>
    RepeatMonetary,

    /// <summary>The sample variance of <c>of</c>.</summary>
    Variance,

    /// <summary>The sample standard deviation of <c>of</c>.</summary>
    Stddev,

    /// <summary>The events that match <c>where</c> (or their sum of <c>of</c>) over the events that match <c>per</c>, smoothed.</summary>
    Rate,

    /// <summary>The slope of the least-squares line through the window's complete panes, per <c>unit</c>.</summary>
    Trend,

    /// <summary>The sum of <c>of</c> (or the count) in which a value counts half as much after each <c>half_life</c>.</summary>
    DecayedSum,

    /// <summary>The mean of <c>of</c> in which a value weighs half as much after each <c>half_life</c>.</summary>
    DecayedMean,

    /// <summary>How many UTC days in a row, up to today or yesterday, have an event.</summary>
    Streak,

    /// <summary>How many different values of <c>of</c>, a text or a number: exact up to 64, an estimate beyond.</summary>
    Distinct,

    /// <summary>The value of <c>of</c> that a share of the events is at or below, to a relative error of 1 % or more.</summary>
    Quantile,

    /// <summary>
    /// The strongest texts of <c>of</c> with their weights: makes NAME_1 ... NAME_k, NAME_weight_1 ... NAME_weight_k and NAME_total.
    /// </summary>
    Top,
}

/// <summary>The unit of a feature that is a duration.</summary>
public enum TimeUnit
{
    /// <summary>Seconds.</summary>
    Seconds,

    /// <summary>Minutes.</summary>
    Minutes,

    /// <summary>Hours.</summary>
    Hours,

    /// <summary>Days of 86,400 seconds.</summary>
    Days,
}

/// <summary>The events that a feature looks at; exactly one kind is given, none means the whole life time.</summary>
public sealed record WindowOptions : ILocated
{
    [Doc("The last so much time, by panes of 'every': covers the pane of now and the size/every - 1 panes before.")]
    public TimeSpan? Sliding { get; init; }

    [Doc("Aligned windows of this size (days are UTC days); the feature is that of the window of now.")]
    public TimeSpan? Tumbling { get; init; }

    [Doc("Units of the calendar in the time zone 'zone': hour, day, week (from Monday) or month; the unit of now.")]
    public CalendarUnit? Calendar { get; init; }

    [Doc("How many units of the calendar: the one of now and those before; 1 where absent.")]
    [Bounds(1, FeatureChecks.MaxPanes)]
    public int? Last { get; init; }

    [Doc("The time zone of 'calendar', e.g. Europe/Berlin; UTC where absent.")]
    public string? Zone { get; init; }

    [Doc("The customer's open session: ends where the gap between events is larger than this.")]
    public TimeSpan? Session { get; init; }

    [Doc("The pane of a sliding window: the feature's edge is exact to this much. Must divide the size.")]
    public TimeSpan? Every { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>One feature: an operator over events in a window, or an expression over other features.</summary>
public sealed record FeatureOptions : ILocated
{
    /// <summary>The name in expressions (<c>features.NAME</c>), models and outputs.</summary>
    public string Name { get; init; } = "";

    [Doc("What is computed: count, sum, mean, min, max, first, last, time_since, duration, rfm, repeat_monetary, variance, stddev, rate, "
        + "trend, decayed_sum, decayed_mean, streak, distinct, quantile, top.")]
    public FeatureOperator? Op { get; init; }

    [Doc("The operand, an expression over the event, e.g. event.value.")]
    public ExprText? Of { get; init; }

    [Doc("A list of the event, e.g. event.products: the feature then takes each item in the place of the event, and 'of', 'where', 'per' "
        + "and 'weight' may name its fields as item.NAME.")]
    public ExprText? Over { get; init; }

    [Doc("Which events count, an expression over the event; all where absent.")]
    public ExprText? Where { get; init; }

    [Doc("The window; the whole life time where absent.")]
    public WindowOptions? Window { get; init; }

    [Doc("Digits after the point that are kept when values are added: sums are then exact in any order. Taken from the operand where that "
        + "is a decimal field.")]
    [Bounds(0, 9)]
    public int? Scale { get; init; }

    [Doc("The unit of time_since, duration and of rfm's recency and age; of a trend, the time that the change is per.")]
    public TimeUnit? Unit { get; init; }

    [Doc("time_since only: measure from the event before the current one.")]
    public bool Previous { get; init; }

    [Doc("rfm only: purchases of one UTC day count as one.")]
    public bool SameDayMerge { get; init; }

    [Doc("decayed_sum and decayed_mean: the time after which a value counts half as much.")]
    public TimeSpan? HalfLife { get; init; }

    [Doc("rate only: the events that it is per, an expression over the event, e.g. event.type == 'page_view'.")]
    public ExprText? Per { get; init; }

    [Doc("rate only: the rate that is expected before anything is known of the customer, e.g. that of all customers.")]
    public double? Prior { get; init; }

    [Doc("rate only: how many events of 'per' the prior is worth; the larger, the later a customer's own rate shows.")]
    public double? PriorWeight { get; init; }

    [Doc("quantile only: the share of events whose value is at or below, e.g. 0.5 for the median.")]
    [Bounds(0, 1)]
    public double? Quantile { get; init; }

    [Doc("top only: how many of the strongest texts are read, 1 to 16; 3 where absent.")]
    [Bounds(1, TopOperator.MostNames)]
    public int? K { get; init; }

    [Doc("top only: what an event weighs, an expression over the event, e.g. event.value; 1 where absent. Only weights above 0 count.")]
    public ExprText? Weight { get; init; }

    [Doc("top only: how many texts are told apart, 8, 16, 32 or 64; 16 where absent. Exact as long as there are no more of them.")]
    [Bounds(8, TopOperator.MostSlots)]
    public int? Slots { get; init; }

    [Doc("A derived feature: an expression over other features, e.g. features.revenue_24h / max(features.views_1h, 1.0).")]
    public ExprText? Expr { get; init; }

    [Doc("The value where nothing is known; .nan for a missing value, which a model that was trained with such reads as one.")]
    [MayBeMissing]
    public double Default { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>
/// An event-time timer of a customer: every event that matches <c>start</c> sets it anew, one that matches <c>cancel</c> stops it.
/// </summary>
public sealed record TimerOptions : ILocated
{
    /// <summary>The name that triggers refer to.</summary>
    public string Name { get; init; } = "";

    [Doc("Events that set the timer; 'true' with after: 30m is a session's end.")]
    public ExprText Start { get; init; } = "true";

    [Doc("Events that cancel it.")]
    public ExprText? Cancel { get; init; }

    [Doc("How long after the last start the timer fires, in event time by the partition's watermark.")]
    public TimeSpan After { get; init; } = TimeSpan.FromMinutes(30);

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
