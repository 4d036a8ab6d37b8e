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
