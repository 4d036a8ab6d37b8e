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

    /// <summary>The file.</summary>
    public string Path => path;

    /// <summary>Opens it for reading from its start.</summary>
    /// <param name="read">Told of the bytes read from disk, packed as they are; for progress.</param>
    /// <param name="last">Whether it is not opened again: nothing more of a pipe is kept.</param>
    public Stream Open(Action<int>? read = null, bool last = false)
    {
        var file = OpenRaw(last);
        Span<byte> magic = stackalloc byte[2];
        var packed = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
        if (file.CanSeek) file.Position = 0;
        else file = OpenRaw(last);
        Stream raw = read is null ? file : new CountingStream(file, read);
        return packed ? new GzipFile(raw, path) : raw;
    }

    private Stream OpenRaw(bool last)
    {
        if (_pipe is not null) return _pipe.Open(last);
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferLength, FileOptions.SequentialScan);
        return file.CanSeek ? file : (_pipe = new PipeHead(file)).Open(last: false);
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
