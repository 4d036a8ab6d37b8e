using StreamEngine.Events;

namespace StreamEngine.Connectors.Files;

/// <summary>One input file and the source (by its place in the config) that its records belong to.</summary>
/// <param name="Path">The file.</param>
/// <param name="Source">The source's index.</param>
/// <param name="Format">How its records are written.</param>
/// <param name="HasHeader">Whether the first CSV record is a header.</param>
/// <param name="Separator">What separates a CSV record's fields.</param>
public sealed record EventFile(string Path, int Source, RecordFormat Format, bool HasHeader = false, byte Separator = (byte)',')
{
    /// <summary>Its length on disk, in bytes; 0 for a pipe.</summary>
    public long Length => new FileInfo(Path).Length;

    /// <summary>Its bytes.</summary>
    internal ByteSource Bytes { get; init; } = new(Path);

    /// <summary>Opens the file at its first record, behind a header.</summary>
    /// <param name="read">Told of the bytes read from disk; for progress.</param>
    /// <exception cref="InvalidDataException">The file is damaged; the message names it.</exception>
    public IRecordFile Open(Action<int>? read = null) => Open(read, last: true);

    /// <summary>The same; <paramref name="last"/> where it will not be opened again.</summary>
    internal IRecordFile Open(Action<int>? read, bool last)
    {
        if (Format == RecordFormat.Avro) return new AvroFile(Bytes.Open(read, last), Path);
        var file = new LineFile(Bytes.Open(read, last), Path, Format == RecordFormat.Csv, Separator);
        if (HasHeader) file.Read();
        return file;
    }

    /// <summary>Tells the format by the file's first bytes: an Avro container by its magic, JSON by its brace, else CSV.</summary>
    /// <returns>Null for an empty file.</returns>
    internal static RecordFormat? Sniff(ByteSource bytes)
    {
        using var stream = bytes.Open();
        Span<byte> head = stackalloc byte[64];
        var n = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        if (n == 0) return null;
        head = head[..n];
        if (head.StartsWith("Obj\u0001"u8)) return RecordFormat.Avro;
        if (head.StartsWith("\uFEFF"u8)) head = head[3..];
        return head.TrimStart(" \t\r\n"u8).StartsWith("{"u8) ? RecordFormat.Json : RecordFormat.Csv;
    }
}
