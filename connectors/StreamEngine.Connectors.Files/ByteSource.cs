namespace StreamEngine.Connectors.Files;

/// <summary>Opens a file, unpacking gzip by its content (not its name).</summary>
internal static class ByteSource
{
    private const int BufferLength = 1 << 17;

    /// <summary>Opens a file for reading from its start.</summary>
    /// <param name="path">The file.</param>
    /// <param name="read">Told of the bytes read from disk, packed as they are; for progress.</param>
    public static Stream Open(string path, Action<int>? read = null)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferLength, FileOptions.SequentialScan);
        Span<byte> magic = stackalloc byte[2];
        var packed = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
        file.Position = 0;
        Stream raw = read is null ? file : new CountingStream(file, read);
        return packed ? new GzipFile(raw, path) : raw;
    }

    /// <summary>A read-only stream that tells how far it is.</summary>
    private sealed class CountingStream(Stream inner, Action<int> told) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var n = inner.Read(buffer);
            told(n);
            return n;
        }

        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
