using System.Text;

namespace StreamEngine.Events.Avro;

/// <summary>
/// Reads Avro binary into objects (see <see cref="AvroRecord"/>), resolving the writer's schema to the reader's. For tools, tests and
/// masking; events take the compiled way.
/// </summary>
public sealed class AvroValueReader(AvroSchema writer, AvroSchema? reader = null)
{
    private const int MaxDepth = 200;

    /// <summary>Items that take no bytes could be claimed without end; more than this in one block are refused.</summary>
    private const int MaxEmptyItems = 1 << 16;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);
    private readonly AvroSchema _reader = reader ?? writer;

    /// <summary>Reads one value that takes all of the data.</summary>
    /// <exception cref="AvroException">The bytes are malformed or left over, or the schemas do not resolve.</exception>
    public object? Read(ReadOnlySpan<byte> data)
    {
        var cursor = new AvroReader(data);
        var value = Read(ref cursor);
        return cursor.Left == 0 ? value : throw new AvroException($"{cursor.Left} bytes are left after the value");
    }

    /// <summary>Reads the value at the cursor.</summary>
    /// <exception cref="AvroException">The bytes are malformed, or the schemas do not resolve.</exception>
    public object? Read(ref AvroReader cursor) => Value(writer, _reader, ref cursor, MaxDepth);

    private static object? Value(AvroSchema w, AvroSchema r, ref AvroReader cursor, int depth)
    {
        if (depth == 0) throw new AvroException("the value is nested too deep");
        if (w.Kind == AvroKind.Union)
        {
            if (!cursor.TryLong(out var index) || (ulong)index >= (ulong)w.Branches.Count) throw Malformed(w, cursor);
            return Value(w.Branches[(int)index], r, ref cursor, depth - 1);
        }
        var target = AvroResolution.Branch(w, r) ?? throw new AvroException($"a value written as {w} can't be read as {r}");
        return w.Kind switch
        {
            AvroKind.Record => Record(w, target, ref cursor, depth),
            AvroKind.Array => Array(w, target, ref cursor, depth),
            AvroKind.Map => Map(w, target, ref cursor, depth),
            _ => Promote(Scalar(w, ref cursor), target),
        };
    }

    private static object? Scalar(AvroSchema w, ref AvroReader cursor)
    {
        switch (w.Kind)
        {
            case AvroKind.Null: return null;
            case AvroKind.Boolean when cursor.TryBoolean(out var value): return value;
            case AvroKind.Int when cursor.TryInt(out var value): return value;
            case AvroKind.Long when cursor.TryLong(out var value): return value;
            case AvroKind.Float when cursor.TryFloat(out var value): return value;
            case AvroKind.Double when cursor.TryDouble(out var value): return value;
            case AvroKind.Bytes when cursor.TryBytes(out var value): return value.ToArray();
            case AvroKind.String when cursor.TryBytes(out var value): return Text(value);
            case AvroKind.Enum when cursor.TryLong(out var index)
                && (ulong)index < (ulong)w.Symbols.Count:
                return new AvroEnum(w, w.Symbols[(int)index]);
            case AvroKind.Fixed when cursor.TryFixed(w.Size, out var value): return new AvroFixed(w, value.ToArray());
            default: throw Malformed(w, cursor);
        }
    }

    private static object? Promote(object? value, AvroSchema r) => (value, r.Kind) switch
    {
        (int i, AvroKind.Long) => (long)i,
        (int i, AvroKind.Float) => (float)i,
        (int i, AvroKind.Double) => (double)i,
        (long l, AvroKind.Float) => (float)l,
        (long l, AvroKind.Double) => (double)l,
        (float f, AvroKind.Double) => (double)f,
        (string s, AvroKind.Bytes) => Encoding.UTF8.GetBytes(s),
        (byte[] b, AvroKind.String) => Text(b),
        (AvroEnum e, _) => new AvroEnum(r, AvroResolution.Symbol(r, e.Symbol)
            ?? throw new AvroException($"the reader's enum {r} does not know '{e.Symbol}'")),
        (AvroFixed f, _) => new AvroFixed(r, f.Bytes),
        _ => value,
    };

    private static AvroRecord Record(AvroSchema w, AvroSchema r, ref AvroReader cursor, int depth)
    {
        var record = new AvroRecord(r);
        var filled = new bool[r.Fields.Count];
        foreach (var field in w.Fields)
        {
            var target = AvroResolution.ReaderField(r, w, field);
            var value = Value(field.Schema, target?.Schema ?? field.Schema, ref cursor, depth - 1);
            if (target is null) continue;
            record.Values[target.Index] = value;
            filled[target.Index] = true;
        }
        foreach (var field in r.Fields)
            if (!filled[field.Index])
                record.Values[field.Index] = AvroDefaults.Value(field.Schema, field.Default
                    ?? throw new AvroException($"the writer's {w} has no field '{field.Name}' and the reader's has no default for it"));
        return record;
    }

    private static List<object?> Array(AvroSchema w, AvroSchema r, ref AvroReader cursor, int depth)
    {
        var list = new List<object?>();
        while (Block(w, ref cursor, out var count))
            for (; count > 0; count--)
                list.Add(Value(w.Element!, r.Element!, ref cursor, depth - 1));
        return list;
    }

    private static Dictionary<string, object?> Map(AvroSchema w, AvroSchema r, ref AvroReader cursor, int depth)
    {
        var map = new Dictionary<string, object?>();
        while (Block(w, ref cursor, out var count))
            for (; count > 0; count--)
            {
                if (!cursor.TryBytes(out var key)) throw Malformed(w, cursor);
                map[Text(key)] = Value(w.Element!, r.Element!, ref cursor, depth - 1);
            }
        return map;
    }

    private static bool Block(AvroSchema w, ref AvroReader cursor, out long count)
    {
        if (!cursor.TryBlock(out count, out _)) throw Malformed(w, cursor);
        if (count > cursor.Left && count > MaxEmptyItems) throw new AvroException($"a block of {w} claims {count} items");
        return count > 0;
    }

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new AvroException("a text is not valid UTF-8");
        }
    }

    private static AvroException Malformed(AvroSchema w, AvroReader cursor) => new($"malformed {w} at byte {cursor.Position}");
}
