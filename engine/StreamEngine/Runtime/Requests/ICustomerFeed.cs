using StreamEngine.Decisions;

namespace StreamEngine.Runtime.Requests;

/// <summary>
/// What happens to single customers, for whoever shows it live: a page, a customer's actor. It tells what is committed, in its order, of
/// customers whose shard is in this process; customers that nobody watches cost nothing.
/// </summary>
public interface ICustomerFeed
{
    /// <summary>Watches a customer from now on.</summary>
    /// <param name="customer">The customer id, as events have it.</param>
    /// <param name="told">
    /// Called for each update behind the commit that holds it, on a thread of the engine's: it must return at once.
    /// </param>
    /// <returns>Ends the watch when disposed.</returns>
    IDisposable Watch(string customer, Action<CustomerUpdate> told);
}

/// <summary>Something that was committed about a customer: a decision, a change of features, or both.</summary>
public sealed record CustomerUpdate
{
    /// <summary>The customer id.</summary>
    public required string Customer { get; init; }

    /// <summary>The event time of what caused it.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The decision that was made; null where only features changed.</summary>
    public CustomerDecision? Decision { get; init; }

    /// <summary>The features whose values are not those that were told before, by name; all of them in the first update.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> Features { get; init; } = [];

    /// <summary>The features that are texts and changed, in the same way.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Texts { get; init; } = [];

    /// <summary>
    /// Whether <see cref="Features"/> has all of them, as a watch begins, or begins again after the customer's shard has moved: what was
    /// committed between two watches was not told.
    /// </summary>
    public bool IsComplete { get; init; }
}

/// <summary>A decision as a watcher sees it.</summary>
/// <param name="DecisionId">Its id.</param>
/// <param name="Origin">What opened it.</param>
/// <param name="Placement">Where the offer is shown.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Offers">The chosen offer; none where nothing is to be shown.</param>
public sealed record CustomerDecision(string DecisionId, DecisionOrigin Origin, string Placement, Outcome Outcome,
    IReadOnlyList<OfferedOffer> Offers);
