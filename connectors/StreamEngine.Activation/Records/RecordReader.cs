using System.Buffers.Binary;
using System.Text.Json;
using StreamEngine.Decisions;

namespace StreamEngine.Activation.Records;

/// <summary>What a topic's records are.</summary>
internal enum RecordKind
{
    /// <summary>Actions.</summary>
    Action,

    /// <summary>Decision records, with marks between them that only recovery reads.</summary>
    Decision,
}

/// <summary>Reads the engine's own records, Avro in Confluent's wire format or JSON. Of one thread.</summary>
internal sealed class RecordReader(RecordKind kind)
{
    private const int HeaderBytes = RecordFrame.HeaderBytes;

    private readonly RecordJson _current = new(kind == RecordKind.Action ? "action" : "decision");
    private readonly Lazy<RecordJson> _first = new(() => new RecordJson("decision-1")), _second = new(() => new RecordJson("decision-2"));

    /// <summary>The record's JSON object; null where it is nothing to deliver: a tombstone, or a mark.</summary>
    /// <exception cref="InvalidDataException">It is no record of this kind.</exception>
    public byte[]? Read(ReadOnlySpan<byte> value)
    {
        if (value.Length == 0) return null;
        byte[] json;
        try
        {
            json = value[0] == '{' ? value.ToArray() : Writer(value).Write(value[HeaderBytes..]).ToArray();
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException)
        {
            throw new InvalidDataException($"it is no {kind.ToString().ToLowerInvariant()} record: {e.Message}", e);
        }
        return kind == RecordKind.Decision && IsMark(json) ? null : json;
    }

    private RecordJson Writer(ReadOnlySpan<byte> value)
    {
        if (value.Length <= HeaderBytes || value[0] != 0)
            throw new InvalidDataException("it is neither Avro in Confluent's format nor JSON");
        return kind == RecordKind.Action ? _current : BinaryPrimitives.ReadInt32BigEndian(value[1..]) switch
        {
            OutputSchemas.DecisionWithoutOrigin => _first.Value,
            OutputSchemas.DecisionWithoutSwitches => _second.Value,
            _ => _current,
        };
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
