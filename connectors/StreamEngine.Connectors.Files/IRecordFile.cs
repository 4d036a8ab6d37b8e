namespace StreamEngine.Connectors.Files;

/// <summary>A file's records one after another, as the bytes that the source's decoder takes.</summary>
public interface IRecordFile : IDisposable
{
    /// <summary>Goes to the next record; false at the end.</summary>
    /// <exception cref="InvalidDataException">The file is damaged; the message names it.</exception>
    bool Read();

    /// <summary>Where the record stands: the line that it begins in, in a container file its number, from 1.</summary>
    long Number { get; }

    /// <summary>The record's bytes, valid until the next <see cref="Read"/>.</summary>
    ReadOnlySpan<byte> Record { get; }
}
