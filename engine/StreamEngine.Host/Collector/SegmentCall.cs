using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEngine.Host.Configuration;

namespace StreamEngine.Host.Collector;

/// <summary>
/// Makes events of Segment's calls, as its servers do: <c>type</c> is the address's, a batch's own <c>context</c> and <c>integrations</c>
/// hold for its calls, <c>messageId</c> is made where there is none, <c>receivedAt</c> is our clock, and <c>timestamp</c> is mended by the
/// difference of the clocks: receivedAt - (sentAt - originalTimestamp).
/// </summary>
internal static class SegmentCall
{
    /// <summary>The events and where each stands; null, with what is wrong, where the body can't be read.</summary>
    /// <param name="body">The request's body.</param>
    /// <param name="call">The call, by its address; null for a batch.</param>
    /// <param name="options">The limits.</param>
    /// <param name="now">When it arrived.</param>
    /// <param name="key">The key in the body; it goes no further.</param>
    /// <param name="fault">What is wrong.</param>
    public static (ArraySegment<byte> Bytes, List<Range> Places)? Read(ReadOnlyMemory<byte> body, string? call, CollectorOptions options,
        DateTimeOffset now, out string key, out string fault)
    {
        key = fault = "";
        if (Parse(body, options.MaxDepth + 2) is not { } root)
        {
            fault = $"The body is no JSON object, is nested deeper than {options.MaxDepth} levels, or has a name twice.";
            return null;
        }
        key = TakeKey(root);
        var calls = call is not null ? [root] : (root["batch"] as JsonArray)?.OfType<JsonObject>().ToList();
        if (calls is null or { Count: 0 } || calls.Count > options.MaxEvents)
        {
            fault = $"The body has no 'batch' with 1 to {options.MaxEvents} calls.";
            return null;
        }
        using var bytes = new MemoryStream();
        var places = new List<Range>();
        var sent = Time(root["sentAt"]);
        foreach (var one in calls)
        {
            if (call is not null) one["type"] = call;
            else
            {
                TakeKey(one);
                Inherit(root, one);
            }
            Stamp(one, sent ?? Time(one["sentAt"]), now);
            var begin = (int)bytes.Length;
            JsonSerializer.Serialize(bytes, one, JsonEdits.Written);
            places.Add(begin..(int)bytes.Length);
        }
        return (new ArraySegment<byte>(bytes.GetBuffer(), 0, (int)bytes.Length), places);
    }

    private static string TakeKey(JsonObject call)
    {
        var key = call["writeKey"] is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";
        call.Remove("writeKey");
        return key;
    }

    private static void Inherit(JsonObject batch, JsonObject call)
    {
        foreach (var name in new[] { "context", "integrations", "sentAt" })
            if (call[name] is null && batch[name] is { } common) call[name] = common.DeepClone();
    }

    private static void Stamp(JsonObject call, DateTimeOffset? sent, DateTimeOffset now)
    {
        if (call["messageId"] is not JsonValue id || id.ToString().Length == 0) call["messageId"] = $"made-{Guid.NewGuid()}";
        var original = call["originalTimestamp"] ?? call["timestamp"];
        if (Time(original) is { } happened)
        {
            if (call["originalTimestamp"] is null) call["originalTimestamp"] = original!.DeepClone();
            call["timestamp"] = Text(sent is { } at ? now - (at - happened) : happened);
        }
        else if (original is null) call["timestamp"] = Text(now); // what is there and is no time stays, and is told
        call["receivedAt"] = Text(now);
    }

    private static JsonObject? Parse(ReadOnlyMemory<byte> body, int depth)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = depth, AllowDuplicateProperties = false });
            return document.RootElement.ValueKind == JsonValueKind.Object ? JsonObject.Create(document.RootElement.Clone()) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static DateTimeOffset? Time(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text)
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    private static string Text(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
