using System.Security.Cryptography;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Events.Tables;

namespace StreamEngine.Connectors.Files;

/// <summary>Reads the file of a table: CSV with a header, or NDJSON; plain or gzip, whatever its name.</summary>
public static class TableFile
{
    private const string Shorten = "Take out columns that are not looked up.";

    private static readonly string TooLong = $"is longer than {LineFile.DefaultLimit >> 20} MiB";

    /// <summary>Reads all rows; null, with every mistake told, where the file can't be used.</summary>
    /// <param name="table">The table as declared.</param>
    /// <param name="path">The file.</param>
    /// <param name="errors">Takes the mistakes.</param>
    public static LookupTable? Read(TableShape table, string path, ConfigErrors errors)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(errors);
        try
        {
            if (!File.Exists(path))
            {
                errors.Add(table.Options.Node, "file", $"the file of the table '{table.Name}' is not there: {path}",
                    "Name it as it is; the path is relative to the config file.");
                return null;
            }
            return Read(table, new ByteSource(path), errors);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            errors.Add(table.Options.Node, "file", $"the file of the table '{table.Name}' can't be read: {e.Message}",
                "Put a readable file in its place.");
            return null;
        }
    }

    private static LookupTable? Read(TableShape table, ByteSource bytes, ConfigErrors errors)
    {
        var (options, at) = (table.Options, new ConfigLocation(bytes.Path, 0, 0, $"tables.{table.Name}"));
        var kind = FileKind.Of(bytes, options.Encoding);
        if (kind.Format is not (RecordFormat.Csv or RecordFormat.Json))
        {
            errors.Add(at, $"the file is {kind.Fault ?? (kind.Format is null ? "empty" : "an Avro container")}",
                kind.Fault is null ? "A table is read from CSV with a header, or from NDJSON, one object a line."
                : $"{kind.OfTable ?? kind.Remedy}.");
            return null;
        }
        var source = table.Source(kind.Format.Value, []);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var file = new LineFile(bytes.Open(last: true, encoding: options.Encoding, hash: hash), kind.Format == RecordFormat.Csv,
            source.SeparatorByte);
        if (kind.Format == RecordFormat.Csv)
        {
            if (Header(file, source, at, errors) is not { } header) return null;
            source = source with { Columns = header };
        }
        var before = errors.All.Count;
        var rows = new TableRows(table, bytes.Path, source, errors);
        if (errors.All.Count > before) return null;
        while (file.Read())
        {
            if (IsWhole(file)) rows.Add(file.Record, file.Number);
            else rows.Refuse(file.Number, $"the row {TooLong}", Shorten);
        }
        return rows.Close(Convert.ToHexStringLower(hash.GetCurrentHash()));
    }

    /// <summary>Whether the record is there to its end: of one that is too long only the beginning is kept.</summary>
    private static bool IsWhole(LineFile file) => file.Record.Length <= LineFile.DefaultLimit;

    /// <summary>The columns that the first line names; null where they are not those that the table needs.</summary>
    private static IReadOnlyList<string>? Header(LineFile file, EventSourceOptions source, ConfigLocation at, ConfigErrors errors)
    {
        if (!file.Read()) return null;
        if (!IsWhole(file))
        {
            errors.Add(at with { Line = (int)file.Number, Column = 1 }, $"the header {TooLong}", Shorten);
            return null;
        }
        var header = CsvHeader.Split(file.Record, source.SeparatorByte);
        var needed = CsvHeader.Needed(source).ToList();
        at = at with { Line = (int)file.Number, Column = 1 };
        foreach (var column in needed.Where(c => !header.Contains(c)))
            errors.Add(at, $"the header '{CsvHeader.Shown(header)}' has no column '{column}'{Near(column)}",
                header.Any(h => h.Contains('\uFFFD', StringComparison.Ordinal)) ? $"The file is not UTF-8. {TableShape.EncodingRemedy}"
                : "Name the columns as the file does: a field's with 'from', the key's as 'key'.");
        foreach (var column in needed.Where(c => header.Count(h => h == c) > 1))
            errors.Add(at, $"the header '{CsvHeader.Shown(header)}' has the column '{column}' more than once",
                "Give each column that is read a name of its own.");
        return needed.All(c => header.Count(h => h == c) == 1) ? header : null;

        string Near(string column) => header.Count == 1 && header[0].AsSpan().ContainsAny(";\t")
            ? " (its columns seem to be parted otherwise: set the table's 'separator')"
            : header.FirstOrDefault(h => h.Trim().Equals(column, StringComparison.OrdinalIgnoreCase)) is { } near
                ? $" (did you mean '{near}')" : "";
    }
}
