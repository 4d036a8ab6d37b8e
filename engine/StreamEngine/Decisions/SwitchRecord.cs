using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace StreamEngine.Decisions;

/// <summary>
/// A record of the control topic: something was switched off or on, by whom, when and why. The key is the target, the value JSON; a
/// tombstone (a record without a value) means on.
/// </summary>
/// <param name="Target">What was switched.</param>
/// <param name="Offset">The record's offset: of two records about one target the higher one holds.</param>
/// <param name="Off">Whether it is off from then on.</param>
/// <param name="By">Who did it.</param>
/// <param name="Reason">Why.</param>
/// <param name="At">When.</param>
public sealed record SwitchRecord(SwitchTarget Target, long Offset, bool Off, string By, string Reason, DateTimeOffset At)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // people read it with any consumer
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>The key's bytes.</summary>
    public byte[] Key() => Encoding.UTF8.GetBytes(Target.ToString());

    /// <summary>The value's bytes.</summary>
    public byte[] Value() => JsonSerializer.SerializeToUtf8Bytes(new Body(Off, By, Reason, At), Json);

    /// <summary>Reads a record.</summary>
    /// <param name="key">The record's key.</param>
    /// <param name="value">The record's value; empty for a tombstone.</param>
    /// <param name="offset">The record's offset.</param>
    /// <param name="timestamp">The record's time, ms: that of a switch whose value has none.</param>
    /// <param name="fault">What is wrong with it; null where it was read.</param>
    /// <returns>The record; null where it is none.</returns>
    public static SwitchRecord? Read(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long offset, long timestamp, out string? fault)
    {
        fault = null;
        var written = DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(timestamp, 0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));
        if (!SwitchTarget.TryParse(Encoding.UTF8.GetString(key), out var target))
            fault = "its key is none of all, offer:NAME, channel:NAME, model:NAME and budget:NAME";
        else if (value.IsEmpty) return new SwitchRecord(target, offset, false, "", "", written);
        else
            try
            {
                if (JsonSerializer.Deserialize<Body>(value, Json) is { Off: { } off } body)
                    return new SwitchRecord(target, offset, off, body.By ?? "", body.Reason ?? "", body.At ?? written);
                fault = "its value does not say \"off\": true or false";
            }
            catch (JsonException e)
            {
                fault = $"its value is no such JSON: {e.Message}";
            }
        return null;
    }

    /// <summary>The value as JSON; what is not named here is passed over.</summary>
    private sealed record Body(bool? Off, string? By, string? Reason, DateTimeOffset? At);
}
