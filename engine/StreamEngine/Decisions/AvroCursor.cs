using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using StreamEngine.Events;

namespace StreamEngine.Decisions;

/// <summary>Reads Avro binary strictly; the first fault is kept with its place, and everything after it reads as zero.</summary>
internal ref struct AvroCursor(ReadOnlySpan<byte> value)
{
    private readonly ReadOnlySpan<byte> _value = value;
    private int _at;

    /// <summary>The first fault; null while there is none.</summary>
    public string? Error { get; private set; }

    /// <summary>How many bytes are read.</summary>
    public readonly int At => _at;

    /// <summary>Whether there is more to read.</summary>
    public readonly bool HasMore => Error is null && _at < _value.Length;

    /// <summary>Confluent's header: the schema id.</summary>
    public int Header()
    {
        var id = 0;
        if (_value.Length < 5 || _value[0] != 0) Fail("header", "is not Confluent's wire format");
        else id = BinaryPrimitives.ReadInt32BigEndian(_value[1..]);
        _at = 5;
        return id;
    }

    /// <summary>A long.</summary>
    public long Long(string field)
    {
        ulong bits = 0;
        for (var shift = 0; Error is null; shift += 7)
        {
            if (_at >= _value.Length) return Fail(field, "ends early");
            if (shift == 63 && _value[_at] > 1) return Fail(field, "is larger than 64 bits");
            var b = _value[_at++];
            bits |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80) return (long)(bits >> 1) ^ -(long)(bits & 1);
        }
        return 0;
    }

    /// <summary>An int.</summary>
    public int Int(string field)
    {
        var number = Long(field);
        return number is >= int.MinValue and <= int.MaxValue ? (int)number : Fail(field, "is larger than 32 bits");
    }

    /// <summary>A symbol of an enum, whose values are those of <typeparamref name="T"/>.</summary>
    public T Symbol<T>(string field) where T : struct, Enum => Unsafe.BitCast<byte, T>((byte)Branch(Symbols<T>.Count, field));

    /// <summary>The branch of a union, below <paramref name="count"/>.</summary>
    public int Branch(int count, string field)
    {
        var index = Long(field);
        return index >= 0 && index < count ? (int)index : Fail(field, "is no known symbol");
    }

    /// <summary>A double.</summary>
    public double Double(string field)
    {
        Skip(8, field);
        return Error is null ? BinaryPrimitives.ReadDoubleLittleEndian(_value[(_at - 8)..]) : 0;
    }

    /// <summary>A boolean.</summary>
    public bool Bool(string field)
    {
        Skip(1, field);
        if (Error is null && _value[_at - 1] > 1) Fail(field, "is neither true nor false");
        return Error is null && _value[_at - 1] == 1;
    }

    /// <summary>A string or bytes: where it stands in the value.</summary>
    public Range32 Bytes(string field) => Take(Long(field), field);

    /// <summary>The next bytes: where they stand in the value.</summary>
    public Range32 Take(long length, string field)
    {
        var start = _at;
        Skip(length, field);
        return Error is null ? new Range32(start, (int)length) : default;
    }

    /// <summary>Steps over bytes.</summary>
    public void Skip(long length, string field)
    {
        if (Error is not null) return;
        if (length < 0 || length > _value.Length - _at) Fail(field, "ends early");
        else _at += (int)length;
    }

    /// <summary>The items of an array's next block; 0 at its end.</summary>
    public long Items(string field)
    {
        var count = Long(field);
        if (count < 0)
        {
            // A negative count is followed by the block's size in bytes.
            Long(field);
            count = -count;
        }
        // Every item has at least a byte, so a larger count is a fault and not a long loop.
        if (Error is not null || count >= 0 && count <= _value.Length - _at) return Error is null ? count : 0;
        return Fail(field, "has more items than bytes");
    }

    /// <summary>Nothing may follow.</summary>
    public void End()
    {
        if (Error is null && _at != _value.Length) Fail("end", $"has {_value.Length - _at} bytes too many");
    }

    /// <summary>Keeps the first fault.</summary>
    public int Fail(string field, string what)
    {
        Error ??= $"byte {_at}: {field} {what}";
        return 0;
    }

    private static class Symbols<T> where T : struct, Enum
    {
        public static readonly int Count = Enum.GetValues<T>().Length;
    }
}
