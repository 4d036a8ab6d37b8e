using System.Globalization;
using System.Text;
using StreamEngine.Events;

namespace StreamEngine.Connectors.Files;

/// <summary>The header of a CSV file, and the columns that a source needs of it.</summary>
internal static class CsvHeader
{
    private const int MostShown = 200;

    /// <summary>The fields of one CSV line as text.</summary>
    public static IReadOnlyList<string> Split(ReadOnlySpan<byte> line, byte separator = (byte)',')
    {
        var text = Encoding.UTF8.GetString(line);
        var fields = new List<string>();
        var field = new StringBuilder();
        var quoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (quoted && c == '"' && i + 1 < text.Length && text[i + 1] == '"') field.Append(text[i++]);
            else if (c == '"' && (quoted || field.Length == 0)) quoted = !quoted;
            else if (c == separator && !quoted)
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else field.Append(c);
        }
        fields.Add(field.ToString());
        return fields;
    }

    /// <summary>The columns that the source reads.</summary>
    public static IEnumerable<string> Needed(EventSourceOptions source) =>
        source.Reads().Select(r => RecordPart.Unescaped(r.Path)).Distinct();

    /// <summary>Whether a line says the same columns in the same order, blanks and capitals aside.</summary>
    public static bool Same(IReadOnlyList<string> line, IReadOnlyList<string> columns) =>
        line.Count == columns.Count && line.Zip(columns).All(p => Plain(p.First) == Plain(p.Second));

    /// <summary>
    /// Whether a line is a header that says other columns, or in another order: half of its cells or more are names of columns.
    /// </summary>
    public static bool LooksLike(IReadOnlyList<string> line, IReadOnlyList<string> columns)
    {
        var names = columns.Select(Plain).Where(n => n.Length > 0).ToHashSet();
        return line.Select(Plain).Distinct().Count(names.Contains) * 2 >= line.Count;
    }

    private static string Plain(string name) => name.Trim().ToLowerInvariant();

    /// <summary>A header for messages: at most 200 characters, those that can't be printed as escapes.</summary>
    public static string Shown(IReadOnlyList<string> header)
    {
        var text = new StringBuilder();
        foreach (var c in string.Join(',', header))
        {
            if (text.Length >= MostShown) return text.Append("...").ToString();
            if (char.IsControl(c) || c is '\uFFFD' || char.IsSurrogate(c)) text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else text.Append(c);
        }
        return text.ToString();
    }

    /// <summary>What to do about a header that does not fit.</summary>
    public static string Hint(IReadOnlyList<string> header)
    {
        if (header.Count == 1 && header[0].Contains(';', StringComparison.Ordinal))
            return "Its columns seem to be parted by ';': set the source's separator: ';'";
        if (header.Count == 1 && header[0].Contains('\t', StringComparison.Ordinal))
            return "Its columns seem to be parted by tabs: set the source's separator: '\\t'";
        if (header.Any(h => h.Contains('\uFFFD', StringComparison.Ordinal)))
            return "The file is not UTF-8: set the source's encoding: latin1, windows1252 or utf16";
        return "Name the columns as the file does, or name them all in the source's 'columns' where the file has no header";
    }
}
