using System.Text;
using System.Text.Json;

namespace StreamEngine.SystemTests.Shop;

/// <summary>The bytes are not what the schema says.</summary>
internal sealed class AvroException(string message) : Exception(message);

/// <summary>A plain reader of Avro binary, for checking only: slow, generic, and no relative of the engine's codec.</summary>
internal sealed class AvroReader(byte[] bytes, int at)
{
    private readonly byte[] _bytes = bytes;
    private int _at = at;

    /// <summary>Whether everything was read.</summary>
    public bool AtEnd => _at == _bytes.Length;

    /// <summary>A record as a dictionary by field name, read by its schema; enums are their symbols, nulls are null.</summary>
    public object? Value(JsonElement schema)
    {
        if (schema.ValueKind == JsonValueKind.Array) return Value(schema[(int)Within(Long(), schema.GetArrayLength())]);
        var type = schema.ValueKind == JsonValueKind.String ? schema : schema.GetProperty("type");
        if (type.ValueKind != JsonValueKind.String) return Value(type);
        switch (type.GetString())
        {
            case "record":
                var record = new Dictionary<string, object?>();
                foreach (var field in schema.GetProperty("fields").EnumerateArray())
                    record[field.GetProperty("name").GetString()!] = Value(field.GetProperty("type"));
                return record;
            case "array": return Array(r => r.Value(schema.GetProperty("items")));
            case "enum":
                return schema.GetProperty("symbols")[(int)Within(Long(), schema.GetProperty("symbols").GetArrayLength())]
                .GetString();
            case "null": return null;
            case "string": return Text();
            case "bytes": return Bytes().ToArray();
            case "int" or "long": return Long();
            case "double": return Double();
            case "boolean": return Within(Take(1)[0], 2) == 1;
            default: throw new AvroException($"type {type} is not read here");
        }
    }

    /// <summary>An int or a long.</summary>
    public long Long()
    {
        ulong bits = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var b = Take(1)[0];
            bits |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80) return (long)(bits >> 1) ^ -(long)(bits & 1);
        }
        throw new AvroException("a number is longer than 10 bytes");
    }

    /// <summary>A double.</summary>
    public double Double() => BitConverter.ToDouble(Take(8));

    /// <summary>A string.</summary>
    public string Text() => Encoding.UTF8.GetString(Bytes());

    /// <summary>An array's items.</summary>
    public List<T> Array<T>(Func<AvroReader, T> item)
    {
        var items = new List<T>();
        for (var count = Long(); count != 0; count = Long())
        {
            if (count < 0)
            {
                count = -count;
                Long();
            }
            for (; count > 0; count--) items.Add(item(this));
        }
        return items;
    }

    private ReadOnlySpan<byte> Bytes() => Take(Long());

    private ReadOnlySpan<byte> Take(long length)
    {
        if (length < 0 || length > _bytes.Length - _at)
            throw new AvroException($"byte {_at}: {length} bytes wanted, {_bytes.Length - _at} left");
        _at += (int)length;
        return _bytes.AsSpan(_at - (int)length, (int)length);
    }

    private static long Within(long index, int count) => index >= 0 && index < count ? index
        : throw new AvroException($"{index} is not below {count}");
}
