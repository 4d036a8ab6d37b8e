using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Connectors.Files;

namespace StreamEngine.Host.Replay;

/// <summary>The labels of a training set: whose vector, and before when.</summary>
/// <param name="Header">The file's columns.</param>
/// <param name="Rows">The rows in the file's order.</param>
internal sealed record Labels(IReadOnlyList<string> Header, IReadOnlyList<Label> Rows)
{
    private const int MostErrors = 20;

    /// <summary>A column that has a feature's name would stand twice in the result.</summary>
    public void CheckAgainst(IReadOnlyList<string> features, string path, ConfigErrors errors)
    {
        foreach (var name in Header.Intersect(features))
            errors.Add(new ConfigLocation(path, 1, 1, "at"), $"the column '{name}' has the name of a feature",
                "Rename the column: both stand in the result, and a reader could not tell them apart");
    }

    /// <summary>
    /// Reads a CSV file with the columns <c>customer</c> and <c>time</c> (ISO 8601 or milliseconds since 1970) and any others.
    /// </summary>
    public static Labels Read(string path, ConfigErrors errors)
    {
        var rows = new List<Label>();
        if (!File.Exists(path))
        {
            errors.Add(new ConfigLocation(path, 0, 0, "at"), "there is no such file", "Name a CSV file with the columns customer and time");
            return new Labels([], rows);
        }
        using var file = CsvRows.Open(path);
        var header = file.Next() ?? [];
        var (customer, time) = (header.ToList().IndexOf("customer"), header.ToList().IndexOf("time"));
        if (customer < 0 || time < 0)
        {
            errors.Add(new ConfigLocation(path, 1, 1, "at"),
                $"the header '{string.Join(',', header)}' lacks {(customer < 0 ? "customer" : "time")}",
                "Name the columns customer and time in the first line; others are passed through");
            return new Labels(header, rows);
        }
        foreach (var name in header.Where(n => header.Count(h => h == n) > 1).Distinct())
            errors.Add(new ConfigLocation(path, 1, 1, "at"), $"the header has '{name}' more than once",
                "Give each column a name of its own");
        for (var line = 2; file.Next() is { } cells; line++)
        {
            if (cells.Count == header.Count && TimeText.TryRead(Encoding.UTF8.GetBytes(cells[time]), out var at))
                rows.Add(new Label(Encoding.UTF8.GetBytes(cells[customer]), at, cells));
            else if (errors.All.Count < MostErrors)
                errors.Add(new ConfigLocation(path, line, 1, "at"), cells.Count != header.Count
                    ? $"the row has {cells.Count} cells, the header {header.Count}"
                    : $"'{cells[time]}' is not a time", "Write ISO 8601 (UTC where no offset is given) or milliseconds since 1970");
        }
        return new Labels(header, rows);
    }
}

/// <summary>One label.</summary>
/// <param name="Customer">The customer id.</param>
/// <param name="Time">Only events strictly before this count, ms.</param>
/// <param name="Cells">The row as it stands in the file.</param>
internal sealed record Label(byte[] Customer, long Time, IReadOnlyList<string> Cells);
