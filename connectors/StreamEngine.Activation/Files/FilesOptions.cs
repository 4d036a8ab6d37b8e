using StreamEngine.Configuration;

namespace StreamEngine.Activation.Files;

/// <summary>The form of the files.</summary>
public enum ActivationFileFormat
{
    /// <summary>One JSON object a line.</summary>
    Ndjson,

    /// <summary>RFC 4180, with a header.</summary>
    Csv,

    /// <summary>Apache Parquet.</summary>
    Parquet,
}

/// <summary>Files for a warehouse, each with the records of one partition between two offsets.</summary>
public sealed record FilesOptions : ILocated
{
    [Doc("The folder; relative to the config's.")]
    public string Folder { get; init; } = "";

    [Doc("ndjson, csv or parquet.")]
    public ActivationFileFormat Format { get; init; } = ActivationFileFormat.Ndjson;

    [Doc("Column to field, for csv and parquet: the names of the record's fields, with dots for those inside another one (chosen.offer); "
        + "all outermost fields where absent.")]
    public IReadOnlyDictionary<string, string> Columns { get; init; } = new Dictionary<string, string>();

    [Doc("A file is closed this long after its first record.")]
    [Bounds(0.01, 86_400)]
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(1);

    [Doc("A file is closed with so many records.")]
    [Bounds(1, 10_000_000)]
    public int MaxRecords { get; init; } = 100_000;

    [Doc("A file is closed where its records have this size.")]
    [Bounds(1 << 10, 1L << 32)]
    public ByteSize MaxBytes { get; init; } = ByteSize.Mb(16);

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
