using System.Buffers.Binary;

namespace StreamEngine.Events.Avro;

/// <summary>
/// A cursor over Avro binary. No method throws: each returns false where the bytes end early or can't be right, and the cursor is then good
/// for nothing more.
/// </summary>
public ref struct AvroReader(ReadOnlySpan<byte> data)
{
    private readonly ReadOnlySpan<byte> _data = data;
    private int _at = 0;

    /// <summary>How many bytes were read.</summary>
    public readonly int Position => _at;

    /// <summary>How many bytes are left.</summary>
    public readonly int Left => _data.Length - _at;

    /// <summary>Reads a long.</summary>
    public bool TryLong(out long value)
    {
        var at = Varint.ReadLonger(_data, _at, out value);
        if (at < 0) return false;
        _at = at;
        return true;
    }

    /// <summary>Reads an int: a long within 32 bits.</summary>
    public bool TryInt(out int value)
    {
        var ok = TryLong(out var number) && number is >= int.MinValue and <= int.MaxValue;
        value = ok ? (int)number : 0;
        return ok;
    }

    /// <summary>Reads a boolean: one byte, 0 or 1.</summary>
    public bool TryBoolean(out bool value)
    {
        var ok = TryFixed(1, out var bytes) && bytes[0] <= 1;
        value = ok && bytes[0] == 1;
        return ok;
    }

    /// <summary>Reads a float.</summary>
    public bool TryFloat(out float value)
    {
        var ok = TryFixed(4, out var bytes);
        value = ok ? BinaryPrimitives.ReadSingleLittleEndian(bytes) : 0;
        return ok;
    }

    /// <summary>Reads a double.</summary>
    public bool TryDouble(out double value)
    {
        var ok = TryFixed(8, out var bytes);
        value = ok ? BinaryPrimitives.ReadDoubleLittleEndian(bytes) : 0;
        return ok;
    }

    /// <summary>Reads bytes, or a string's UTF-8 (not validated).</summary>
    public bool TryBytes(out ReadOnlySpan<byte> value)
    {
        value = default;
        return TryLong(out var length) && (ulong)length <= (ulong)Left && TryFixed((int)length, out value);
    }

    /// <summary>Reads so many bytes.</summary>
    public bool TryFixed(int length, out ReadOnlySpan<byte> value)
    {
        value = default;
        if ((uint)length > (uint)Left) return false;
        value = _data.Slice(_at, length);
        _at += length;
        return true;
    }

    /// <summary>
    /// Reads the head of an array's or a map's block: its item count (0 ends it) and its size in bytes, -1 where that is not written.
    /// </summary>
    public bool TryBlock(out long count, out long bytes)
    {
        bytes = -1;
        if (!TryLong(out count)) return false;
        if (count >= 0) return true;
        if (count == long.MinValue || !TryLong(out bytes) || (ulong)bytes > (ulong)Left) return false;
        count = -count;
        return true;
    }

    /// <summary>Steps over a value of that shape.</summary>
    public bool TrySkip(AvroSkipper skipper)
    {
        var length = skipper.Length(_data[_at..]);
        if (length < 0) return false;
        _at += length;
        return true;
    }
}
