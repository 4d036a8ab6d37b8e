using System.Text;

namespace StreamEngine.Configuration;

/// <summary>Text of others for a line of the log or of the terminal.</summary>
public static class Printable
{
    /// <summary>
    /// The text with control characters and line separators written out (<c>\n</c>, <c>\u001b</c>): a name from a config, a file or a
    /// record can't begin a line of its own, nor steer a terminal.
    /// </summary>
    public static string Text(string text)
    {
        if (!text.Any(NeedsEscape)) return text;
        var plain = new StringBuilder(text.Length + 16);
        foreach (var c in text)
            if (!NeedsEscape(c)) plain.Append(c);
            else plain.Append(c switch { '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", _ => $"\\u{(int)c:x4}" });
        return plain.ToString();
    }

    private static bool NeedsEscape(char c) => char.IsControl(c) || c is '\u2028' or '\u2029';
}
