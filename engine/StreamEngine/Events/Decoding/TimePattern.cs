using System.Text;
using StreamEngine.Configuration;

namespace StreamEngine.Events.Decoding;

/// <summary>
/// A .NET date and time pattern, compiled to steps over bytes: yyyy yy MM M MMM dd d HH H hh h mm m ss s f.. F.. tt zzz K, text in quotes,
/// and other characters as themselves. A point before F.. goes with it: both are left out where there is no fraction, as in .NET.
/// </summary>
internal sealed class TimePattern
{
    private static readonly string[] Months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    private readonly List<(char Letter, int Count)> _parts = [];

    private readonly string _text;

    private TimePattern(string text) => _text = text;

    /// <summary>The pattern as it was written.</summary>
    public override string ToString() => _text;

    /// <summary>Compiles a pattern, or says what is wrong with it.</summary>
    public static TimePattern? Compile(string pattern, out string problem)
    {
        problem = "";
        var compiled = new TimePattern(pattern);
        for (var i = 0; i < pattern.Length;)
        {
            var c = pattern[i];
            if (c is '\'' or '"')
            {
                var close = pattern.IndexOf(c, i + 1);
                if (close < 0)
                {
                    problem = "a quote is not closed";
                    return null;
                }
                foreach (var b in Encoding.UTF8.GetBytes(pattern[(i + 1)..close])) compiled._parts.Add(('\'', b));
                i = close + 1;
                continue;
            }
            var count = 1;
            while (i + count < pattern.Length && pattern[i + count] == c) count++;
            if (c == '.' && count == 1 && i + 1 < pattern.Length && pattern[i + 1] == 'F') compiled._parts.Add(('.', 1));
            else if (!char.IsAsciiLetter(c))
                for (var n = 0; n < count; n++)
                    foreach (var b in Encoding.UTF8.GetBytes(c.ToString())) compiled._parts.Add(('\'', b));
            else if (Known(c, count)) compiled._parts.Add((c, count));
            else if (c == 'T' && count == 1) compiled._parts.Add(('\'', 'T'));
            else problem = $"'{new string(c, count)}' is not known";
            i += count;
        }
        if (problem.Length == 0 && !compiled._parts.Exists(p => p.Letter == 'y')) problem = "it has no year";
        return problem.Length == 0 ? compiled : null;
    }

    /// <summary>
    /// Reads a text that fits the pattern; a part that is missing counts as its least value, an offset as that of the zone.
    /// </summary>
    public bool TryParse(ReadOnlySpan<byte> text, out long ms, TimeZoneInfo? zone = null)
    {
        ms = 0;
        int year = 1, month = 1, day = 1, hour = 0, minute = 0, second = 0, milli = 0, offset = TimeText.NoOffset, at = 0;
        var half = -1;
        foreach (var (letter, count) in _parts)
        {
            var least = count == 1 ? 1 : 2;
            var ok = letter switch
            {
                'y' when count == 2 => TimeText.Digits(text, ref at, 2, 2, out year) && (year += year < 50 ? 2000 : 1900) > 0,
                'y' => TimeText.Digits(text, ref at, 4, 4, out year),
                'M' when count == 3 => MonthName(text, ref at, out month),
                'M' => TimeText.Digits(text, ref at, least, 2, out month),
                'd' => TimeText.Digits(text, ref at, least, 2, out day),
                'H' => TimeText.Digits(text, ref at, least, 2, out hour),
                'h' => TimeText.Digits(text, ref at, least, 2, out hour) && hour is >= 1 and <= 12,
                'm' => TimeText.Digits(text, ref at, least, 2, out minute),
                's' => TimeText.Digits(text, ref at, least, 2, out second),
                'f' => TimeText.Fraction(text, ref at, out milli),
                '.' => at == text.Length || text[at] != '.' || ++at > 0,
                'F' => at == text.Length || (uint)(text[at] - '0') > 9 || TimeText.Fraction(text, ref at, out milli),
                't' => Half(text, ref at, count, out half),
                'z' or 'K' => TimeText.Zone(text, ref at, out offset),
                _ => at < text.Length && text[at++] == count,
            };
            if (!ok) return false;
        }
        if (half >= 0) hour = hour % 12 + half;
        return at == text.Length && TimeText.TryMake(year, month, day, hour, minute, second, milli, offset, out ms,
            zone);
    }

    private static bool Known(char c, int count) => c switch
    {
        'y' => count is 2 or 4,
        'M' => count <= 3,
        'd' or 'H' or 'h' or 'm' or 's' or 't' => count <= 2,
        'f' or 'F' => count <= 7,
        'z' => count == 3,
        'K' => count == 1,
        _ => false,
    };

    private static bool MonthName(ReadOnlySpan<byte> text, ref int at, out int month)
    {
        month = 0;
        if (text.Length - at < 3) return false;
        while (month < 12 && !Ascii.EqualsIgnoreCase(text.Slice(at, 3), Months[month])) month++;
        at += 3;
        return ++month <= 12;
    }

    private static bool Half(ReadOnlySpan<byte> text, ref int at, int count, out int half)
    {
        half = -1;
        if (text.Length - at < count) return false;
        half = (text[at] | 0x20) switch { 'a' => 0, 'p' => 12, _ => -1 };
        var ok = half >= 0 && (count == 1 || (text[at + 1] | 0x20) == 'm');
        at += count;
        return ok;
    }
}
