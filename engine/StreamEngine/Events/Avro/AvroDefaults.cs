using System.Buffers;
using System.Globalization;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace StreamEngine.Events.Avro;

/// <summary>
/// Encodes fields' defaults as Avro binary. Apache's library can't: it reads texts that look like dates as dates and doubles as floats, and
/// knows a union's first branch alone, where the specification has allowed any since 1.12.
/// </summary>
/// <param name="texts">The default of each field that has one: a text with its JSON.</param>
internal sealed class AvroDefaults(IReadOnlyDictionary<AvroField, JToken> texts)
{
    private const int MaxDepth = 64, MaxValues = 100_000;
    private int _values;

    /// <exception cref="AvroException">The default does not fit the field's type; says how, after the field's name.</exception>
    public byte[] Encode(AvroField field)
    {
        var bytes = new ArrayBufferWriter<byte>();
        _values = 0;
        Write(field.Schema, Json(field)!, new AvroWriter(bytes), MaxDepth);
        return bytes.WrittenSpan.ToArray();
    }

    private JToken? Json(AvroField field) => texts.TryGetValue(field, out var text) ? AvroSchemaText.Read((string)text!) : null;

    private void Write(AvroSchema s, JToken json, AvroWriter output, int depth)
    {
        // A record's default may lack fields that have defaults of the same record.
        if (depth == 0 || ++_values > MaxValues) throw new AvroException("holds itself without end, or too much");
        switch (s.Kind, json.Type)
        {
            case (AvroKind.Null, JTokenType.Null): break;
            case (AvroKind.Boolean, JTokenType.Boolean): output.Boolean((bool)json); break;
            case (AvroKind.Int, JTokenType.Integer) when Whole(json) is >= int.MinValue and <= int.MaxValue and var i:
                output.Long(i);
                break;
            case (AvroKind.Long, JTokenType.Integer) when Whole(json) is { } l: output.Long(l); break;
            case (AvroKind.Float, _) when Number(json) is { } f: output.Float((float)f); break;
            case (AvroKind.Double, _) when Number(json) is { } d: output.Double(d); break;
            case (AvroKind.Bytes, JTokenType.String) when Latin1(json) is { } bytes: output.Bytes(bytes); break;
            case (AvroKind.Fixed, JTokenType.String) when Latin1(json) is { } bytes && bytes.Length == s.Size: output.Raw(bytes); break;
            case (AvroKind.String, JTokenType.String): output.String((string)json!); break;
            case (AvroKind.Enum, JTokenType.String) when s.HasSymbol((string)json!):
                output.Long(s.Symbols.ToList().IndexOf((string)json!));
                break;
            case (AvroKind.Array, JTokenType.Array):
                if (json.Any()) output.Long(json.Count());
                foreach (var item in json) Write(s.Element!, item, output, depth - 1);
                output.Long(0);
                break;
            case (AvroKind.Map, JTokenType.Object):
                if (json.Any()) output.Long(json.Count());
                foreach (var (key, item) in (JObject)json)
                {
                    output.String(key);
                    Write(s.Element!, item!, output, depth - 1);
                }
                output.Long(0);
                break;
            case (AvroKind.Record, JTokenType.Object):
                foreach (var field in s.Fields)
                {
                    var value = json[field.Name] ?? Json(field) ?? throw new AvroException($"has no value for the field '{field.Name}'");
                    Write(field.Schema, value, output, depth - 1);
                }
                break;
            case (AvroKind.Union, _): Union(s, json, output, depth); break;
            default: throw new AvroException($"does not fit the type {s}");
        }
    }

    /// <summary>The first branch that fits.</summary>
    private void Union(AvroSchema s, JToken json, AvroWriter output, int depth)
    {
        for (var i = 0; i < s.Branches.Count; i++)
        {
            var bytes = new ArrayBufferWriter<byte>();
            try
            {
                Write(s.Branches[i], json, new AvroWriter(bytes), depth - 1);
            }
            catch (AvroException) when (_values <= MaxValues)
            {
                continue; // another branch may fit
            }
            output.Long(i);
            output.Raw(bytes.WrittenSpan);
            return;
        }
        throw new AvroException($"fits no branch of {s}");
    }

    private static long? Whole(JToken json) => ((JValue)json).Value as long?;

    private static double? Number(JToken json) => json.Type switch
    {
        JTokenType.Integer or JTokenType.Float => double.Parse(json.ToString(Formatting.None), CultureInfo.InvariantCulture),
        JTokenType.String when (string)json! is "NaN" or "Infinity" or "-Infinity" =>
            double.Parse((string)json!, CultureInfo.InvariantCulture),
        _ => null,
    };

    /// <summary>Bytes are written as text whose characters 0 to 255 are the bytes.</summary>
    private static byte[]? Latin1(JToken json) => ((string)json!).Any(c => c > 255) ? null : [.. ((string)json!).Select(c => (byte)c)];
}
