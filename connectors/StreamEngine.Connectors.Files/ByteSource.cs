using System.Text;
using StreamEngine.Events;

namespace StreamEngine.Connectors.Files;

/// <summary>Opens a file, unpacking gzip by its content (not its name).</summary>
internal static class ByteSource
{
    private const int BufferLength = 1 << 17;

    static ByteSource() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    /// <summary>Opens a file for reading from its start, as UTF-8.</summary>
    /// <param name="path">The file.</param>
    /// <param name="read">Told of the bytes read from disk, packed as they are; for progress.</param>
    /// <param name="encoding">How its text is encoded; what is no such text comes as U+FFFD.</param>
    public static Stream Open(string path, Action<int>? read = null, TextEncoding encoding = TextEncoding.Utf8)
    {
        var bytes = Unpacked(path, read);
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

    private static Stream Unpacked(string path, Action<int>? read)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferLength, FileOptions.SequentialScan);
        if (!file.CanSeek)
        {
            file.Dispose();
            throw new InvalidDataException($"{path} is a pipe: files are read more than once; write it to a file first.");
        }
        Span<byte> magic = stackalloc byte[2];
        var packed = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
        file.Position = 0;
        Stream raw = read is null ? file : new CountingStream(file, read);
        return packed ? new GzipFile(raw, path) : raw;
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

    /// <summary>A read-only stream that tells how far it is.</summary>
    private sealed class CountingStream(Stream inner, Action<int> told) : ReadOnlyStream(inner)
    {
        public override int Read(Span<byte> buffer)
        {
            var n = Inner.Read(buffer);
            told(n);
            return n;
        }
    }
}
