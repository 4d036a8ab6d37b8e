using System.ComponentModel;
using System.Text.Json.Serialization;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Host.Http;

/// <summary>The answer to a request for a decision: the decision, or the config's stand-in.</summary>
/// <param name="RequestId">The request's id.</param>
/// <param name="Offers">The chosen offer, then the next best.</param>
internal sealed record DecisionAnswer(
    [property: Description("The request's id: ask again with it to get the same decision.")] string RequestId,
    [property: Description("The chosen offer, then the next best; empty where nothing is to be shown.")] IReadOnlyList<OfferedOffer> Offers)
{
    [Description("The decision's id, as its record has it.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? DecisionId { get; init; }

    [Description("How the decision ended: served, holdout, no_offer, no_consent, ...")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Outcome { get; init; }

    [Description("The event time at which it was evaluated (ISO 8601, UTC).")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? DecidedAt { get; init; }

    [Description("Whether the request had been decided before: this is that decision.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? Repeated { get; init; }

    [Description("True where the offer is the config's stand-in (requests.fallbacks); absent elsewhere.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? Fallback { get; init; }

    [Description("Why there is only a stand-in: busy, moved, restoring or timed_out.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Status { get; init; }

    [Description("The same in a sentence.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Message { get; init; }
}

/// <summary>What is known of a customer.</summary>
internal sealed record CustomerAnswer
{
    [Description("The customer id.")]
    public required string Customer { get; init; }

    [Description("Whether there is a profile; without one the features are those of a stranger.")]
    public required bool Found { get; init; }

    [Description("As of when the features are.")]
    public required string At { get; init; }

    [Description("When the customer's newest event was; null before the first.")]
    public required string? NewestEvent { get; init; }

    [Description("The features by name.")]
    public required IReadOnlyDictionary<string, double> Features { get; init; }

    [Description("The features that are texts by name; empty where nothing is known.")]
    public required IReadOnlyDictionary<string, string> Texts { get; init; }

    [Description("The purposes that the customer's newest word consents to.")]
    public required IReadOnlyList<string> Consents { get; init; }

    [Description("How much of each cap and suppression is used.")]
    public required IReadOnlyList<CapUse> Caps { get; init; }

    [Description("The timers that wait, with the time at which each is due.")]
    public required IReadOnlyDictionary<string, string> Timers { get; init; }

    [Description("The newest decisions, the newest first.")]
    public required IReadOnlyList<KeptDecisionAnswer> Decisions { get; init; }
}

/// <summary>A decision as the profile keeps it.</summary>
/// <param name="DecisionId">Its id.</param>
/// <param name="DecidedAt">The event time at which it was evaluated.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Offer">The chosen offer; empty where none was.</param>
/// <param name="ByRequest">Whether a request asked for it.</param>
internal sealed record KeptDecisionAnswer(string DecisionId, string DecidedAt, string Outcome, string Offer, bool ByRequest);
