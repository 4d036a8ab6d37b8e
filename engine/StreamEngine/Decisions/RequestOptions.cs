using StreamEngine.Configuration;

namespace StreamEngine.Decisions;

/// <summary>When a request's reply is released.</summary>
public enum ReplyWhen
{
    /// <summary>After the commit that holds the decision: what was shown is on record, whatever dies.</summary>
    Committed,

    /// <summary>At once, while ownership was confirmed a short time ago; the decision is committed with its interval.</summary>
    Decided,
}

/// <summary>Decisions and profiles that are asked for, beside those that events and timers cause.</summary>
public sealed record RequestOptions : ILocated
{
    [Doc("Whether decisions and profiles can be asked for: POST /v1/decisions and GET /v1/customers/ID.")]
    public bool Enabled { get; init; }

    [Doc("committed: a reply is released after its commit, which it brings forward. decided: at once, while the last commit is young; a "
        + "crash may then forget what was shown.")]
    public ReplyWhen Reply { get; init; } = ReplyWhen.Committed;

    [Doc("The most requests that wait for a shard; a further one is answered with busy.")]
    [Bounds(1, 1_000_000)]
    public int Inbox { get; init; } = 1_024;

    [Doc("The most requests that a turn of the loop serves, so that events are not held up.")]
    [Bounds(1, 100_000)]
    public int MaxPerTurn { get; init; } = 256;

    [Doc("How many decisions of a customer that requests asked for are kept, for requests that are repeated.")]
    [Bounds(1, 64)]
    public int Remember { get; init; } = 4;

    [Doc("How many decisions of a customer that events and timers caused are kept, to be shown with the profile. 0 keeps none and spares "
        + "each of them the writing, which jobs without limits and outcomes have no other need of.")]
    [Bounds(0, 64)]
    public int Recent { get; init; } = 4;

    [Doc("The most offers that a request may ask for: the chosen one, then the next best.")]
    [Bounds(1, 16)]
    public int MaxOffers { get; init; } = 3;

    [Doc("What is shown where no decision can be had in time: by placement, an offer that may be shown to anybody; '*' is every other "
        + "placement. Nothing of the customer is looked at for it, and it is not recorded. Without one such a request is answered with its "
        + "fault.")]
    public IReadOnlyDictionary<string, string> Fallbacks { get; init; } = new Dictionary<string, string>();

    [Doc("How long a request is tried before it is answered with timed_out.")]
    [Bounds(0.001, 60)]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
