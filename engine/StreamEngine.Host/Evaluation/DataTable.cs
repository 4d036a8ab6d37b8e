using System.Globalization;
using System.Text;
using Parquet;
using Parquet.Serialization;
using StreamEngine.Configuration;
using StreamEngine.Connectors.Files;

namespace StreamEngine.Host.Evaluation;

/// <summary>
/// A table that is read whole: from CSV with a header line (plain or gzip), or from Parquet, which the file's first bytes tell.
/// </summary>
/// <param name="Path">The file.</param>
/// <param name="Columns">The columns' names, in the file's order.</param>
/// <param name="Rows">The rows; null stands for a cell without a value.</param>
/// <param name="IsCsv">Whether it was CSV, where a row has a line.</param>
internal sealed record DataTable(string Path, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<object?>> Rows, bool IsCsv)
{
    /// <summary>More mistakes than that are not told: they are mostly the same one.</summary>
    private const int MostErrors = 20;

    /// <summary>Reads a file; what is wrong with it goes to <paramref name="errors"/>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="option">The option that names it, without its dashes.</param>
    /// <param name="needed">The columns that must be there.</param>
    /// <param name="errors">Receives every mistake.</param>
    public static DataTable Read(string path, string option, IReadOnlyList<string> needed, ConfigErrors errors)
    {
        if (!File.Exists(path))
        {
            errors.Add(new ConfigLocation(path, 0, 0, option), "there is no such file",
                $"Name a CSV or Parquet file with the columns {string.Join(", ", needed)}");
            return new DataTable(path, [], [], true);
        }
        var table = IsParquet(path) ? Parquet(path, option, errors) : Csv(path, option, errors);
        foreach (var name in needed.Except(table.Columns))
            errors.Add(table.At(-1, option), $"there is no column '{name}', only {string.Join(", ", table.Columns)}",
                $"Name the columns {string.Join(", ", needed)}; others are passed over");
        foreach (var name in table.Columns.GroupBy(c => c).Where(g => g.Count() > 1).Select(g => g.Key))
            errors.Add(table.At(-1, option), $"the column '{name}' is there more than once", "Give each column a name of its own");
        return table;
    }

    /// <summary>A column's place; -1 where there is none of that name.</summary>
    public int Column(string name) => Columns.ToList().IndexOf(name);

    /// <summary>A cell as text; empty where it has no value.</summary>
    public string Text(int row, int column) => Convert.ToString(Rows[row][column], CultureInfo.InvariantCulture) ?? "";

    /// <summary>
    /// A cell as a number. Text is read as the nearest double; a double, a float and an integer of a Parquet file are that number.
    /// </summary>
    public bool TryNumber(int row, int column, out double number)
    {
        if (Rows[row][column] is double or float or int or long or short or byte or sbyte or uint or ushort)
        {
            number = Convert.ToDouble(Rows[row][column], CultureInfo.InvariantCulture);
            return true;
        }
        if (Rows[row][column] is bool flag)
        {
            number = flag ? 1 : 0;
            return true;
        }
        return double.TryParse(Text(row, column), NumberStyles.Float, CultureInfo.InvariantCulture, out number);
    }

    /// <summary>A cell as a number; a mistake is told with its line.</summary>
    public double Number(int row, string column, string option, ConfigErrors errors)
    {
        if (TryNumber(row, Column(column), out var number)) return number;
        if (errors.All.Count < MostErrors)
            errors.Add(At(row, option), $"{column} is '{Text(row, Column(column))}', which is no number",
                "Write a decimal number with a point, such as 0.25 or 1e-3");
        return 0;
    }

    /// <summary>Where a row stands: its line in a CSV file, its number in a Parquet file; -1 is the header.</summary>
    public ConfigLocation At(int row, string option) => new(Path, IsCsv ? row + 2 : row + 1, 1, option);

    private static bool IsParquet(string path)
    {
        Span<byte> magic = stackalloc byte[4];
        using var file = File.OpenRead(path);
        return file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) == magic.Length && magic.SequenceEqual("PAR1"u8);
    }

    private static DataTable Csv(string path, string option, ConfigErrors errors)
    {
        using var file = CsvRows.Open(path);
        var header = file.Next() ?? [];
        var rows = new List<IReadOnlyList<object?>>();
        var table = new DataTable(path, header, rows, true);
        while (file.Next() is { } cells)
        {
            if (cells.Count == header.Count) rows.Add([.. cells]);
            else if (errors.All.Count < MostErrors)
                errors.Add(table.At(rows.Count, option), $"the row has {cells.Count} cells, the header {header.Count}",
                    "Give each row a cell for each column; quote a cell that has a comma");
        }
        return table;
    }

    private static object? Cell(Dictionary<string, object> row, string column) => row.TryGetValue(column, out var value) switch
    {
        false => null,
        true when value is ReadOnlyMemory<char> text => text.ToString(),
        true when value is byte[] utf8 => Encoding.UTF8.GetString(utf8),
        _ => value,
    };

    private static DataTable Parquet(string path, string option, ConfigErrors errors)
    {
        try
        {
            using var file = File.OpenRead(path);
            var read = ParquetSerializer.DeserializeUntypedAsync(file).GetAwaiter().GetResult();
            string[] columns = [.. read.Schema.Fields.Select(f => f.Name)];
            return new DataTable(path, columns, [.. read.Data.Select(row => columns.Select(name => Cell(row, name)).ToArray())], false);
        }
        catch (Exception e) when (e is ParquetException or InvalidDataException or IOException or NotSupportedException)
        {
            errors.Add(new ConfigLocation(path, 0, 0, option), $"it begins as a Parquet file and can't be read: {e.Message}",
                "Write it again, with plain columns of numbers and texts");
            return new DataTable(path, [], [], false);
        }
    }
}
