using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEngine.Host.Configuration;

namespace StreamEngine.Host.Collector;

/// <summary>The events that were made of a request's calls.</summary>
/// <param name="Bytes">What holds them.</param>
/// <param name="Places">Where each stands, in the order of the calls; nowhere where a call has a fault.</param>
/// <param name="Faults">What is wrong with calls of which no event could be made, by their places in the request.</param>
internal sealed record SegmentEvents(ArraySegment<byte> Bytes, IReadOnlyList<Range> Places, IReadOnlyDictionary<int, string> Faults);

/// <summary>
/// Makes events of Segment's calls, as its servers do: <c>type</c> is the address's, a batch's own <c>context</c> and <c>integrations</c>
/// hold for its calls, <c>messageId</c> is made where there is none, <c>receivedAt</c> is our clock, and <c>timestamp</c> is mended by the
/// difference of the clocks: receivedAt - (sentAt - originalTimestamp). A call that is at fault holds up no other.
/// </summary>
internal static class SegmentCall
{
    private const string HalfText = "it has a text that is none: half a character, or bytes that are not UTF-8";

    /// <summary>The events; null, with what is wrong, where the body as a whole can't be read.</summary>
    /// <param name="body">The request's body.</param>
    /// <param name="call">The call, by its address; null for a batch.</param>
    /// <param name="options">The limits.</param>
    /// <param name="now">When it arrived.</param>
    /// <param name="key">The key in the body; it goes no further.</param>
    /// <param name="fault">What is wrong.</param>
    public static SegmentEvents? Read(ReadOnlyMemory<byte> body, string? call, CollectorOptions options, DateTimeOffset now,
        out string key, out string fault)
    {
        key = fault = "";
        var faults = new Dictionary<int, string>();
        if (Parse(body, call is null, options.MaxDepth + 2, faults, ref key) is not { } root)
        {
            fault = $"The body is no JSON object, is nested deeper than {options.MaxDepth} levels, has a name twice, or a name with half a "
                + "character.";
            return null;
        }
        IList<JsonNode?> calls = call is not null ? [root] : root["batch"] as JsonArray ?? [];
        if (calls.Count == 0 || calls.Count > options.MaxEvents)
        {
            fault = $"The body has no 'batch' with 1 to {options.MaxEvents} calls.";
            return null;
        }
        using var bytes = new MemoryStream();
        var places = new List<Range>();
        var sent = Time(root["sentAt"]);
        foreach (var node in calls)
        {
            var begin = (int)bytes.Length;
            if (node is not JsonObject one) faults.TryAdd(places.Count, "it is no JSON object");
            else if (Make(one, call is null ? root : null, call, sent, now) is { } made) bytes.Write(made);
            else faults[places.Count] = HalfText;
            places.Add(begin..(int)bytes.Length);
        }
        return new SegmentEvents(new ArraySegment<byte>(bytes.GetBuffer(), 0, (int)bytes.Length), places, faults);
    }

    /// <summary>The event of a call; null where it has a text that is none.</summary>
    private static byte[]? Make(JsonObject one, JsonObject? batch, string? call, DateTimeOffset? sent, DateTimeOffset now)
    {
        try
        {
            if (call is not null) one["type"] = call;
            if (batch is not null)
            {
                TakeKey(one);
                Inherit(batch, one);
            }
            Stamp(one, sent ?? Time(one["sentAt"]), now);
            return JsonSerializer.SerializeToUtf8Bytes(one, JsonEdits.Written);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string TakeKey(JsonObject call)
    {
        var key = Text(call["writeKey"]) ?? "";
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
            call["timestamp"] = Text(sent is { } at ? Mended(now, at - happened) : happened);
        }
        else if (original is null) call["timestamp"] = Text(now); // what is there and is no time stays, and is told
        call["receivedAt"] = Text(now);
    }

    /// <summary>A moment before now; the first or the last one that there is where clocks are further apart than that.</summary>
    private static DateTimeOffset Mended(DateTimeOffset now, TimeSpan before) =>
        before > now - DateTimeOffset.MinValue ? DateTimeOffset.MinValue
        : before < now - DateTimeOffset.MaxValue ? DateTimeOffset.MaxValue
        : now - before;

    /// <summary>The body, and the key in it, which is taken out.</summary>
    private static JsonObject? Parse(ReadOnlyMemory<byte> body, bool isBatch, int depth, Dictionary<int, string> faults, ref string key)
    {
        var strict = new JsonDocumentOptions { MaxDepth = depth, AllowDuplicateProperties = false };
        try
        {
            var root = Node(body.Span, strict, out var fault) as JsonObject;
            if (fault.Length > 0 && isBatch) root = ParseCalls(body, strict, faults);
            if (root is not null) key = TakeKey(root);
            return root;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A batch that can't be read as a whole, call by call: those that are at fault are null in it.</summary>
    private static JsonObject? ParseCalls(ReadOnlyMemory<byte> body, JsonDocumentOptions strict, Dictionary<int, string> faults)
    {
        using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = strict.MaxDepth });
        if (document.RootElement.ValueKind != JsonValueKind.Object) return null;
        var root = new JsonObject();
        foreach (var property in document.RootElement.EnumerateObject())
        {
            if (root.ContainsKey(property.Name)) return null;
            if (property.Name != "batch" || property.Value.ValueKind != JsonValueKind.Array)
            {
                root[property.Name] = Node(JsonMarshal.GetRawUtf8Value(property.Value), strict, out var shared);
                if (shared.Length > 0) return null;
                continue;
            }
            var calls = new JsonArray();
            root[property.Name] = calls;
            foreach (var element in property.Value.EnumerateArray())
            {
                var call = Node(JsonMarshal.GetRawUtf8Value(element), strict, out var fault);
                if (fault.Length > 0) faults[calls.Count] = fault;
                calls.Add(call);
            }
        }
        return root;
    }

    /// <summary>What a JSON text says; null, with what is wrong, where it can't be read.</summary>
    private static JsonNode? Node(ReadOnlySpan<byte> json, JsonDocumentOptions strict, out string fault)
    {
        fault = "";
        try
        {
            return JsonNode.Parse(json, documentOptions: strict);
        }
        catch (JsonException)
        {
            fault = "it is no JSON, is nested too deep, or has a name twice";
        }
        catch (InvalidOperationException)
        {
            fault = HalfText;
        }
        return null;
    }

    private static DateTimeOffset? Time(JsonNode? node) =>
        DateTimeOffset.TryParse(Text(node), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    /// <summary>A text; null where it is none, or can't be one.</summary>
    private static string? Text(JsonNode? node)
    {
        try
        {
            return node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static string Text(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
