using System.Globalization;
using System.Text;

namespace StreamEngine.Configuration;

/// <summary>Texts from outside (names in files, a registry's answer) made fit for a terminal.</summary>
internal static class Printable
{
    /// <summary>
    /// The text with control characters, other than line breaks, and marks of writing direction as <c>\u001b</c>: none may move the cursor
    /// or hide what stands there.
    /// </summary>
    public static string Of(string text)
    {
        if (!text.Any(Harmful)) return text;
        var shown = new StringBuilder();
        foreach (var c in text)
            if (Harmful(c)) shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else shown.Append(c);
        return shown.ToString();
    }

    /// <summary>The same, cut where it is longer than a screen holds.</summary>
    public static string Short(string text) => Of(text.Length <= 2000 ? text : text[..2000] + " ...");

    private static bool Harmful(char c) => c is not ('\n' or '\r' or '\t') && (char.IsControl(c) || char.GetUnicodeCategory(c) is
        UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
