namespace StreamEngine.Events;

/// <summary>The type of an event field as declared in the config.</summary>
public enum FieldType : byte
{
    /// <summary>UTF-8 text; Avro string, enum or bytes.</summary>
    String,

    /// <summary>Floating point, 64 bits.</summary>
    Double,

    /// <summary>Fixed point, written <c>decimal(2)</c>: a 64-bit integer of the smallest unit; sums exactly in any order.</summary>
    Decimal,

    /// <summary>A 64-bit integer.</summary>
    Int,

    /// <summary>True or false.</summary>
    Bool,

    /// <summary>Milliseconds since 1970-01-01 UTC.</summary>
    Timestamp,

    /// <summary>A list of single values, or of records: <see cref="Field.Items"/> says of what.</summary>
    List,
}

/// <summary>
/// One projected field of one event: a number in <see cref="Bits"/>, text as a slice of a buffer that lives as long as the batch, or a list
/// as a run of cells in the event's <see cref="ItemCells"/>.
/// </summary>
public struct FieldValue
{
    /// <summary>Whether the event has the field (false for an absent field and for an Avro or JSON null).</summary>
    public bool Present;

    /// <summary>Int, Decimal (unscaled), Timestamp (ms) and Bool (0 or 1) as they are; Double as its IEEE 754 bits.</summary>
    public long Bits;

    /// <summary>The buffer that holds the text; for an Avro enum, the symbol's own shared array.</summary>
    public byte[]? Buffer;

    /// <summary>Where the text begins in <see cref="Buffer"/>; of a list, its first cell.</summary>
    public int Start;

    /// <summary>The text's length in bytes; of a list, how many items it has.</summary>
    public int Length;

    /// <summary>The text as UTF-8; empty where absent.</summary>
    public readonly ReadOnlySpan<byte> Text => Buffer is null ? default : Buffer.AsSpan(Start, Length);

    /// <summary>The floating-point value of a <see cref="FieldType.Double"/> field.</summary>
    public readonly double Double => BitConverter.Int64BitsToDouble(Bits);

    /// <summary>Sets a floating-point value.</summary>
    public void Set(double value)
    {
        Present = true;
        Bits = BitConverter.DoubleToInt64Bits(value);
    }

    /// <summary>Sets an integer, unscaled decimal, timestamp or boolean.</summary>
    public void Set(long value)
    {
        Present = true;
        Bits = value;
    }

    /// <summary>Sets a list as a run of cells.</summary>
    public void SetList(int start, int count)
    {
        Present = true;
        Start = start;
        Length = count;
    }

    /// <summary>Sets text as a slice.</summary>
    public void Set(byte[] buffer, int start, int length)
    {
        Present = true;
        Buffer = buffer;
        Start = start;
        Length = length;
    }
}
