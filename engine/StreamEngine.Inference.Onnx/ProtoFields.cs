namespace StreamEngine.Inference.Onnx;

/// <summary>
/// The fields of one protobuf message, in order, each also as the bytes it is made of. Of a model only a few names and lists are read, and
/// the rest is passed on as it is: the generated classes of all of ONNX would be ten thousand lines.
/// </summary>
/// <param name="message">The message's bytes.</param>
internal ref struct ProtoFields(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> _rest = message;
    private bool _isNumber;

    /// <summary>The field's number.</summary>
    public int Number { get; private set; }

    /// <summary>The field's contents where it is a text, a message or a packed list.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>The field's contents where it is a whole number.</summary>
    public long Value { get; private set; }

    /// <summary>The field with its head, as it stands in the message.</summary>
    public ReadOnlySpan<byte> Whole { get; private set; }

    /// <summary>The contents as text.</summary>
    public readonly string Text => System.Text.Encoding.UTF8.GetString(Bytes);

    /// <summary>Goes to the next field; false at the end.</summary>
    /// <exception cref="InvalidDataException">The bytes are no protobuf message.</exception>
    public bool Next()
    {
        if (_rest.IsEmpty) return false;
        var whole = _rest;
        var head = Varint(ref _rest);
        (Number, Value, _isNumber) = ((int)(head >> 3), 0, (head & 7) == 0);
        Bytes = default;
        switch (head & 7)
        {
            case 0: Value = Varint(ref _rest); break;
            case 1: Bytes = Take(8); break;
            case 2: Bytes = Take(Varint(ref _rest)); break;
            case 5: Bytes = Take(4); break;
            default: throw Damaged();
        }
        Whole = whole[..^_rest.Length];
        return true;
    }

    /// <summary>Adds the field's whole numbers, one or a packed list of them.</summary>
    public readonly void AddTo(List<long> numbers)
    {
        if (_isNumber) numbers.Add(Value);
        for (var packed = Bytes; !packed.IsEmpty;) numbers.Add(Varint(ref packed));
    }

    private ReadOnlySpan<byte> Take(long length)
    {
        if (length < 0 || length > _rest.Length) throw Damaged();
        var taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }

    private static long Varint(ref ReadOnlySpan<byte> bytes)
    {
        var value = 0L;
        for (var i = 0; i < Math.Min(bytes.Length, 10); i++)
        {
            value |= (long)(bytes[i] & 0x7F) << (7 * i);
            if (bytes[i] >= 0x80) continue;
            bytes = bytes[(i + 1)..];
            return value;
        }
        throw Damaged();
    }

    private static InvalidDataException Damaged() => new("the file is no ONNX model, or its end is missing");
}

/// <summary>Writes fields of a protobuf message.</summary>
internal static class ProtoWriter
{
    /// <summary>Writes a text, or a message, with its head.</summary>
    public static void Write(Stream to, int number, ReadOnlySpan<byte> contents)
    {
        Varint(to, (ulong)number << 3 | 2);
        Varint(to, (ulong)contents.Length);
        to.Write(contents);
    }

    private static void Varint(Stream to, ulong value)
    {
        for (; value >= 0x80; value >>= 7) to.WriteByte((byte)(value | 0x80));
        to.WriteByte((byte)value);
    }
}
