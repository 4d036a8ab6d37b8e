using System.Globalization;
using System.Text;
using System.Text.Json;
using Parquet;
using Parquet.Schema;
using Parquet.Serialization;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Replay;

namespace StreamEngine.Host.Evaluation.Export;

/// <summary>Writes a table's rows to a file, as Parquet or as CSV; memory holds one group of rows, however long the table is.</summary>
internal sealed class TableFile : IDisposable
{
    /// <summary>Rows of a row group: enough for columns to pack well, few enough to hold.</summary>
    public const int GroupRows = 20_000;

    private readonly IReadOnlyList<DecisionColumn> _columns;
    private readonly FileStream _file;
    private readonly FeatureCsv? _csv;
    private readonly ParquetSchema _schema;
    private readonly Dictionary<string, string> _about;
    private readonly List<IDictionary<string, object?>> _group = [];
    private bool _begun;

    /// <param name="path">The file.</param>
    /// <param name="isParquet">Whether it is Parquet, and not CSV.</param>
    /// <param name="columns">The columns.</param>
    /// <param name="about">What Parquet's metadata say of the table beside its columns.</param>
    public TableFile(string path, bool isParquet, IReadOnlyList<DecisionColumn> columns, IReadOnlyDictionary<string, string> about)
    {
        _columns = columns;
        _schema = new ParquetSchema(columns.Select(c => c.Field));
        _about = new(about)
        {
            ["streamengine.columns"] = JsonSerializer.Serialize(columns.Where(c => c.Doc.Length > 0)
                .ToDictionary(c => c.Field.Name, c => c.Doc)),
        };
        _file = ResultPath.Create(path, access: FileAccess.ReadWrite);
        if (isParquet) return;
        _csv = new FeatureCsv(new StreamWriter(_file, new UTF8Encoding(false)));
        _csv.Write(columns.Select(c => c.Field.Name));
    }

    /// <summary>How many rows were written.</summary>
    public long Rows { get; private set; }

    /// <summary>Whether a file of this name is Parquet, by its ending.</summary>
    public static bool IsParquet(string path) => path.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase);

    /// <summary>Writes a row.</summary>
    public void Write(JsonElement decision, LoggedItem? candidate)
    {
        Rows++;
        if (_csv is not null)
        {
            _csv.Write(_columns.Select(c => Cell(c.Read(decision, candidate))));
            return;
        }
        _group.Add(_columns.ToDictionary(c => c.Field.Name, c => c.Read(decision, candidate)));
        if (_group.Count >= GroupRows) WriteGroup();
    }

    /// <summary>Writes what is left; a Parquet file without rows has its columns all the same.</summary>
    public void Finish()
    {
        if (_csv is null && (_group.Count > 0 || !_begun)) WriteGroup();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _csv?.Dispose();
        _file.Dispose();
    }

    private void WriteGroup()
    {
        ParquetSerializer.SerializeUntypedAsync(_group!, _schema, _file, new ParquetOptions { Append = _begun, RowGroupSize = GroupRows },
            _about).GetAwaiter().GetResult();
        _group.Clear();
        _begun = true;
    }

    private static string Cell(object? value) => value switch
    {
        null => "",
        string text => text,
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        DateTime time => time.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
        bool flag => flag ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => JsonSerializer.Serialize(value), // a list: CSV has none
    };
}
