using System.Buffers;
using System.IO.Compression;
using System.Text;

namespace StreamEngine.Events.Avro;

/// <summary>Unpacks a block of a container file.</summary>
/// <param name="packed">The block as it stands in the file.</param>
/// <param name="block">Receives what was packed; grown where it is too small.</param>
/// <returns>How many bytes of <paramref name="block"/> it takes.</returns>
/// <exception cref="AvroException">The block is damaged.</exception>
public delegate int AvroUnpacker(ReadOnlySpan<byte> packed, ref byte[] block);

/// <summary>
/// Reads an Avro object container file block by block (codecs null and deflate, and others that are given). Values come as their own Avro
/// binary, ready for a decoder: nothing is materialised.
/// </summary>
public sealed class AvroFileReader : IDisposable
{
    /// <summary>The most bytes of a block, packed or not.</summary>
    public const int MaxBlock = 1 << 28;

    /// <summary>The most bytes of the header, and the most values that take no bytes: those could be claimed without end.</summary>
    private const int MaxHeader = 1 << 23, MaxEmptyValues = 1 << 16;

    private readonly Stream _stream;
    private readonly AvroSkipper _skipper;
    private readonly byte[] _sync = new byte[16];
    private readonly AvroUnpacker? _unpack;
    private byte[] _block = [];
    private byte[] _packed = [];
    private int _used;
    private int _at;
    private long _left, _empty;

    /// <summary>Reads the file's header. The stream is read forward only, and disposed with this.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="codecs">Further codecs by their names in the file.</param>
    /// <exception cref="AvroException">This is no Avro file, its codec is another, or its schema is missing.</exception>
    /// <exception cref="AvroSchemaException">Its schema is not valid.</exception>
    public AvroFileReader(Stream stream, IReadOnlyDictionary<string, AvroUnpacker>? codecs = null)
    {
        _stream = stream;
        if (!Exactly(4).SequenceEqual("Obj\u0001"u8)) throw new AvroException("this is no Avro file: it does not begin with 'Obj' and 1");
        var metadata = Header();
        Exactly(16).CopyTo(_sync);
        Schema = AvroSchema.ParseWriter(metadata.TryGetValue("avro.schema", out var json) ? Encoding.UTF8.GetString(json)
            : throw new AvroException("the file has no schema"));
        Codec = metadata.TryGetValue("avro.codec", out var codec) ? Encoding.UTF8.GetString(codec) : "null";
        _unpack = Codec switch
        {
            "null" => null,
            "deflate" => Inflate,
            _ when codecs is not null && codecs.TryGetValue(Codec, out var given) => given,
            _ => throw new AvroException($"the file's codec '{Codec}' can't be read, only "
                + $"{string.Join(", ", ["null", "deflate", .. codecs?.Keys ?? []])}; write it with one of those"),
        };
        _skipper = AvroSkipper.Of(Schema);
    }

    /// <summary>The schema that the values were written with.</summary>
    public AvroSchema Schema { get; }

    /// <summary>How blocks are compressed: null, deflate, or one of the codecs given.</summary>
    public string Codec { get; }

