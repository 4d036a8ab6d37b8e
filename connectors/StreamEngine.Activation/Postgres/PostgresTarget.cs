using Npgsql;
using StreamEngine.Activation.Records;
using StreamEngine.Configuration;

namespace StreamEngine.Activation.Postgres;

/// <summary>A table's config, checked, with the statements made of it.</summary>
/// <param name="Options">The config.</param>
/// <param name="Connection">The connection string, with the password.</param>
/// <param name="Columns">The columns.</param>
internal sealed record PostgresTarget(PostgresOptions Options, string Connection, IReadOnlyList<RecordColumn> Columns)
{
    private static readonly NpgsqlCommandBuilder Quoting = new();

    /// <summary>Makes the table of positions.</summary>
    public string CreateOffsets => $"CREATE TABLE IF NOT EXISTS {Table(Options.Offsets)} (consumer text NOT NULL, topic text NOT NULL, "
        + "partition integer NOT NULL, next bigint NOT NULL, PRIMARY KEY (consumer, topic, partition))";

    /// <summary>Reads a position.</summary>
    public string ReadOffset => $"SELECT next FROM {Table(Options.Offsets)} WHERE consumer = $1 AND topic = $2 AND partition = $3";

    /// <summary>Moves a position on; touches no row where somebody else is further already.</summary>
    public string MoveOffset => $"INSERT INTO {Table(Options.Offsets)} AS o (consumer, topic, partition, next) VALUES ($1, $2, $3, $4) "
        + "ON CONFLICT (consumer, topic, partition) DO UPDATE SET next = excluded.next WHERE o.next <= $5";

    /// <summary>Writes rows from a JSON array; PostgreSQL itself makes the columns' types of the texts and numbers.</summary>
    public string Upsert
    {
        get
        {
            var names = string.Join(", ", Columns.Select(c => Quoted(c.Name)));
            var others = Columns.Where(c => !Options.Key.Contains(c.Name)).Select(c => $"{Quoted(c.Name)} = excluded.{Quoted(c.Name)}")
                .ToList();
            return $"INSERT INTO {Table(Options.Table)} ({names}) SELECT {names} FROM "
                + $"jsonb_populate_recordset(NULL::{Table(Options.Table)}, $1::jsonb) "
                + $"ON CONFLICT ({string.Join(", ", Options.Key.Select(Quoted))}) DO "
                + (others.Count == 0 ? "NOTHING" : $"UPDATE SET {string.Join(", ", others)}");
        }
    }

    /// <summary>Checks the config; null where it has mistakes, all of which are told.</summary>
    public static PostgresTarget? Compile(PostgresOptions options, RecordKind kind, string folder, ConfigErrors errors)
    {
        var before = errors.All.Count;
        NpgsqlConnectionStringBuilder? connection = null;
        try
        {
            connection = new NpgsqlConnectionStringBuilder(options.Connection)
            {
                CommandTimeout = (int)Math.Ceiling(options.Timeout.TotalSeconds),
            };
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            // Its message may show a part of the text, and so a password.
            errors.Add(options.Node, "connection", "it is no connection string of Npgsql", "Write Host=...;Username=...;Database=...");
        }
        if (connection is { Host: null or "" })
            errors.Add(options.Node, "connection", "it names no Host", "Write Host=NAME, with ;Port=N where it is not 5432");
        if (options.PasswordFile is { } file && SecretFile.Read(file, folder, options.Node, "password_file", errors) is { } password
            && connection is not null) connection.Password = password;
        foreach (var (key, name) in new[] { ("table", options.Table), ("offsets", options.Offsets) })
            if (name.Length == 0 || name.Split('.') is var parts && (parts.Length > 2 || parts.Any(p => p.Length is 0 or > 63)))
                errors.Add(options.Node, key, $"'{Printable.Text(Spelling.Short(name))}' is no table", "Write TABLE or SCHEMA.TABLE");
        var columns = RecordColumns.Compile(options.Columns, kind, options.Node, errors);
        if (options.Key.Count == 0)
            errors.Add(options.Node, "key", "there is no column by which a row is found again",
                "Name those of a unique index, as [customer_id]");
        foreach (var column in options.Key.Where(k => columns.All(c => c.Name != k) && !options.Columns.ContainsKey(k)))
            errors.Add(options.Node, "key", $"'{Printable.Text(Spelling.Short(column))}' is none of the columns",
                $"Name one of {string.Join(", ", columns.Select(c => c.Name))}");
        return errors.All.Count > before ? null : new PostgresTarget(options, connection!.ConnectionString, columns);
    }

    private static string Table(string name) => string.Join('.', name.Split('.').Select(Quoted));

    private static string Quoted(string name) => Quoting.QuoteIdentifier(name);
}
