using System.Text.Json;

namespace StreamEngine.Events.Avro;

/// <summary>Reads <c>logicalType</c>: one that does not fit its underlying type is ignored, as the specification asks.</summary>
internal static class AvroLogicalParser
{
    public static AvroLogical Of(LocatedJson node, AvroKind kind, int size, out int precision, out int scale)
    {
        precision = scale = 0;
        var name = node["logicalType"] is { Kind: JsonTokenType.String } given ? given.Text : "";
        switch (name, kind)
        {
            case ("decimal", AvroKind.Bytes or AvroKind.Fixed):
                precision = Number(node["precision"], 0);
                scale = Number(node["scale"], 0);
                var fits = kind == AvroKind.Bytes || precision <= Math.Floor(Math.Log10(2) * (8.0 * size - 1));
                if (precision > 0 && scale >= 0 && scale <= precision && fits) return AvroLogical.Decimal;
                precision = scale = 0;
                return AvroLogical.None;
            case ("date", AvroKind.Int): return AvroLogical.Date;
            case ("time-millis", AvroKind.Int): return AvroLogical.TimeMillis;
            case ("time-micros", AvroKind.Long): return AvroLogical.TimeMicros;
            case ("timestamp-millis" or "local-timestamp-millis", AvroKind.Long): return AvroLogical.TimestampMillis;
            case ("timestamp-micros" or "local-timestamp-micros", AvroKind.Long): return AvroLogical.TimestampMicros;
            case ("timestamp-nanos" or "local-timestamp-nanos", AvroKind.Long): return AvroLogical.TimestampNanos;
            case ("uuid", AvroKind.String): return AvroLogical.Uuid;
            case ("uuid", AvroKind.Fixed) when size == 16: return AvroLogical.Uuid;
            case ("duration", AvroKind.Fixed) when size == 12: return AvroLogical.Duration;
            default: return AvroLogical.None;
        }
    }

    private static int Number(LocatedJson? node, int absent) =>
        node is null ? absent : node.Kind == JsonTokenType.Number && int.TryParse(node.Text, out var n) ? n : -1;
}
