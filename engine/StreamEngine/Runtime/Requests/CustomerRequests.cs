using StreamEngine.Decisions;

namespace StreamEngine.Runtime.Requests;

/// <summary>How a request ended. The names, in snake case, are the API's words and the metric's labels.</summary>
public enum RequestStatus
{
    /// <summary>It was served.</summary>
    Done,

    /// <summary>The request itself is at fault: <see cref="Reply.Message"/> says in what. Asking again does not help.</summary>
    Invalid,

    /// <summary>Too many requests wait for the customer's shard. Nothing was decided; ask again a little later, with the same id.</summary>
    Busy,

    /// <summary>The customer's shard is not here, or went while the request waited. Ask its owner, with the same id.</summary>
    Moved,

    /// <summary>The customer's shard is being restored: <see cref="Reply.Progress"/> says how far. Ask again, with the same id.</summary>
    Restoring,

    /// <summary>
    /// Nothing was heard in time. A decision may have been made or may still be: asking again with the same id returns it.
    /// </summary>
    TimedOut,

    /// <summary>A decision was made for this request id so long ago that its contents are not kept any more.</summary>
    Forgotten,
}

/// <summary>Asks for a decision.</summary>
public sealed record DecideRequest
{
    /// <summary>The customer id, as events have it.</summary>
    public required string Customer { get; init; }

    /// <summary>The request's id: a repeat of it gets the same decision. Where it is empty the gateway makes one.</summary>
    public string Id { get; init; } = "";

    /// <summary>Where the offer will be shown.</summary>
    public string Placement { get; init; } = "";

    /// <summary>
    /// What is known of the moment, by the names of declared event fields, as rules read it (<c>event.NAME</c>): text, numbers, booleans,
    /// points in time.
    /// </summary>
    public IReadOnlyDictionary<string, object?> Context { get; init; } = new Dictionary<string, object?>();

    /// <summary>The most offers wanted: the chosen one, which counts as shown, then the next best.</summary>
    public int Offers { get; init; } = 1;

    /// <summary>
    /// When it is asked; now where absent. Features are read as of this time, or of the customer's newest event where that is later.
    /// </summary>
    public DateTimeOffset? Time { get; init; }

    /// <summary>How long to try; the config's <c>requests.timeout</c> where absent.</summary>
    public TimeSpan? Timeout { get; init; }
}

/// <summary>Asks for what is known of a customer.</summary>
public sealed record ReadRequest
{
    /// <summary>The customer id, as events have it.</summary>
    public required string Customer { get; init; }

    /// <summary>As of when features are read; now where absent.</summary>
    public DateTimeOffset? Time { get; init; }

    /// <summary>How long to try; the config's <c>requests.timeout</c> where absent.</summary>
    public TimeSpan? Timeout { get; init; }
}

/// <summary>What every reply says.</summary>
public abstract record Reply
{
    /// <summary>How the request ended.</summary>
    public RequestStatus Status { get; init; }

    /// <summary>Why, in a sentence, where it was not served.</summary>
    public string Message { get; init; } = "";

    /// <summary>How far the shard's restore is, 0 to 1, where that is what the request waits for.</summary>
    public double Progress { get; init; }
}

/// <summary>A decision.</summary>
public sealed record DecideReply : Reply
{
    /// <summary>The request's id.</summary>
    public string RequestId { get; init; } = "";

    /// <summary>The decision's id, as its record has it.</summary>
    public string DecisionId { get; init; } = "";

    /// <summary>How the decision ended.</summary>
    public Outcome Outcome { get; init; }

    /// <summary>The event time at which it was evaluated.</summary>
    public DateTimeOffset DecidedAt { get; init; }

    /// <summary>The chosen offer, then the next best; empty where nothing is to be shown.</summary>
    public IReadOnlyList<OfferedOffer> Offers { get; init; } = [];

    /// <summary>Whether the request had been decided before: this is that decision.</summary>
    public bool Repeated { get; init; }

    /// <summary>
    /// Whether the offer is the config's stand-in for a decision that could not be had in time (<c>requests.fallbacks</c>);
    /// <see cref="Reply.Status"/> says why.
    /// </summary>
    public bool IsFallback { get; init; }
}

/// <summary>One offer of a decision.</summary>
/// <param name="Offer">Its name.</param>
/// <param name="Treatment">How it is presented.</param>
/// <param name="Channel">Where its actions go.</param>
/// <param name="IsDefault">Whether it is the default offer, taken instead of arbitration's best.</param>
public sealed record OfferedOffer(string Offer, string Treatment, string Channel, bool IsDefault);

/// <summary>What is known of a customer.</summary>
public sealed record ProfileReply : Reply
{
    /// <summary>Whether there is a profile; without one the features are those of a stranger.</summary>
    public bool Found { get; init; }

    /// <summary>As of when the features are.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>When the customer's newest event was; absent before the first.</summary>
    public DateTimeOffset? NewestEvent { get; init; }

    /// <summary>The features by name, in the order of the vector.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> Features { get; init; } = [];

    /// <summary>The features that are texts, by name; empty where nothing is known.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Texts { get; init; } = [];

    /// <summary>The purposes that the customer's newest word consents to.</summary>
    public IReadOnlyList<string> Consents { get; init; } = [];

    /// <summary>How much of each cap and suppression is used.</summary>
    public IReadOnlyList<CapUse> Caps { get; init; } = [];

    /// <summary>The timers that wait, with the time at which each is due.</summary>
    public IReadOnlyList<KeyValuePair<string, DateTimeOffset>> Timers { get; init; } = [];

    /// <summary>The newest decisions, the newest first.</summary>
    public IReadOnlyList<ProfileDecision> Decisions { get; init; } = [];
}

/// <summary>How much of a contact limit is used.</summary>
/// <param name="Cap">The cap's name, or the suppression's.</param>
/// <param name="Offer">The offer, channel or group that it counts; empty where it counts the customer's offers together.</param>
/// <param name="Used">How many count now: inside the window, or all while a suppression lasts.</param>
/// <param name="Max">At how many it forbids.</param>
public sealed record CapUse(string Cap, string Offer, int Used, int Max);

/// <summary>A decision as the profile keeps it.</summary>
/// <param name="DecisionId">Its id.</param>
/// <param name="DecidedAt">The event time at which it was evaluated.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Offer">The chosen offer; empty where none was, or the config has it no more.</param>
/// <param name="ByRequest">Whether a request asked for it, and not an event or a timer.</param>
public sealed record ProfileDecision(string DecisionId, DateTimeOffset DecidedAt, Outcome Outcome, string Offer, bool ByRequest);
