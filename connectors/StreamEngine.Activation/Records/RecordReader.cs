using System.Text.Json;
using System.Text.Unicode;
using StreamEngine.Configuration;
using StreamEngine.Decisions;

namespace StreamEngine.Activation.Records;

/// <summary>What a topic's records are.</summary>
internal enum RecordKind
{
    /// <summary>Actions.</summary>
    Action,

    /// <summary>Decision records, with marks between them that only recovery reads.</summary>
    Decision,

    /// <summary>What became of decisions.</summary>
    Outcome,

    /// <summary>Customers who enter and leave segments.</summary>
    Audience,
}

/// <summary>What follows from a kind.</summary>
internal static class RecordKinds
{
    /// <summary>The kind's name in expressions and templates, and that of its schema: <c>action</c>.</summary>
    public static string Word(this RecordKind kind) => Spelling.Snake(kind.ToString());
}

/// <summary>Reads the engine's own records, Avro in Confluent's wire format or JSON. Of one thread.</summary>
internal sealed class RecordReader(RecordKind kind)
{
    private const int HeaderBytes = RecordFrame.HeaderBytes;

    // The newest version first.
    private readonly RecordJson[] _versions =
        [.. OutputSchemas.Versions(kind.Word()).Select(version => new RecordJson(version))];
    private int _fits;   // the version of the record before

    /// <summary>The record's JSON object; null where it is nothing to deliver: a tombstone, or a mark.</summary>
    /// <exception cref="InvalidDataException">It is no record of this kind.</exception>
    public byte[]? Read(ReadOnlySpan<byte> value)
    {
        if (value.Length == 0) return null;
        var json = value[0] == '{' ? value.ToArray() : Json(value);
        if (value[0] == '{' && HasHalfText(json))
            throw new InvalidDataException("it has a text that is none: half a character, or bytes that are not UTF-8");
        return kind == RecordKind.Decision && IsMark(json) ? null : json;
    }

    /// <summary>
    /// The id in the header may be a registry's and does not tell the version, but a record of another version ends early or has bytes
    /// left. The version that fitted the record before is tried first.
    /// </summary>
    private byte[] Json(ReadOnlySpan<byte> value)
    {
        if (value.Length <= HeaderBytes || value[0] != 0)
            throw new InvalidDataException("it is neither Avro in Confluent's format nor JSON");
        Exception? why = null;
        for (var i = 0; i < _versions.Length; i++)
        {
            try
            {
                var json = _versions[(_fits + i) % _versions.Length].Write(value[HeaderBytes..]).ToArray();
                _fits = (_fits + i) % _versions.Length;
                return json;
            }
            catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException)
            {
                why ??= e;
            }
        }
        throw new InvalidDataException($"it is no {kind.Word()} record: {why!.Message}", why);
    }

    /// <summary>Whether reading a text in it would fail, which only an escape or bytes that are not UTF-8 can bring about.</summary>
    private static bool HasHalfText(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json)) return true;
        if (json.IndexOf("\\u"u8) < 0) return false;
        var reader = new Utf8JsonReader(json);
        try
        {
            while (reader.Read())
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped) reader.GetString();
            return false;
        }
        catch (InvalidOperationException)
        {
            return true;
        }
        catch (JsonException)
        {
            return false; // it is no JSON, which is told where it is read
        }
    }

    private static bool IsMark(byte[] json)
    {
        try
        {
            return JsonSerializer.Deserialize<JsonElement>(json).TryGetProperty("kind", out var kind) && !kind.ValueEquals("decision");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"it is no JSON: {e.Message}", e);
        }
    }
}
