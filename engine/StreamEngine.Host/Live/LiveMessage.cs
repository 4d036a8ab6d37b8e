using System.Text.Json;
using System.Text.Json.Serialization;
using StreamEngine.Configuration;
using StreamEngine.Host.Http;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Host.Live;

/// <summary>An event of a stream.</summary>
/// <param name="Type">ready, decision, features, missed, or end.</param>
/// <param name="Id">What a client resumes behind; null where the event changes nothing in that.</param>
/// <param name="Data">Its contents, as they are written.</param>
internal sealed record LiveMessage(string Type, string? Id, object Data)
{
    /// <summary>The id that stands for a customer without decisions; it asks for all that are kept.</summary>
    public const string NoDecision = "-";

    private static readonly JsonSerializerOptions Json = new(CustomerEndpoints.Json)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>The stream has begun: what is committed from now on is told, and what was behind the id.</summary>
    public static LiveMessage Ready(string customer, string? id) => new("ready", id, new { Customer = customer });

    /// <summary>A decision as it was committed.</summary>
    public static LiveMessage Decision(CustomerUpdate update, CustomerDecision decision) => new("decision", decision.DecisionId, new
    {
        decision.DecisionId,
        DecidedAt = CustomerEndpoints.Text(update.At),
        Origin = Spelling.Snake(decision.Origin.ToString()),
        decision.Placement,
        Outcome = Spelling.Snake(decision.Outcome.ToString()),
        decision.Offers,
        Again = false,
    });

    /// <summary>A decision that may have been told before, as the profile keeps it: without placement and treatment.</summary>
    public static LiveMessage Again(ProfileDecision decision) => new("decision", decision.DecisionId, new
    {
        decision.DecisionId,
        DecidedAt = CustomerEndpoints.Text(decision.DecidedAt),
        Origin = decision.ByRequest ? "request" : null,
        Outcome = Spelling.Snake(decision.Outcome.ToString()),
        Offers = decision.Offer.Length == 0 ? Array.Empty<object>() : [new { decision.Offer }],
        Again = true,
    });

    /// <summary>The features that changed, or all; the texts among them by themselves, where there are any.</summary>
    public static LiveMessage Features(LiveBatch batch) => new("features", null, new
    {
        At = CustomerEndpoints.Text(batch.At),
        All = batch.IsComplete,
        Features = new Dictionary<string, double>(batch.Features),
        Texts = batch.Texts.Count == 0 ? null : new Dictionary<string, string>(batch.Texts),
    });

    /// <summary>Decisions may be missing between the one that was told last and the next.</summary>
    /// <param name="reason"><c>forgotten</c> where the profile does not keep that long, <c>slow</c> where the listener did not read, or
    /// the status of the read that should have told.</param>
    /// <param name="after">The last one that was told.</param>
    public static LiveMessage Missed(string reason, string? after) => new("missed", null, new { Reason = reason, After = after });

    /// <summary>The stream ends.</summary>
    public static LiveMessage Ends(LiveEnd end) => new("end", null, new { Reason = Spelling.Snake(end.ToString()) });

    /// <summary>The contents as JSON, in one line.</summary>
    public byte[] DataBytes() => JsonSerializer.SerializeToUtf8Bytes(Data, Json);

    /// <summary>All of it as one JSON object.</summary>
    public byte[] Bytes() => JsonSerializer.SerializeToUtf8Bytes(new { Type, Id, Data }, Json);
}
