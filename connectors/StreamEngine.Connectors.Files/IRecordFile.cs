namespace StreamEngine.Connectors.Files;

/// <summary>A file's records one after another, as the bytes that the source's decoder takes.</summary>
public interface IRecordFile : IDisposable
{
    /// <summary>Goes to the next record; false at the end.</summary>
    /// <exception cref="InvalidDataException">The file is damaged; the message names it.</exception>
    bool Read();

    /// <summary>The record's bytes, valid until the next <see cref="Read"/>.</summary>
    ReadOnlySpan<byte> Record { get; }

    /// <summary>Where the record begins: its line in a text file, its number in an Avro container; from 1.</summary>
    long Line { get; }
}
