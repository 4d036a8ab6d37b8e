using System.Buffers;
using StreamEngine.Events.Avro;

namespace StreamEngine.Connectors.Files;

/// <summary>The values of an Avro object container file, as Avro binary.</summary>
internal sealed class AvroFile : IRecordFile
{
    private static readonly Dictionary<string, AvroUnpacker> Codecs = new() { ["snappy"] = SnappyBlock.Unpack };
    private readonly string _path;
    private readonly AvroFileReader _reader;
    private readonly ArrayBufferWriter<byte> _record = new();
    private readonly int _schemaId;

    /// <param name="stream">The file.</param>
    /// <param name="path">Its name in messages.</param>
    /// <param name="schemaId">The id in Confluent's header, which the records get; with 0 they are bare.</param>
    public AvroFile(Stream stream, string path, int schemaId = 0)
    {
        (_path, _schemaId) = (path, schemaId);
        _reader = Named(() => new AvroFileReader(stream, Codecs));
    }

    /// <summary>The schema that the file's values were written with.</summary>
    public AvroSchema Schema => _reader.Schema;

    public ReadOnlySpan<byte> Record => _record.WrittenSpan;

    public long Number { get; private set; }

    public bool Read()
    {
        _record.ResetWrittenCount();
        ReadOnlyMemory<byte> value = default;
        if (!Named(() => _reader.Next(out value))) return false;
        Number++;
        if (_schemaId > 0) new AvroWriter(_record).ConfluentHeader(_schemaId);
        _record.Write(value.Span);
        return true;
    }

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
