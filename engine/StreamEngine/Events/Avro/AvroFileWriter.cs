using System.Buffers;
using System.IO.Compression;
using System.Text;

namespace StreamEngine.Events.Avro;

/// <summary>Writes an Avro object container file (codecs null and deflate).</summary>
public sealed class AvroFileWriter : IDisposable
{
    private const int BlockBytes = 1 << 16;
    private readonly Stream _stream;
    private readonly bool _deflate;
    private readonly byte[] _sync;
    private readonly ArrayBufferWriter<byte> _block = new();
    private readonly ArrayBufferWriter<byte> _head = new();
    private readonly AvroValueWriter _values;
    private long _count;

    /// <summary>Writes the header. The sync marker comes from the schema, so that the same values give the same file.</summary>
    public AvroFileWriter(Stream stream, string schemaJson, bool deflate = false)
    {
        _stream = stream;
        _deflate = deflate;
        var schema = AvroSchema.Parse(schemaJson);
        _values = new AvroValueWriter(schema);
        _sync = [.. BitConverter.GetBytes(schema.Fingerprint), .. BitConverter.GetBytes(~schema.Fingerprint)];
        var head = new AvroWriter(_head);
        head.Raw("Obj\u0001"u8);
        head.Long(2);
        head.String("avro.codec");
        head.String(deflate ? "deflate" : "null");
        head.String("avro.schema");
        head.Bytes(Encoding.UTF8.GetBytes(schemaJson));
        head.Long(0);
        head.Raw(_sync);
        FlushHead();
    }

    /// <summary>Appends a value (see <see cref="AvroRecord"/>).</summary>
    /// <exception cref="AvroException">The value does not fit the schema.</exception>
    public void Write(object? value)
    {
        _values.Write(value, new AvroWriter(_block));
        _count++;
        if (_block.WrittenCount >= BlockBytes) Flush();
    }

    /// <summary>Ends the block that is being written.</summary>
    public void Flush()
    {
        if (_count == 0) return;
        var bytes = _deflate ? Deflate() : _block.WrittenSpan;
        var head = new AvroWriter(_head);
        head.Long(_count);
        head.Long(bytes.Length);
        FlushHead();
        _stream.Write(bytes);
        _stream.Write(_sync);
        _block.ResetWrittenCount();
        _count = 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Flush();
        _stream.Dispose();
    }

    private ReadOnlySpan<byte> Deflate()
    {
        // Values of no bytes (nulls): .NET would write no stream at all, which other readers take for a truncated one.
        if (_block.WrittenCount == 0) return [3, 0];
        var packed = new MemoryStream();
        using (var deflater = new DeflateStream(packed, CompressionLevel.Fastest, leaveOpen: true)) deflater.Write(_block.WrittenSpan);
        return packed.GetBuffer().AsSpan(0, (int)packed.Length);
    }

    private void FlushHead()
    {
        _stream.Write(_head.WrittenSpan);
        _head.ResetWrittenCount();
    }
}
