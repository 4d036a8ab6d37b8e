using System.Buffers;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Avro;
using Avro.Generic;
using StreamEngine.Events.Avro;

namespace StreamEngine.Tests.Events.Avro;

/// <summary>Random schemas and values from a seed.</summary>
internal sealed class RandomAvro(int seed)
{
    private static readonly string[] Primitives = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
    private readonly Random _random = new(seed);
    private int _names;

    /// <summary>A record schema as JSON.</summary>
    public string Schema(int depth = 4) => JsonSerializer.Serialize(Record(depth));

    public object? Value(AvroSchema s, int depth = 0) => s.Kind switch
    {
        _ when s.Logical != AvroLogical.None => Logical(s),
        AvroKind.Null => null,
        AvroKind.Boolean => _random.Next(2) == 1,
        AvroKind.Int => _random.Next(4) == 0 ? _random.Next(int.MinValue, int.MaxValue) : _random.Next(-70, 70),
        AvroKind.Long => _random.Next(4) == 0 ? _random.NextInt64(long.MinValue, long.MaxValue) : _random.Next(-70, 70),
        AvroKind.Float => (float)(_random.NextDouble() * 1000 - 500),
        AvroKind.Double => _random.NextDouble() * 1e6 - 5e5,
        AvroKind.Bytes => Bytes(_random.Next(6)),
        AvroKind.String => Text(),
        AvroKind.Fixed => new GenericFixed((FixedSchema)s.Apache, Bytes(s.Size)),
        AvroKind.Enum => new GenericEnum((EnumSchema)s.Apache, s.Symbols[_random.Next(s.Symbols.Count)]),
        AvroKind.Array => Enumerable.Range(0, depth > 8 ? 0 : _random.Next(4)).Select(_ => Value(s.Element!, depth + 1)).ToArray(),
        AvroKind.Map => Enumerable.Range(0, depth > 8 ? 0 : _random.Next(4))
            .ToDictionary<int, string, object?>(i => i == 0 ? "k0" : $"k{i}{Text()}", _ => Value(s.Element!, depth + 1)),
        AvroKind.Union => Value(s.Branches[depth > 8 ? 0 : _random.Next(s.Branches.Count)], depth + 1),
        _ => Record(s, depth),
    };

    /// <summary>A value as Apache writes it.</summary>
    public static byte[] Encode(AvroSchema schema, object? value) => ApacheAvro.Encode(schema.Apache, value);

    /// <summary>
    /// The same value with arrays and maps in two blocks each, their sizes written: what other writers do, and what this one reads.
    /// </summary>
    public static byte[] EncodeInBlocks(AvroSchema s, object? value)
    {
        var bytes = new ArrayBufferWriter<byte>();
        var output = new AvroWriter(bytes);
        switch (s.Kind, value)
        {
            case (AvroKind.Record, GenericRecord record):
                foreach (var field in s.Fields) output.Raw(EncodeInBlocks(field.Schema, record.GetValue(field.Index)));
                break;
            case (AvroKind.Array, object[] list):
                Blocks(output, [.. list.Select(item => EncodeInBlocks(s.Element!, item))]);
                break;
            case (AvroKind.Map, IDictionary<string, object?> map):
                Blocks(output,
                    [.. map.Select(e =>
                    (byte[])[.. Encode(AvroSchema.Parse("\"string\""), e.Key), .. EncodeInBlocks(s.Element!, e.Value)])]);
                break;
            case (AvroKind.Union, _):
                var plain = new AvroReader(Encode(s, value));
                plain.TryLong(out var branch);
                output.Long(branch);
                output.Raw(EncodeInBlocks(s.Branches[(int)branch], value));
                break;
            default:
                output.Raw(Encode(s, value));
                break;
        }
        return bytes.WrittenSpan.ToArray();
    }

    private static void Blocks(AvroWriter output, byte[][] items)
    {
        foreach (var block in (byte[][][])[items[..(items.Length / 2)], items[(items.Length / 2)..]])
        {
            if (block.Length == 0) continue;
            output.Long(-block.Length);
            output.Long(block.Sum(i => i.Length));
            foreach (var item in block) output.Raw(item);
        }
        output.Long(0);
    }

    /// <summary>A text by which values can be compared.</summary>
    public static string Show(object? value) => value switch
    {
        null => "null",
        string s => JsonSerializer.Serialize(s),
        byte[] b => "0x" + Convert.ToHexString(b),
        GenericFixed f => "f" + Convert.ToHexString(f.Value),
        GenericEnum e => e.Value,
        GenericRecord r => $"{{{string.Join(",", r.Schema.Fields.Select(f => $"{f.Name}:{Show(r.GetValue(f.Pos))}"))}}}",
        IDictionary<string, object?> map =>
            "<" + string.Join(",", map.OrderBy(e => e.Key, StringComparer.Ordinal)
            .Select(e => $"{JsonSerializer.Serialize(e.Key)}:{Show(e.Value)}")) + ">",
        object?[] list => $"[{string.Join(",", list.Select(Show))}]",
        IFormattable number => $"{value.GetType().Name}:{number.ToString(null, System.Globalization.CultureInfo.InvariantCulture)}",
        _ => value.ToString()!,
    };

