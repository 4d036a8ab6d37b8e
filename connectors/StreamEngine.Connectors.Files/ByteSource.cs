using System.Security.Cryptography;
using System.Text;
using StreamEngine.Events;

namespace StreamEngine.Connectors.Files;

/// <summary>
/// Opens a file, unpacking gzip by its content (not its name). A pipe gives its bytes once: what was read to look at its beginning is kept
/// for whoever opens it next.
/// </summary>
/// <param name="path">The file.</param>
internal sealed class ByteSource(string path)
{
    private const int BufferLength = 1 << 17;

    private PipeHead? _pipe;

    static ByteSource() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    /// <summary>The file.</summary>
    public string Path => path;

    /// <summary>Whether it was found, at its first opening, to be a pipe.</summary>
    public bool IsPipe => _pipe is not null;

    /// <summary>Opens it for reading from its start, as UTF-8.</summary>
    /// <param name="read">Told of the bytes read from disk, packed as they are; for progress.</param>
    /// <param name="last">Whether it is not opened again: nothing more of a pipe is kept.</param>
    /// <param name="encoding">How its text is encoded; what is no such text comes as U+FFFD.</param>
    /// <param name="hash">Takes the bytes read from disk, packed as they are: at the end, the whole file's.</param>
    public Stream Open(Action<int>? read = null, bool last = false, TextEncoding encoding = TextEncoding.Utf8,
        IncrementalHash? hash = null)
    {
        var bytes = Unpacked(read, last, hash);
        return encoding switch
        {
            TextEncoding.Latin1 => Encoding.CreateTranscodingStream(bytes, Encoding.Latin1, Encoding.UTF8),
            TextEncoding.Windows1252 => Encoding.CreateTranscodingStream(bytes, Encoding.GetEncoding(1252), Encoding.UTF8),
            TextEncoding.Utf16 => Utf16(bytes),
            _ => bytes,
        };
    }

    /// <summary>The mark, if there is one, becomes UTF-8's, which is taken off with every file's.</summary>
    private static Stream Utf16(Stream bytes)
    {
        var head = new byte[2];
        var length = bytes.ReadAtLeast(head, 2, throwOnEndOfStream: false);
        var encoding = new UnicodeEncoding(bigEndian: head is [0xFE, 0xFF], byteOrderMark: true);
        return Encoding.CreateTranscodingStream(new Joined(head.AsMemory(0, length), bytes), encoding, Encoding.UTF8);
    }

    private Stream Unpacked(Action<int>? read, bool last, IncrementalHash? hash)
    {
        var file = OpenRaw(last);
        Span<byte> magic = stackalloc byte[2];
        var packed = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
        if (file.CanSeek) file.Position = 0;
        else file = OpenRaw(last);
        Stream raw = read is null && hash is null ? file : new ToldStream(file, read, hash);
        return packed ? new GzipFile(raw, path) : raw;
    }

    private Stream OpenRaw(bool last)
    {
        if (_pipe is not null) return _pipe.Open(last);
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferLength, FileOptions.SequentialScan);
        return file.CanSeek ? file : (_pipe = new PipeHead(file)).Open(last: false);
    }

    /// <summary>Bytes that were read already, then the rest.</summary>
    private sealed class Joined(ReadOnlyMemory<byte> first, Stream rest) : ReadOnlyStream(rest)
    {
        private ReadOnlyMemory<byte> _first = first;

        public override int Read(Span<byte> buffer)
        {
            if (_first.Length == 0) return Inner.Read(buffer);
            var n = Math.Min(buffer.Length, _first.Length);
            _first.Span[..n].CopyTo(buffer);
            _first = _first[n..];
            return n;
        }
    }

    /// <summary>A read-only stream that tells how far it is, and what it has read.</summary>
    private sealed class ToldStream(Stream inner, Action<int>? told, IncrementalHash? hash) : ReadOnlyStream(inner)
    {
        public override int Read(Span<byte> buffer)
        {
            var n = Inner.Read(buffer);
            told?.Invoke(n);
            hash?.AppendData(buffer[..n]);
            return n;
        }
    }

    /// <summary>A pipe, with the bytes that were read of it so far; it stays open until the last reader closes it.</summary>
    private sealed class PipeHead(Stream pipe)
    {
        private readonly MemoryStream _head = new();

        public Stream Open(bool last) => new Reader(this, last, last ? pipe : Stream.Null);

        private sealed class Reader(PipeHead of, bool last, Stream closed) : ReadOnlyStream(closed)
        {
            private int _at;

            public override int Read(Span<byte> buffer)
            {
                var kept = of._head.GetBuffer().AsSpan(0, (int)of._head.Length)[Math.Min(_at, (int)of._head.Length)..];
                var n = Math.Min(kept.Length, buffer.Length);
                if (n > 0) kept[..n].CopyTo(buffer);
                else if ((n = of.Pipe.Read(buffer)) > 0 && !last) of._head.Write(buffer[..n]);
                _at += n;
                return n;
            }
        }

        private Stream Pipe => pipe;
    }
}
