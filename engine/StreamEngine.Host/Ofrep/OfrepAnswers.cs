using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace StreamEngine.Host.Ofrep;

/// <summary>The body of an evaluation.</summary>
internal sealed record OfrepBody(
    [property: Description("Who is evaluated for: targetingKey is the customer id; declared event fields are the decision's context, other "
        + "properties are ignored. With request_id, evaluations with the same one get the same decision.")]
    [property: JsonPropertyName("context")] IReadOnlyDictionary<string, JsonElement>? Context);

/// <summary>A flag that was evaluated; or one that was not, where it has an error code.</summary>
internal sealed record OfrepFlag
{
    [Description("The flag: a placement or an experiment.")]
    [JsonPropertyName("key")]
    public required string Key { get; init; }

    [Description("The chosen offer, or the variation; absent where the caller's own default applies.")]
    [JsonPropertyName("value")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Value { get; init; }

    [Description("TARGETING_MATCH: decided; SPLIT: by an experiment or the holdout; DEFAULT: the default offer, a stand-in, or nothing to "
        + "show; DISABLED: switched off, or without consent.")]
    [JsonPropertyName("reason")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Reason { get; init; }

    [Description("The same as the value; holdout for a customer in the holdout.")]
    [JsonPropertyName("variant")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Variant { get; init; }

    [Description("decision_id, outcome, treatment, channel, is_default of a decision; fallback and status of a stand-in.")]
    [JsonPropertyName("metadata")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, object>? Metadata { get; init; }

    [Description("FLAG_NOT_FOUND, TARGETING_KEY_MISSING, INVALID_CONTEXT, PARSE_ERROR, GENERAL; absent where it was evaluated.")]
    [JsonPropertyName("errorCode")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ErrorCode { get; init; }

    [Description("What is at fault, and what to do.")]
    [JsonPropertyName("errorDetails")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ErrorDetails { get; init; }

    /// <summary>A flag that was not evaluated.</summary>
    public static OfrepFlag Failed(string key, string code, string details) =>
        new() { Key = key, ErrorCode = code, ErrorDetails = details };
}

/// <summary>All flags of a customer.</summary>
/// <param name="Flags">The flags, those that could not be evaluated too.</param>
internal sealed record OfrepFlags([property: JsonPropertyName("flags")] IReadOnlyList<OfrepFlag> Flags);

/// <summary>Why no flag at all was evaluated.</summary>
/// <param name="ErrorCode">TARGETING_KEY_MISSING, INVALID_CONTEXT, PARSE_ERROR.</param>
/// <param name="ErrorDetails">What is at fault, and what to do.</param>
internal sealed record OfrepFailure([property: JsonPropertyName("errorCode")] string ErrorCode,
    [property: JsonPropertyName("errorDetails")] string ErrorDetails);