    private GenericRecord Record(AvroSchema s, int depth)
    {
        var record = new GenericRecord((RecordSchema)s.Apache);
        foreach (var field in s.Fields) record.Add(field.Index, Value(field.Schema, depth + 1));
        return record;
    }

    private byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }

    private string Text()
    {
        var text = new StringBuilder();
        for (var i = _random.Next(10); i > 0; i--) text.Append(_random.Next(12) == 0 ? "é€😀"[..2] : (char)_random.Next('a', 'z' + 1));
        return text.ToString();
    }

    private object Type(int depth)
    {
        var pick = depth <= 0 ? 0 : _random.Next(15);
        return pick switch
        {
            8 => Record(depth - 1),
            9 => new { type = "array", items = Type(depth - 1) },
            10 => new { type = "map", values = Type(depth - 1) },
            11 => Enum(),
            12 => Fixed(),
            13 => Union(depth - 1),
            14 => _random.Next(3) == 0 ? new object[] { "null", LogicalType(7) } : LogicalType(8),
            _ => Primitives[_random.Next(Primitives.Length)],
        };
    }

    private object Union(int depth)
    {
        // One of each line: other libraries tell a value's branch by a looser type than the schema has.
        var branches = new List<object> { "null" };
        if (_random.Next(2) == 0) branches.Add(Primitives[_random.Next(1, 6)]);
        if (_random.Next(3) == 0) branches.Add(_random.Next(2) == 0 ? "bytes" : Fixed());
        if (_random.Next(3) == 0) branches.Add(_random.Next(2) == 0 ? "string" : Enum());
        if (_random.Next(2) == 0) branches.Add(_random.Next(3) == 0 ? new { type = "map", values = Type(depth - 1) } : Record(depth - 1));
        if (_random.Next(4) == 0) branches.Add(new { type = "array", items = Type(depth - 1) });
        return branches;
    }

    private object Enum() => new { type = "enum", name = $"E{_names++}", symbols = new[] { "A", "B", "C" } };

    private object Fixed() => new { type = "fixed", name = $"F{_names++}", size = _random.Next(1, 6) };

    /// <summary>The last kind, uuid, stands in no union: Apache Avro's Python library takes null for one.</summary>
    private object LogicalType(int kinds) => _random.Next(kinds) switch
    {
        0 => new { type = "bytes", logicalType = "decimal", precision = 18, scale = _random.Next(7) },
        1 => new
        {
            type = "fixed",
            name = $"D{_names++}",
            size = _random.Next(4, 10),
            logicalType = "decimal",
            precision = 9,
            scale = _random.Next(7)
        },
        2 => new { type = "long", logicalType = "timestamp-micros" },
        3 => new { type = "int", logicalType = "date" },
        4 => new { type = "int", logicalType = "time-millis" },
        5 => new { type = "long", logicalType = "time-micros" },
        6 => new { type = "long", logicalType = "timestamp-millis" },
        _ => new { type = "string", logicalType = "uuid" },
    };

    /// <summary>A value that the logical type has: other libraries make dates and times of it, from year 1 to 9999.</summary>
    private object Logical(AvroSchema s)
    {
        const long First = -62_135_596_800, Last = 253_402_300_799;
        switch (s.Logical)
        {
            case AvroLogical.Decimal:
                var limit = (long)Math.Pow(10, s.Precision) - 1;
                var shortest = new BigInteger(_random.NextInt64(-limit, limit) >> _random.Next(60)).ToByteArray(isBigEndian: true);
                return s.Kind == AvroKind.Bytes ? shortest
                    : new GenericFixed((FixedSchema)s.Apache,
                    [.. Enumerable.Repeat(shortest[0] >= 0x80 ? (byte)0xff : (byte)0, s.Size - shortest.Length), .. shortest]);
            case AvroLogical.Uuid: return new Guid(Bytes(16)).ToString();
            case AvroLogical.Date: return (int)_random.NextInt64(First / 86_400, Last / 86_400);
            case AvroLogical.TimeMillis: return _random.Next(86_400_000);
            case AvroLogical.TimeMicros: return _random.NextInt64(86_400_000_000);
            case AvroLogical.TimestampMillis: return _random.NextInt64(First * 1_000, Last * 1_000);
            default: return _random.NextInt64(First * 1_000_000, Last * 1_000_000);
        }
    }

    private object Record(int depth)
    {
        var name = $"R{_names++}";
        var fields = new List<object>();
        for (var i = _random.Next(1, 6); i > 0; i--) fields.Add(new { name = $"f{_names++}", type = Type(depth - 1) });
        if (_random.Next(6) == 0) fields.Add(new { name = "next", type = new[] { "null", name } });
        return new { type = "record", name, @namespace = "t.x", fields };
    }
}
