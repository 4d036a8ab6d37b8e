using System.Globalization;
using Newtonsoft.Json.Linq;

namespace StreamEngine.Events.Avro;

/// <summary>
/// A logical type as one text, such as <c>Decimal 9 2</c>. One that does not fit its underlying type is ignored, as the specification asks;
/// Apache's parser refuses the schema, and its logical values hold less than Avro's do.
/// </summary>
internal static class AvroLogicalText
{
    /// <summary>The text; null for a plain value.</summary>
    public static string? Of(JObject node, AvroKind kind, int size)
    {
        var name = node["logicalType"] is { Type: JTokenType.String } given ? (string)given! : "";
        if (name == "decimal" && kind is AvroKind.Bytes or AvroKind.Fixed)
        {
            var (precision, scale) = (Number(node["precision"]), Number(node["scale"]));
            var fits = kind == AvroKind.Bytes || precision <= Math.Floor(Math.Log10(2) * (8.0 * size - 1));
            return precision > 0 && scale >= 0 && scale <= precision && fits
                ? string.Create(CultureInfo.InvariantCulture, $"{AvroLogical.Decimal} {precision} {scale}") : null;
        }
        AvroLogical? logical = (name, kind) switch
        {
            ("date", AvroKind.Int) => AvroLogical.Date,
            ("time-millis", AvroKind.Int) => AvroLogical.TimeMillis,
            ("time-micros", AvroKind.Long) => AvroLogical.TimeMicros,
            ("timestamp-millis" or "local-timestamp-millis", AvroKind.Long) => AvroLogical.TimestampMillis,
            ("timestamp-micros" or "local-timestamp-micros", AvroKind.Long) => AvroLogical.TimestampMicros,
            ("timestamp-nanos" or "local-timestamp-nanos", AvroKind.Long) => AvroLogical.TimestampNanos,
            ("uuid", AvroKind.String) => AvroLogical.Uuid,
            ("uuid", AvroKind.Fixed) when size == 16 => AvroLogical.Uuid,
            ("duration", AvroKind.Fixed) when size == 12 => AvroLogical.Duration,
            _ => null,
        };
        return logical?.ToString();
    }

    /// <summary>Reads the text again, as the parser keeps it: in quotes.</summary>
    public static (AvroLogical Logical, int Precision, int Scale) Read(string? text)
    {
        if (text is null) return default;
        var parts = text.Trim('"').Split(' ');
        var logical = Enum.Parse<AvroLogical>(parts[0]);
        return parts.Length == 1 ? (logical, 0, 0)
            : (logical, int.Parse(parts[1], CultureInfo.InvariantCulture), int.Parse(parts[2], CultureInfo.InvariantCulture));
    }

    private static int Number(JToken? node) =>
        node is null ? 0 : node is JValue { Type: JTokenType.Integer, Value: long and >= 0 and <= int.MaxValue } n ? (int)n : -1;
}