    /// <summary>The next value's binary, good until the next call; false at the file's end.</summary>
    /// <exception cref="AvroException">The file is damaged or ends early.</exception>
    public bool Next(out ReadOnlyMemory<byte> value)
    {
        value = default;
        while (_left == 0)
            if (!NextBlock()) return false;
        var length = _skipper.Length(_block.AsSpan(_at, _used - _at));
        if (length < 0) throw new AvroException("a value in the file is malformed");
        value = _block.AsMemory(_at, length);
        _at += length;
        if (--_left == 0 && _at != _used) throw new AvroException($"a block of the file has {_used - _at} bytes left over");
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private Dictionary<string, byte[]> Header()
    {
        var (metadata, room) = (new Dictionary<string, byte[]>(), MaxHeader);
        byte[] Part()
        {
            var size = Size();
            // What the size itself takes counts too, so that parts of no bytes come to an end.
            if ((room -= size + 1) < 0) throw new AvroException($"the file's header is larger than {MaxHeader >> 20} MiB");
            return Exactly(size);
        }
        for (long count; (count = Number()) != 0;)
        {
            if (count < 0) Number();
            // Up, as the smallest long has no positive counterpart.
            for (count = count < 0 ? count : -count; count < 0; count++) metadata[Encoding.UTF8.GetString(Part())] = Part();
        }
        return metadata;
    }

    private bool NextBlock()
    {
        var first = _stream.ReadByte();
        if (first < 0) return false;
        _left = Number(first);
        var size = Size();
        if (_left < 0) throw new AvroException("a block of the file has a negative count");
        if (_skipper.FixedSize == 0 && (_left > MaxEmptyValues || (_empty += _left) > MaxEmptyValues))
            throw new AvroException($"the file has more than {MaxEmptyValues} values of no bytes");
        Exactly(size, ref _unpack is null ? ref _block : ref _packed);
        _used = _unpack?.Invoke(_packed.AsSpan(0, size), ref _block) ?? size;
        _at = 0;
        if (!Exactly(16).SequenceEqual(_sync)) throw new AvroException("a block of the file does not end with the sync marker");
        return true;
    }

    private static int Inflate(ReadOnlySpan<byte> packed, ref byte[] block)
    {
        var bytes = packed.ToArray();
        try
        {
            var length = Inflate(bytes, block);
            if (length <= block.Length) return length;
            if (length > MaxBlock) throw new AvroException($"a block of the file is larger than {MaxBlock >> 20} MiB; write smaller ones");
            block = new byte[length];
            return Inflate(bytes, block);
        }
        catch (InvalidDataException e)
        {
            throw new AvroException("a block of the file can't be inflated: " + e.Message);
        }
    }

    /// <summary>
    /// Fills the block and returns the length of all that is packed, counted to one more than <see cref="MaxBlock"/>: memory is taken for
    /// what is there, not for what a small block can be blown up to.
    /// </summary>
    private static int Inflate(byte[] packed, byte[] block)
    {
        using var inflater = new DeflateStream(new MemoryStream(packed), CompressionMode.Decompress);
        var (used, beyond) = (0, Array.Empty<byte>());
        while (used <= MaxBlock)
        {
            if (used >= block.Length && beyond.Length == 0) beyond = new byte[1 << 16];
            var read = used < block.Length ? inflater.Read(block, used, block.Length - used) : inflater.Read(beyond);
            if (read == 0) return used;
            used += read;
        }
        return used;
    }

    private int Size()
    {
        var size = Number();
        return size is >= 0 and <= MaxBlock ? (int)size
            : throw new AvroException($"the file has a size of {size} bytes, where at most {MaxBlock} are read; write smaller blocks");
    }

    private long Number(int first = -1)
    {
        Span<byte> bytes = stackalloc byte[Varint.MaxLength];
        for (var i = 0; i < bytes.Length; i++)
        {
            var b = i == 0 && first >= 0 ? first : _stream.ReadByte();
            if (b < 0) throw new AvroException("the file ends early");
            bytes[i] = (byte)b;
            if (b < 0x80 && Varint.ReadLonger(bytes[..(i + 1)], 0, out var value) > 0) return value;
        }
        throw new AvroException("the file has a number of more than 64 bits");
    }

    private byte[] Exactly(int size)
    {
        var bytes = Array.Empty<byte>();
        return Exactly(size, ref bytes);
    }

    /// <summary>Reads so many bytes; grows as they come, so that a wrong size does not take memory that the file does not fill.</summary>
    private byte[] Exactly(int size, ref byte[] bytes)
    {
        var used = 0;
        while (used < size)
        {
            if (used == bytes.Length) Array.Resize(ref bytes, Math.Min(size, Math.Max(1 << 16, bytes.Length * 2)));
            var read = _stream.Read(bytes, used, Math.Min(size, bytes.Length) - used);
            if (read == 0) throw new AvroException("the file ends early");
            used += read;
        }
        return bytes;
    }
}
