using System.Globalization;
using System.Text;

namespace StreamEngine.Configuration;

/// <summary>Texts from outside (names in configs, files and records, a registry's answer) made fit for a terminal and for a log.</summary>
public static class Printable
{
    /// <summary>
    /// The text with control characters, other than line breaks, and marks of writing direction as <c>\u001b</c>: none may move the cursor
    /// or hide what stands there.
    /// </summary>
    public static string Of(string text) => Escaped(text, Harmful);

    /// <summary>The same for one line: line breaks are written out too, so that no name can begin a line of its own.</summary>
    public static string Text(string text) => Escaped(text, c => Harmful(c) || c is '\n' or '\r' or '\t');

    /// <summary>As <see cref="Of"/>, cut where it is longer than a screen holds.</summary>
    public static string Short(string text) => Of(text.Length <= 2000 ? text : text[..2000] + " ...");

    private static string Escaped(string text, Func<char, bool> escape)
    {
        if (!text.Any(escape)) return text;
        var shown = new StringBuilder(text.Length + 16);
        foreach (var c in text)
            if (!escape(c)) shown.Append(c);
            else if (c is '\n' or '\r' or '\t') shown.Append(c switch { '\n' => "\\n", '\r' => "\\r", _ => "\\t" });
            else shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        return shown.ToString();
    }

    private static bool Harmful(char c) => c is not ('\n' or '\r' or '\t') && (char.IsControl(c) || char.GetUnicodeCategory(c) is
        UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
