using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEngine.Events;

namespace StreamEngine.Host.Collector;

/// <summary>
/// Changes JSON events on their way: hashes identifiers, and leaves nothing but what an event without consent may say. A name that stands
/// twice is refused: of two values one could slip through. Belongs to nobody; thread-safe.
/// </summary>
internal sealed class JsonEdits
{
    private readonly IReadOnlyList<string>[] _hashed, _kept;
    private readonly byte[] _secret;
    private readonly JsonDocumentOptions _options;

    /// <param name="source">The source, which says what an event without consent keeps.</param>
    /// <param name="hashed">Paths of identifiers.</param>
    /// <param name="secret">What they are hashed with.</param>
    /// <param name="depth">How deep an event may be nested.</param>
    public JsonEdits(EventSourceOptions source, IReadOnlyList<string> hashed, byte[] secret, int depth)
    {
        _hashed = [.. hashed.Select(RecordPart.Names)];
        _kept = [.. source.Reads().Where(r => r.Option is "customer" or "id" or "time" or "type" or "consent")
            .Select(r => RecordPart.Names(r.Path))];
        _secret = secret;
        _options = new JsonDocumentOptions { MaxDepth = depth, AllowDuplicateProperties = false };
    }

    /// <summary>How events are written: for a log, in which nothing is HTML.</summary>
    public static JsonSerializerOptions Written { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Whether every event has to be changed.</summary>
    public bool Hashes => _hashed.Length > 0;

    /// <summary>An event with its identifiers hashed; null where it is no object, or is no JSON as it is asked for.</summary>
    /// <param name="json">The event.</param>
    /// <param name="unhashed">The path of an identifier that is neither a text nor a number, and is not hashed; null where all are.</param>
    public byte[]? Hash(ReadOnlySpan<byte> json, out string? unhashed)
    {
        string? fault = null;
        var changed = Change(json, root =>
        {
            foreach (var path in _hashed)
                if (!IsHashed(root, path)) fault ??= string.Join('.', path);
            return root;
        });
        unhashed = fault;
        return changed;
    }

    /// <summary>What an event without consent may say; null where it can't be read.</summary>
    public byte[]? Reduce(ReadOnlySpan<byte> json) => Change(json, root =>
    {
        var less = new JsonObject();
        foreach (var path in _kept) Copy(root, less, path);
        return less;
    });

    /// <summary>An event with a text at its top, in the place of what it may have there; null where it can't be read.</summary>
    public byte[]? Set(ReadOnlySpan<byte> json, string name, string text) => Change(json, root =>
    {
        root[name] = text;
        return root;
    });

    private byte[]? Change(ReadOnlySpan<byte> json, Func<JsonObject, JsonObject> change)
    {
        try
        {
            using var document = JsonDocument.Parse(json.ToArray(), _options);
            return document.RootElement.ValueKind != JsonValueKind.Object ? null
                : JsonSerializer.SerializeToUtf8Bytes(change(JsonObject.Create(document.RootElement)!), Written);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // It is no JSON; or it has a text that is none, with half a pair of surrogates or bytes that are not UTF-8, which only reading
            // it tells.
            return null;
        }
    }

    /// <summary>Hashes an identifier where there is one; false where it is neither a text nor a number.</summary>
    private bool IsHashed(JsonObject root, IReadOnlyList<string> path)
    {
        JsonNode? node = root;
        for (var i = 0; i < path.Count - 1 && node is not null; i++) node = Below(node, path[i]);
        var last = path[^1];
        if (node is null || Below(node, last) is not { } value) return true;
        var kind = value.GetValueKind();
        if (kind is not (JsonValueKind.String or JsonValueKind.Number)) return false;
        var text = (kind == JsonValueKind.String ? value.GetValue<string>() : value.ToJsonString()).Trim().ToLowerInvariant();
        // Nothing but blanks is nobody's identifier: it has no hash, and counts as missing.
        var hashed = JsonValue.Create(text.Length == 0 ? ""
            : Convert.ToHexStringLower(HMACSHA256.HashData(_secret, Encoding.UTF8.GetBytes(text))));
        if (node is JsonArray list) list[int.Parse(last, System.Globalization.CultureInfo.InvariantCulture)] = hashed;
        else node[last] = hashed;
        return true;
    }

    private static JsonNode? Below(JsonNode node, string name) => node switch
    {
        JsonObject all => all[name],
        JsonArray list when int.TryParse(name, out var i) && i >= 0 && i < list.Count => list[i],
        _ => null,
    };

    /// <summary>Copies what stands at a path of objects; within a list nothing is kept.</summary>
    private static void Copy(JsonObject from, JsonObject to, IReadOnlyList<string> path)
    {
        for (var i = 0; i < path.Count - 1; i++)
        {
            if (from[path[i]] is not JsonObject next) return;
            if (to[path[i]] is not JsonObject made) to[path[i]] = made = [];
            (from, to) = (next, made);
        }
        if (from[path[^1]] is { } value) to[path[^1]] = value.DeepClone();
    }
}
