using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;

namespace StreamEngine.Activation.Records;

/// <summary>A record of the activation dead letter, in the topic as one JSON object: what could not be delivered, and why.</summary>
/// <param name="Activation">The connector.</param>
/// <param name="Topic">The topic it was read from.</param>
/// <param name="Partition">The partition there.</param>
/// <param name="Offset">The offset there.</param>
/// <param name="Timestamp">The log's timestamp, ms since 1970-01-01 UTC.</param>
/// <param name="Reason">Why, in a word.</param>
/// <param name="Detail">Why, for people.</param>
/// <param name="FailedAt">When it was given up.</param>
/// <param name="Key">The record's key.</param>
/// <param name="Value">The record: its JSON object, or what stands in its place.</param>
internal sealed record DeadLetter(string Activation, string Topic, int Partition, long Offset, long Timestamp, string Reason,
    string Detail, DateTimeOffset FailedAt, [property: JsonConverter(typeof(DeadLetter.TextOrBase64))] byte[] Key,
    [property: JsonConverter(typeof(DeadLetter.TextOrBase64))] byte[] Value)
{
    /// <summary>How it is written.</summary>
    public static JsonSerializerOptions Written { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Reads one; null where it is none.</summary>
    public static DeadLetter? Read(ReadOnlySpan<byte> text)
    {
        try
        {
            return JsonSerializer.Deserialize<DeadLetter>(text, Written);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Bytes as text where they are UTF-8, else as <c>{"base64": ...}</c>, as in the engine's own dead letters.</summary>
    internal sealed class TextOrBase64 : JsonConverter<byte[]>
    {
        public override byte[] Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.String) return System.Text.Encoding.UTF8.GetBytes(reader.GetString()!);
            using var value = JsonDocument.ParseValue(ref reader);
            return value.RootElement.ValueKind == JsonValueKind.Object && value.RootElement.TryGetProperty("base64", out var text)
                && text.TryGetBytesFromBase64(out var bytes) ? bytes : throw new JsonException("neither a text nor base64");
        }

        public override void Write(Utf8JsonWriter writer, byte[] value, JsonSerializerOptions options)
        {
            if (Utf8.IsValid(value))
            {
                writer.WriteStringValue(value);
                return;
            }
            writer.WriteStartObject();
            writer.WriteBase64String("base64", value);
            writer.WriteEndObject();
        }
    }
}
