using System.Text;
using Parquet;
using Parquet.Schema;
using StreamEngine.Activation.Records;
using StreamEngine.Configuration;

namespace StreamEngine.Activation.Files;

/// <summary>A folder's config, checked, and how its files are written.</summary>
/// <param name="Options">The config.</param>
/// <param name="Folder">The folder, in full.</param>
/// <param name="Columns">The columns of CSV and Parquet.</param>
internal sealed record FilesTarget(FilesOptions Options, string Folder, IReadOnlyList<RecordColumn> Columns)
{
    /// <summary>The files' ending.</summary>
    public string Extension => $".{Options.Format.ToString().ToLowerInvariant()}";

    /// <summary>Checks the config; null where it has mistakes, all of which are told.</summary>
    public static FilesTarget? Compile(FilesOptions options, RecordKind kind, string folder, ConfigErrors errors)
    {
        var before = errors.All.Count;
        if (string.IsNullOrWhiteSpace(options.Folder) || options.Folder.Contains('\0'))
            errors.Add(options.Node, "folder", "it names no folder", "Name the folder that the files are to be in");
        if (options.Columns.Count > 0 && options.Format == ActivationFileFormat.Ndjson)
            errors.Add(options.Node, "columns", "ndjson has whole records, and no columns",
                "Take it out, or set format to csv or parquet");
        var columns = RecordColumns.Compile(options.Columns, kind, options.Node, errors);
        return errors.All.Count > before ? null
            : new FilesTarget(options, Path.GetFullPath(options.Folder, Path.GetFullPath(folder)), columns);
    }

    /// <summary>Writes a file's content.</summary>
    public Task WriteAsync(Stream file, IReadOnlyList<ActivationRecord> records, CancellationToken stop) => Options.Format switch
    {
        ActivationFileFormat.Parquet => ParquetAsync(file, records, stop),
        ActivationFileFormat.Csv => LinesAsync(file, records.Select(r => Line(Columns.Select(c => c.Text(r))))
            .Prepend(Line(Columns.Select(c => (string?)c.Name))), stop),
        _ => LinesAsync(file, records.Select(r => Encoding.UTF8.GetString(r.Json) + "\n"), stop),
    };

    private static async Task LinesAsync(Stream file, IEnumerable<string> lines, CancellationToken stop)
    {
        var writer = new StreamWriter(file, new UTF8Encoding(false), 1 << 16, leaveOpen: true);
        await using (writer.ConfigureAwait(false))
            foreach (var line in lines) await writer.WriteAsync(line.AsMemory(), stop).ConfigureAwait(false);
    }

    /// <summary>A line of RFC 4180; an absent value is empty, an empty text is quoted.</summary>
    private static string Line(IEnumerable<string?> values) => string.Join(',', values.Select(v => v is null ? ""
        : v.Length == 0 || v.AsSpan().ContainsAny(",\"\r\n") ? $"\"{v.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : v)) + "\r\n";

    private async Task ParquetAsync(Stream file, IReadOnlyList<ActivationRecord> records, CancellationToken stop)
    {
        var fields = Columns.Select(c => c.Type switch
        {
            ColumnType.Double => new DataField<double?>(c.Name),
            ColumnType.Long => new DataField<long?>(c.Name),
            ColumnType.Bool => new DataField<bool?>(c.Name),
            ColumnType.Time => new DateTimeDataField(c.Name, DateTimeFormat.Timestamp, isAdjustedToUTC: true,
                unit: DateTimeTimeUnit.Millis, isNullable: true),
            _ => new DataField(c.Name, typeof(string), isNullable: true),
        }).ToList();
        var schema = new ParquetSchema(fields);
        var writer = await ParquetWriter.CreateAsync(schema, file, cancellationToken: stop).ConfigureAwait(false);
        await using (writer.ConfigureAwait(false))
        {
            using var group = writer.CreateRowGroup();
            for (var i = 0; i < Columns.Count; i++)
            {
                var (column, field) = (Columns[i], schema.DataFields[i]);
                await (column.Type switch
                {
                    ColumnType.Double => Write(group, field, records, column.Double, stop),
                    ColumnType.Long => Write(group, field, records, column.Long, stop),
                    ColumnType.Bool => Write(group, field, records, column.Bool, stop),
                    ColumnType.Time => Write(group, field, records, column.Time, stop),
                    _ => group.WriteAsync(field, [.. records.Select(column.Text)!]),
                }).ConfigureAwait(false);
            }
            group.CompleteValidate();
        }
    }

    private static Task Write<T>(ParquetRowGroupWriter group, DataField field, IReadOnlyList<ActivationRecord> records,
        Func<ActivationRecord, T?> value, CancellationToken stop) where T : struct =>
        group.WriteAsync<T>(field, new ReadOnlyMemory<T?>([.. records.Select(value)]), null, null, stop);
}
