using StreamEngine.Configuration;
using StreamEngine.Decisions.Outcomes;

namespace StreamEngine.Decisions;

/// <summary>What a contact limit counts together.</summary>
public enum LimitScope
{
    /// <summary>Everything of the customer.</summary>
    Customer,

    /// <summary>Each offer by itself.</summary>
    Offer,

    /// <summary>The offers of each channel together.</summary>
    Channel,

    /// <summary>The offers of each group together; offers without a group are not limited.</summary>
    Group,
}

/// <summary>The offers that a contact limit is about, and what it counts of them.</summary>
public interface IContactLimit : ILocated
{
    /// <summary>The limit's name, in drop reasons.</summary>
    string Name { get; }

    /// <summary>What it counts together.</summary>
    LimitScope Per { get; }

    /// <summary>The outcome that it counts; null for what is shown.</summary>
    OutcomeKind? Outcome { get; }

    /// <summary>How many.</summary>
    int Count { get; }

    /// <summary>Within how much event time.</summary>
    TimeSpan Window { get; }

    /// <summary>Only these offers; all where empty.</summary>
    IReadOnlyList<string> Offers { get; }

    /// <summary>Only offers of these channels; all where empty.</summary>
    IReadOnlyList<string> Channels { get; }

    /// <summary>Only offers of these groups; all where empty.</summary>
    IReadOnlyList<string> Groups { get; }
}

/// <summary>At most <c>max</c> within <c>window</c>.</summary>
public sealed record CapOptions : IContactLimit
{
    /// <inheritdoc/>
    public string Name { get; init; } = "";

    [Doc("What is counted together: customer, or each offer, channel or group by itself.")]
    public LimitScope Per { get; init; } = LimitScope.Customer;

    [Doc("The outcome that is counted (impression, click, conversion, refund or reject); what is shown where absent.")]
    public OutcomeKind? Outcome { get; init; }

    [Doc("How many.")]
    [Bounds(1, 1_000)]
    public int Max { get; init; } = 1;

    [Doc("Within how much event time.")]
    public TimeSpan Window { get; init; } = TimeSpan.FromDays(1);

    [Doc("The offers that the cap is about; all where absent.")]
    public IReadOnlyList<string> Offers { get; init; } = [];

    [Doc("The channels whose offers it is about; all where absent.")]
    public IReadOnlyList<string> Channels { get; init; } = [];

    [Doc("The groups whose offers it is about; all where absent.")]
    public IReadOnlyList<string> Groups { get; init; } = [];

    int IContactLimit.Count => Max;

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>Rest <c>for</c> a time after so many outcomes: three rejects within 30 days, and 14 days off.</summary>
public sealed record SuppressionOptions : IContactLimit
{
    /// <inheritdoc/>
    public string Name { get; init; } = "";

    [Doc("What is counted and left off together: customer, or each offer, channel or group by itself.")]
    public LimitScope Per { get; init; } = LimitScope.Offer;

    [Doc("The outcome that is counted (impression, click, conversion, refund or reject); what is shown where absent.")]
    public OutcomeKind? Outcome { get; init; }

    [Doc("After how many of them.")]
    [Bounds(1, 1_000)]
    public int After { get; init; } = 1;

    [Doc("Within how much event time they must come.")]
    public TimeSpan Window { get; init; } = TimeSpan.FromDays(30);

    [Doc("How long nothing is shown then, in event time since the last of them.")]
    public TimeSpan For { get; init; } = TimeSpan.FromDays(14);

    [Doc("The offers that it is about; all where absent.")]
    public IReadOnlyList<string> Offers { get; init; } = [];

    [Doc("The channels whose offers it is about; all where absent.")]
    public IReadOnlyList<string> Channels { get; init; } = [];

    [Doc("The groups whose offers it is about; all where absent.")]
    public IReadOnlyList<string> Groups { get; init; } = [];

    int IContactLimit.Count => After;

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
