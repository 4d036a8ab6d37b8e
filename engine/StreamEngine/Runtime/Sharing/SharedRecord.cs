using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using StreamEngine.Connectors;

namespace StreamEngine.Runtime;

/// <summary>
/// A record of the topic of shared numbers: what one shard of one engine adds to a number, as it stands. The key is
/// <c>tally/ENGINE/SHARD/NAME</c>, the value JSON, <c>{"values":[12.5]}</c>; a tombstone means nothing.
/// </summary>
/// <param name="Shard">The shard.</param>
/// <param name="Name">The number's name.</param>
/// <param name="Values">Its values; none for a tombstone.</param>
internal readonly record struct SharedRecord(int Shard, string Name, double[] Values)
{
    /// <summary>What the keys of an engine's records begin with. Its name is escaped, as it may hold any character.</summary>
    public static string Prefix(string engine) => $"tally/{Uri.EscapeDataString(engine)}/";

    /// <summary>The key of a shard's number.</summary>
    public static byte[] Key(string prefix, int shard, string name) =>
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{prefix}{shard}/{name}"));

    /// <summary>Writes the value.</summary>
    public static void Write(IBufferWriter<byte> target, ReadOnlySpan<double> values)
    {
        using var json = new Utf8JsonWriter(target);
        json.WriteStartObject();
        json.WriteStartArray("values"u8);
        foreach (var value in values) json.WriteNumberValue(value);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Reads a record.</summary>
    /// <param name="prefix">What keys of the engine begin with.</param>
    /// <param name="batch">Holds the record.</param>
    /// <param name="index">Which it is.</param>
    /// <param name="record">The record, where it is one of the engine's.</param>
    /// <returns>What is wrong with it; null where it was read, and where it is another engine's.</returns>
    public static string? Read(string prefix, RecordBatch batch, int index, out SharedRecord? record)
    {
        record = null;
        var key = Encoding.UTF8.GetString(batch.Key(index));
        if (!key.StartsWith("tally/", StringComparison.Ordinal)) return "its key is none of tally/ENGINE/SHARD/NAME";
        if (!key.StartsWith(prefix, StringComparison.Ordinal)) return null;
        var slash = key.IndexOf('/', prefix.Length);
        var shard = 0;
        var isKey = slash >= 0 && slash < key.Length - 1
            && int.TryParse(key.AsSpan(prefix.Length, slash - prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out shard);
        if (!isKey) return "its key is none of tally/ENGINE/SHARD/NAME";
        try
        {
            var values = batch.Value(index).IsEmpty ? []
                : JsonSerializer.Deserialize<Body>(batch.Value(index), JsonSerializerOptions.Web)?.Values;
            if (values is null || values.Any(v => !double.IsFinite(v))) return "its value does not say \"values\": numbers";
            record = new SharedRecord(shard, key[(slash + 1)..], values);
            return null;
        }
        catch (JsonException e)
        {
            return $"its value is no such JSON: {e.Message}";
        }
    }

    private sealed record Body(double[]? Values);
}
