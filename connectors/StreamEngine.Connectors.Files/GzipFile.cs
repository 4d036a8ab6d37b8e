using System.IO.Compression;

namespace StreamEngine.Connectors.Files;

/// <summary>
/// Unpacks a gzip file of one or more members and fails where it ends too early, which <see cref="GZipStream"/> takes for the end. A small
/// member of our own goes behind the file's bytes: only where every member before it is whole does it come out again, as the last bytes;
/// they are held back. The runtime's switch <c>System.IO.Compression.UseStrictValidation</c> does not replace it: it finds a member that is
/// cut off, but where the first bytes of a member are damaged, that member and all behind it are passed over without a word.
/// </summary>
internal sealed class GzipFile : ReadOnlyStream
{
    private const int BufferLength = 1 << 17;
    private static readonly byte[] Mark = Guid.Parse("5b1de79c-7b0e-4a1f-9d3c-61f4c2a8e075").ToByteArray();
    private static readonly byte[] PackedMark = Pack(Mark);

    private readonly string _path;
    private readonly MarkedFile _packed;
    private readonly byte[] _buffer = new byte[BufferLength];
    private int _start, _end;
    private bool _ended;

    /// <param name="file">The packed file; disposed with this.</param>
    /// <param name="path">Its name in messages.</param>
    public GzipFile(Stream file, string path)
        : this(new MarkedFile(file), path)
    {
    }

    private GzipFile(MarkedFile packed, string path)
        : base(new GZipStream(packed, CompressionMode.Decompress)) => (_packed, _path) = (packed, path);

    /// <exception cref="InvalidDataException">The file is damaged, or ends in the middle of a member; the message names it.</exception>
    public override int Read(Span<byte> buffer)
    {
        while (_end - _start <= Mark.Length)
        {
            if (_ended) return 0;
            Fill();
        }
        var n = Math.Min(buffer.Length, _end - _start - Mark.Length);
        _buffer.AsSpan(_start, n).CopyTo(buffer);
        _start += n;
        return n;
    }

    /// <summary>Moves what may be the mark to the front and reads on behind it.</summary>
    private void Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        int n;
        try
        {
            n = Inner.Read(_buffer.AsSpan(_end));
        }
        catch (InvalidDataException e)
        {
            throw _packed.Ended ? CutOff(e) : new InvalidDataException($"{_path}: the gzip data is damaged: {e.Message}", e);
        }
        _end += n;
        _ended = n == 0;
        if (_ended && !_buffer.AsSpan(0, _end).SequenceEqual(Mark)) throw CutOff();
    }

    private InvalidDataException CutOff(Exception? inner = null) =>
        new($"{_path} ends in the middle of its gzip stream, or has other bytes behind it: get the file anew", inner);

    private static byte[] Pack(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.NoCompression)) gzip.Write(bytes);
        return packed.ToArray();
    }

    /// <summary>The file's bytes, then the packed mark.</summary>
    private sealed class MarkedFile(Stream file) : ReadOnlyStream(file)
    {
        private int _marked;

        /// <summary>Whether all bytes of the file were read.</summary>
        public bool Ended { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            if (!Ended)
            {
                if (Inner.Read(buffer) is var n and > 0) return n;
                Ended = true;
            }
            var rest = Math.Min(buffer.Length, PackedMark.Length - _marked);
            PackedMark.AsSpan(_marked, rest).CopyTo(buffer);
            _marked += rest;
            return rest;
        }
    }
}
