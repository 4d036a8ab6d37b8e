using System.Text;
using System.Text.Json;
using StreamEngine.Connectors;

namespace StreamEngine.Activation.Records;

/// <summary>A record on its way to a partner.</summary>
/// <param name="Position">The partition it was read from.</param>
/// <param name="Offset">The offset there.</param>
/// <param name="Origin">
/// The partition and offset it has in the topic of its kind; another one than its position where a dead letter is replayed.
/// </param>
/// <param name="Timestamp">The log's timestamp, ms since 1970-01-01 UTC.</param>
/// <param name="Key">The record's key.</param>
/// <param name="Json">The record as a JSON object in UTF-8.</param>
internal sealed record ActivationRecord(TopicPartition Position, long Offset, (TopicPartition Partition, long Offset) Origin,
    long Timestamp, byte[] Key, byte[] Json)
{
    private JsonElement? _fields;
    private string? _idempotencyKey;

    /// <summary>The record's fields.</summary>
    public JsonElement Fields => _fields ??= JsonSerializer.Deserialize<JsonElement>(Json);

    /// <summary>
    /// What a partner knows a repetition by, in characters that a header takes: the decision's id with channel and offer, or the id of an
    /// outcome or of a change of an audience.
    /// </summary>
    public string IdempotencyKey => _idempotencyKey ??= MakeKey();

    /// <summary>Bytes held.</summary>
    public int Bytes => Key.Length + Json.Length;

    /// <summary>The field of that name, with dots for fields inside another one; null where it is absent or null.</summary>
    public JsonElement? Field(string path)
    {
        var at = Fields;
        foreach (var name in path.Split('.'))
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(name, out at)) return null;
        return at.ValueKind == JsonValueKind.Null ? null : at;
    }

    /// <summary>A field's text; empty where it has none.</summary>
    public string Text(string path) => Field(path) is { } field ? field.ValueKind == JsonValueKind.String ? field.GetString()!
        : field.GetRawText() : "";

    private string MakeKey()
    {
        string[] parts = Field("action_id") is not null ? ["action_id", "channel", "offer"]
            : Field("outcome_id") is not null ? ["outcome_id"] : Field("audience_id") is not null ? ["audience_id"]
            : ["decision_id", "chosen.channel", "chosen.offer"];
        var key = new StringBuilder();
        foreach (var (i, path) in parts.Index())
        {
            if (i > 0) key.Append(':');
            // A slash is part of every id; all else that a header might not take, and the separator, is written as %XX.
            key.AppendJoin('/', Text(path).Split('/').Select(Uri.EscapeDataString));
        }
        return key.ToString();
    }
}
