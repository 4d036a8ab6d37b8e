using System.Text;

namespace StreamEngine.Events.Avro;

/// <summary>
/// Parsing Canonical Form (Avro specification, "Transforming into Parsing Canonical Form"): full names, no docs, no defaults, fixed key
/// order.
/// </summary>
internal static class AvroCanonicalForm
{
    public static string Of(AvroSchema schema)
    {
        var text = new StringBuilder();
        Write(text, schema, []);
        return text.ToString();
    }

    private static void Write(StringBuilder text, AvroSchema schema, HashSet<AvroSchema> seen)
    {
        if (schema.IsNamed && !seen.Add(schema))
        {
            Quote(text, schema.FullName);
            return;
        }
        switch (schema.Kind)
        {
            case AvroKind.Record:
                text.Append("{\"name\":");
                Quote(text, schema.FullName).Append(",\"type\":\"record\",\"fields\":[");
                foreach (var field in schema.Fields)
                {
                    if (field.Index > 0) text.Append(',');
                    text.Append("{\"name\":");
                    Quote(text, field.Name).Append(",\"type\":");
                    Write(text, field.Schema, seen);
                    text.Append('}');
                }
                text.Append("]}");
                break;
            case AvroKind.Enum:
                text.Append("{\"name\":");
                Quote(text, schema.FullName).Append(",\"type\":\"enum\",\"symbols\":[");
                text.AppendJoin(',', schema.Symbols.Select(s => $"\"{s}\"")).Append("]}");
                break;
            case AvroKind.Fixed:
                text.Append("{\"name\":");
                Quote(text, schema.FullName).Append(",\"type\":\"fixed\",\"size\":").Append(schema.Size).Append('}');
                break;
            case AvroKind.Array:
                text.Append("{\"type\":\"array\",\"items\":");
                Write(text, schema.Element!, seen);
                text.Append('}');
                break;
            case AvroKind.Map:
                text.Append("{\"type\":\"map\",\"values\":");
                Write(text, schema.Element!, seen);
                text.Append('}');
                break;
            case AvroKind.Union:
                text.Append('[');
                for (var i = 0; i < schema.Branches.Count; i++)
                {
                    if (i > 0) text.Append(',');
                    Write(text, schema.Branches[i], seen);
                }
                text.Append(']');
                break;
            default:
                Quote(text, schema.FullName);
                break;
        }
    }

    private static StringBuilder Quote(StringBuilder text, string value) => text.Append('"').Append(value).Append('"');
}
