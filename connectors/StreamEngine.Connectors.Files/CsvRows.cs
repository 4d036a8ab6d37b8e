namespace StreamEngine.Connectors.Files;

/// <summary>A small CSV file's rows as texts (labels, not events).</summary>
public sealed class CsvRows : IDisposable
{
    private readonly LineFile _file;

    private CsvRows(LineFile file) => _file = file;

    /// <summary>Opens a file, plain or gzip.</summary>
    public static CsvRows Open(string path) => new(new LineFile(new ByteSource(path).Open(last: true), csv: true));

    /// <summary>The next row, or null at the end.</summary>
    public IReadOnlyList<string>? Next() => _file.Read() ? CsvHeader.Split(_file.Record) : null;

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
