using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using StreamEngine.Events.Decoding;

namespace StreamEngine.Events.Masking;

/// <summary>Masks JSON: a text, an object or an array becomes "***", a number 0, true and false become false.</summary>
internal sealed class JsonMasker(PathNode root) : IMasker
{
    /// <inheritdoc/>
    public bool TryMask(ReadOnlySpan<byte> value, ArrayBufferWriter<byte> output)
    {
        using var writer = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        var reader = new Utf8JsonReader(value, new JsonReaderOptions { MaxDepth = JsonEventDecoder.MaxDepth });
        try
        {
            if (!reader.Read()) return false;
            Copy(ref reader, root, writer);
            writer.Flush();
            return !reader.Read();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // No JSON, or a text that is not valid UTF-8.
            return false;
        }
    }

    private static void Copy(ref Utf8JsonReader reader, PathNode? node, Utf8JsonWriter writer)
    {
        var masked = node is { Masked: true };
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject or JsonTokenType.StartArray when masked:
                reader.Skip();
                writer.WriteStringValue(MaskPaths.Mask);
                break;
            case JsonTokenType.StartObject:
                writer.WriteStartObject();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                {
                    var name = reader.GetString()!;
                    writer.WritePropertyName(name);
                    reader.Read();
                    Copy(ref reader, node?.Child(name), writer);
                }
                writer.WriteEndObject();
                break;
            case JsonTokenType.StartArray:
                writer.WriteStartArray();
                for (var index = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; index++)
                    Copy(ref reader, MaskPaths.Item(node, index), writer);
                writer.WriteEndArray();
                break;
            case JsonTokenType.String when node is not null: writer.WriteStringValue(MaskPaths.Mask); break;
            case JsonTokenType.String: writer.WriteStringValue(reader.GetString()); break;
            case JsonTokenType.Number when node is not null: writer.WriteNumberValue(0); break;
            case JsonTokenType.Number: writer.WriteRawValue(reader.ValueSpan); break;
            case JsonTokenType.Null: writer.WriteNullValue(); break;
            default: writer.WriteBooleanValue(reader.TokenType == JsonTokenType.True && node is null); break;
        }
    }
}
