namespace StreamEngine.Events.Avro;

/// <summary>Writes objects (see <see cref="AvroRecord"/>) as Avro binary. For tools and tests.</summary>
public sealed class AvroValueWriter(AvroSchema schema)
{
    /// <summary>Writes one value.</summary>
    /// <exception cref="AvroException">The value does not fit the schema.</exception>
    public void Write(object? value, AvroWriter output) => Value(schema, value, output);

    private static void Value(AvroSchema s, object? value, AvroWriter output)
    {
        switch (s.Kind, value)
        {
            case (AvroKind.Null, null): break;
            case (AvroKind.Boolean, bool b): output.Boolean(b); break;
            case (AvroKind.Int, int i): output.Long(i); break;
            case (AvroKind.Long, long or int): output.Long(Convert.ToInt64(value)); break;
            case (AvroKind.Float, float f): output.Float(f); break;
            case (AvroKind.Double, double or float): output.Double(Convert.ToDouble(value)); break;
            case (AvroKind.Bytes, byte[] bytes): output.Bytes(bytes); break;
            case (AvroKind.String, string text): output.String(text); break;
            case (AvroKind.Fixed, AvroFixed f) when f.Bytes.Length == s.Size: output.Raw(f.Bytes); break;
            case (AvroKind.Enum, AvroEnum or string) when Symbol(s, value.ToString()!) is var index and >= 0: output.Long(index); break;
            case (AvroKind.Array, IReadOnlyList<object?> list): Array(s, list, output); break;
            case (AvroKind.Map, IReadOnlyDictionary<string, object?> map): Map(s, map, output); break;
            case (AvroKind.Record, AvroRecord record) when record.Values.Length == s.Fields.Count:
                foreach (var field in s.Fields) Value(field.Schema, record.Values[field.Index], output);
                break;
            case (AvroKind.Union, _) when Branch(s, value) is var index and >= 0:
                output.Long(index);
                Value(s.Branches[index], value, output);
                break;
            default: throw new AvroException($"a value of type {value?.GetType().Name ?? "null"} can't be written as {s}");
        }
    }

    private static void Array(AvroSchema s, IReadOnlyList<object?> list, AvroWriter output)
    {
        if (list.Count > 0) output.Long(list.Count);
        foreach (var item in list) Value(s.Element!, item, output);
        output.Long(0);
    }

    private static void Map(AvroSchema s, IReadOnlyDictionary<string, object?> map, AvroWriter output)
    {
        if (map.Count > 0) output.Long(map.Count);
        foreach (var (key, item) in map)
        {
            output.String(key);
            Value(s.Element!, item, output);
        }
        output.Long(0);
    }

    /// <summary>The first branch that takes the value as it is.</summary>
    private static int Branch(AvroSchema union, object? value)
    {
        for (var i = 0; i < union.Branches.Count; i++)
            if (Fits(union.Branches[i], value)) return i;
        return -1;
    }

    private static bool Fits(AvroSchema s, object? value) => value switch
    {
        null => s.Kind == AvroKind.Null,
        bool => s.Kind == AvroKind.Boolean,
        int => s.Kind == AvroKind.Int,
        long => s.Kind == AvroKind.Long,
        float => s.Kind == AvroKind.Float,
        double => s.Kind == AvroKind.Double,
        byte[] => s.Kind == AvroKind.Bytes,
        string => s.Kind == AvroKind.String,
        AvroEnum e => s.Kind == AvroKind.Enum && s.FullName == e.Schema.FullName,
        AvroFixed f => s.Kind == AvroKind.Fixed && s.FullName == f.Schema.FullName,
        AvroRecord r => s.Kind == AvroKind.Record && s.FullName == r.Schema.FullName,
        IReadOnlyDictionary<string, object?> => s.Kind == AvroKind.Map,
        IReadOnlyList<object?> => s.Kind == AvroKind.Array,
        _ => false,
    };

    private static int Symbol(AvroSchema s, string symbol)
    {
        for (var i = 0; i < s.Symbols.Count; i++)
            if (s.Symbols[i] == symbol) return i;
        return -1;
    }
}
