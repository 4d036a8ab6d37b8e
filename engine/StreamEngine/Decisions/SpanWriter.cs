using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;

namespace StreamEngine.Decisions;

/// <summary>Writes Avro binary into a span that the caller made large enough.</summary>
internal ref struct SpanWriter(Span<byte> target)
{
    /// <summary>The most bytes of an int or a long.</summary>
    public const int MaxLong = 10;

    /// <summary>The most bytes of a position's text: three numbers of 64 bits with signs, and what is between them.</summary>
    public const int MaxPosition = 3 * (20 + 1);

    private readonly Span<byte> _target = target;

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>Confluent's header: byte 0, then the schema id, big-endian.</summary>
    public void Header(int schemaId)
    {
        _target[Length] = 0;
        BinaryPrimitives.WriteInt32BigEndian(_target[(Length + 1)..], schemaId);
        Length += 5;
    }

    /// <summary>An int, long, enum index or union branch: zigzag, then 7 bits a byte, lowest first.</summary>
    public void Long(long value)
    {
        var bits = (ulong)((value << 1) ^ (value >> 63));
        for (; bits >= 0x80; bits >>= 7) _target[Length++] = (byte)(bits | 0x80);
        _target[Length++] = (byte)bits;
    }

    /// <summary>A double: 8 bytes, little-endian.</summary>
    public void Double(double value)
    {
        BinaryPrimitives.WriteDoubleLittleEndian(_target[Length..], value);
        Length += 8;
    }

    /// <summary>A boolean.</summary>
    public void Bool(bool value) => _target[Length++] = value ? (byte)1 : (byte)0;

    /// <summary>A string or bytes: length, then the bytes.</summary>
    public void Bytes(scoped ReadOnlySpan<byte> value)
    {
        Long(value.Length);
        Raw(value);
    }

    /// <summary>Bytes that are encoded already.</summary>
    public void Raw(scoped ReadOnlySpan<byte> encoded)
    {
        encoded.CopyTo(_target[Length..]);
        Length += encoded.Length;
    }

    /// <summary>A string of 16 hex digits.</summary>
    public void Hex(ulong value)
    {
        Long(16);
        Utf8Formatter.TryFormat(value, _target[Length..], out var written, new System.Buffers.StandardFormat('x', 16));
        Length += written;
    }

    /// <summary>The string <c>prefix + partition/offset/ordinal</c>: a decision's id.</summary>
    public void Id(scoped ReadOnlySpan<byte> prefix, int partition, long offset, int ordinal)
    {
        Span<byte> position = stackalloc byte[MaxPosition];
        var length = Position(position, partition, offset, ordinal);
        Long(prefix.Length + length);
        Raw(prefix);
        Raw(position[..length]);
    }

    /// <summary>Writes <c>partition/offset/ordinal</c>, at most <see cref="MaxPosition"/> bytes; says how many.</summary>
    public static int Position(Span<byte> target, int partition, long offset, int ordinal)
    {
        Utf8Formatter.TryFormat(partition, target, out var length);
        target[length++] = (byte)'/';
        Utf8Formatter.TryFormat(offset, target[length..], out var written);
        length += written;
        target[length++] = (byte)'/';
        Utf8Formatter.TryFormat(ordinal, target[length..], out written);
        return length + written;
    }

    /// <summary>The most bytes of an id with that prefix.</summary>
    public static int MaxId(byte[] prefix) => prefix.Length + MaxPosition + MaxLong;

    /// <summary>A text as an encoded Avro string, for parts that are written often.</summary>
    public static byte[] Encode(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var encoded = new byte[bytes.Length + MaxLong];
        var writer = new SpanWriter(encoded);
        writer.Bytes(bytes);
        return encoded[..writer.Length];
    }
}
