using StreamEngine.Configuration;

namespace StreamEngine.Activation.Postgres;

/// <summary>A table that holds a row for each key, with the newest record's values.</summary>
public sealed record PostgresOptions : ILocated
{
    [Doc("Npgsql's connection string, as Host=db;Username=engine;Database=crm; the password in a file of its own.")]
    public string Connection { get; init; } = "";

    [Doc("A file with the password.")]
    public string? PasswordFile { get; init; }

    [Doc("The table, with its schema where that is not the first of the search path: crm.actions.")]
    public string Table { get; init; } = "";

    [Doc("The columns by which a row is found again; the table needs a unique index over them.")]
    public IReadOnlyList<string> Key { get; init; } = [];

    [Doc("Column to field: the names of the record's fields, with dots for those inside another one (chosen.offer).")]
    public IReadOnlyDictionary<string, string> Columns { get; init; } = new Dictionary<string, string>();

    [Doc("The table of the positions, which are stored in the same transaction as the rows; made where it is missing.")]
    public string Offsets { get; init; } = "streamengine_offsets";

    [Doc("The most records of one transaction.")]
    [Bounds(1, 100_000)]
    public int BatchRecords { get; init; } = 500;

    [Doc("How long a transaction waits for more records.")]
    [Bounds(0.001, 60)]
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(100);

    [Doc("For how long a transaction may take.")]
    [Bounds(0.1, 600)]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;

    /// <summary>Which table, and nothing of the connection.</summary>
    public override string ToString() => $"table {Table}";
}
