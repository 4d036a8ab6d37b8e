using StreamEngine.Events.Avro;

namespace StreamEngine.Connectors.Files;

/// <summary>The values of an Avro object container file, as bare Avro binary.</summary>
internal sealed class AvroFile : IRecordFile
{
    private static readonly Dictionary<string, AvroUnpacker> Codecs = new() { ["snappy"] = SnappyBlock.Unpack };
    private readonly string _path;
    private readonly AvroFileReader _reader;
    private ReadOnlyMemory<byte> _value;

    public AvroFile(Stream stream, string path)
    {
        _path = path;
        _reader = Named(() => new AvroFileReader(stream, Codecs));
    }

    /// <summary>The schema that the file's values were written with.</summary>
    public AvroSchema Schema => _reader.Schema;

    public ReadOnlySpan<byte> Record => _value.Span;

    public bool Read() => Named(() => _reader.Next(out _value));

    public void Dispose() => _reader.Dispose();

    private T Named<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is AvroException or AvroSchemaException or InvalidDataException
            && !e.Message.StartsWith(_path, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{_path}: {e.Message}", e);
        }
    }
}
