using System.Text.Json;
using StreamEngine.Events;

namespace StreamEngine.Host.Ofrep;

/// <summary>Who a flag is evaluated for.</summary>
/// <param name="Customer">The customer id, <c>targetingKey</c>.</param>
/// <param name="RequestId">What makes evaluations the same decision, where the application says it; null for the config's time.</param>
/// <param name="Fields">Values of declared event fields.</param>
internal sealed record OfrepContext(string Customer, string? RequestId, IReadOnlyDictionary<string, object?> Fields)
{
    private const string TargetingKey = "targetingKey", Request = "request_id";

    /// <summary>
    /// Reads a body. An application's context goes to all its providers, so what is no event field here is passed over; what is one has to
    /// be a single value.
    /// </summary>
    /// <param name="body">The body.</param>
    /// <param name="fields">The declared event fields.</param>
    /// <param name="failure">What is at fault, where it can't be read.</param>
    public static OfrepContext? Read(JsonElement body, FieldCatalog fields, out OfrepFailure? failure)
    {
        failure = null;
        if (body.ValueKind != JsonValueKind.Object)
            return Fail(out failure, "PARSE_ERROR", "The body is no JSON object: send {\"context\":{\"targetingKey\":\"CUSTOMER\"}}.");
        if (!body.TryGetProperty("context", out var context) || context.ValueKind == JsonValueKind.Null)
            return Fail(out failure, "TARGETING_KEY_MISSING", "There is no context: its targetingKey is the customer id.");
        if (context.ValueKind != JsonValueKind.Object)
            return Fail(out failure, "INVALID_CONTEXT", "The context is no JSON object.");
        if (!context.TryGetProperty(TargetingKey, out var key) || key.ValueKind == JsonValueKind.Null
            || key.ValueKind == JsonValueKind.String && key.GetString()!.Length == 0)
            return Fail(out failure, "TARGETING_KEY_MISSING", "The context has no targetingKey, which is the customer id.");
        if (key.ValueKind != JsonValueKind.String)
            return Fail(out failure, "INVALID_CONTEXT", "targetingKey is no text: it is the customer id.");
        string? id = null;
        if (context.TryGetProperty(Request, out var request) && request.ValueKind != JsonValueKind.Null)
            if (request.ValueKind == JsonValueKind.String && request.GetString()!.Length > 0) id = request.GetString();
            else return Fail(out failure, "INVALID_CONTEXT", $"{Request} is no text.");
        var values = new Dictionary<string, object?>();
        foreach (var property in context.EnumerateObject())
        {
            if (fields.Find(property.Name) is null) continue;
            switch (property.Value.ValueKind)
            {
                case JsonValueKind.String:
                    values[property.Name] = property.Value.GetString();
                    break;
                case JsonValueKind.True or JsonValueKind.False:
                    values[property.Name] = property.Value.GetBoolean();
                    break;
                case JsonValueKind.Number:
                    values[property.Name] = property.Value.TryGetInt64(out var whole) ? whole : property.Value.GetDouble();
                    break;
                case JsonValueKind.Null:
                    break;
                default:
                    return Fail(out failure, "INVALID_CONTEXT",
                        $"context.{property.Name} is an event field here, and a list or an object is no field's value.");
            }
        }
        return new OfrepContext(key.GetString()!, id, values);
    }

    private static OfrepContext? Fail(out OfrepFailure? failure, string code, string details)
    {
        failure = new OfrepFailure(code, details);
        return null;
    }
}
