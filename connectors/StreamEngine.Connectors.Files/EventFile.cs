using StreamEngine.Events;
using StreamEngine.Events.Avro;

namespace StreamEngine.Connectors.Files;

/// <summary>One input file and the source (by its place in the config) that its records belong to.</summary>
/// <param name="Path">The file.</param>
/// <param name="Source">The source's index.</param>
/// <param name="Format">How its records are written.</param>
/// <param name="HasHeader">Whether the first CSV record is a header.</param>
/// <param name="Separator">What separates a CSV record's fields.</param>
/// <param name="MaxRecordBytes">Of a longer line so many bytes and one more are kept, for the pipeline to reject.</param>
/// <param name="Encoding">How the text of its records is encoded.</param>
/// <param name="SchemaId">The id in the header that an Avro record gets (<see cref="EventSourceOptions.WithFileSchemas"/>).</param>
public sealed record EventFile(string Path, int Source, RecordFormat Format, bool HasHeader = false, byte Separator = (byte)',',
    int MaxRecordBytes = LineFile.DefaultLimit, TextEncoding Encoding = TextEncoding.Utf8, int SchemaId = 0)
{
    /// <summary>Its length on disk, in bytes; 0 for a pipe.</summary>
    public long Length => new FileInfo(Path).Length;

    /// <summary>Whether it is a pipe, which gives its bytes once.</summary>
    public bool IsPipe => Bytes.IsPipe;

    /// <summary>The schema that an Avro file was written with; null for others.</summary>
    public AvroSchema? Schema { get; init; }

    /// <summary>Its bytes.</summary>
    internal ByteSource Bytes { get; init; } = new(Path);

    /// <summary>Opens the file at its first record, behind a header.</summary>
    /// <param name="read">Told of the bytes read from disk; for progress.</param>
    /// <exception cref="InvalidDataException">The file is damaged; the message names it.</exception>
    public IRecordFile Open(Action<int>? read = null) => Open(read, last: true);

    /// <summary>The same; <paramref name="last"/> where it will not be opened again.</summary>
    internal IRecordFile Open(Action<int>? read, bool last)
    {
        if (Format == RecordFormat.Avro) return new AvroFile(Bytes.Open(read, last), Path, SchemaId);
        var file = new LineFile(Bytes.Open(read, last, Encoding), Format == RecordFormat.Csv, Separator, MaxRecordBytes);
        if (HasHeader) file.Read();
        return file;
    }
}
