using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace StreamEngine.Events.Avro;

/// <summary>Writes Avro binary. The caller keeps to the schema's order: nothing is checked here.</summary>
public readonly struct AvroWriter(IBufferWriter<byte> output)
{
    /// <summary>The bytes go here.</summary>
    public IBufferWriter<byte> Output { get; } = output;

    /// <summary>Writes an int, a long, an enum's index, a union's branch or a block's count.</summary>
    public void Long(long value) => Output.Advance(Varint.Write(Output.GetSpan(Varint.MaxLength), value));

    /// <summary>Writes a boolean.</summary>
    public void Boolean(bool value)
    {
        Output.GetSpan(1)[0] = value ? (byte)1 : (byte)0;
        Output.Advance(1);
    }

    /// <summary>Writes a float.</summary>
    public void Float(float value)
    {
        BinaryPrimitives.WriteSingleLittleEndian(Output.GetSpan(4), value);
        Output.Advance(4);
    }

    /// <summary>Writes a double.</summary>
    public void Double(double value)
    {
        BinaryPrimitives.WriteDoubleLittleEndian(Output.GetSpan(8), value);
        Output.Advance(8);
    }

    /// <summary>Writes bytes, or a string that is UTF-8 already.</summary>
    public void Bytes(ReadOnlySpan<byte> value)
    {
        Long(value.Length);
        Output.Write(value);
    }

    /// <summary>Writes a string.</summary>
    public void String(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        Long(length);
        Encoding.UTF8.GetBytes(value, Output.GetSpan(Math.Max(1, length)));
        Output.Advance(length);
    }

    /// <summary>Writes a fixed, or bytes that are encoded already.</summary>
    public void Raw(ReadOnlySpan<byte> value) => Output.Write(value);

    /// <summary>Writes the five bytes before Avro binary in Confluent's wire format: 0 and the schema id, big-endian.</summary>
    public void ConfluentHeader(int schemaId)
    {
        var span = Output.GetSpan(5);
        span[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(span[1..], schemaId);
        Output.Advance(5);
    }

    /// <summary>
    /// Writes the ten bytes before Avro binary in single-object encoding: C3 01 and the schema's fingerprint, little-endian.
    /// </summary>
    public void SingleObjectHeader(ulong fingerprint)
    {
        var span = Output.GetSpan(10);
        span[0] = 0xc3;
        span[1] = 0x01;
        BinaryPrimitives.WriteUInt64LittleEndian(span[2..], fingerprint);
        Output.Advance(10);
    }
}
