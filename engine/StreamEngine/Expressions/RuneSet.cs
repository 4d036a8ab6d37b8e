using System.Globalization;
using System.Text;

namespace StreamEngine.Expressions;

/// <summary>A set of code points, as a regular expression's brackets hold it.</summary>
internal sealed class RuneSet
{
    private const int LastOfTwoBytes = 0xFFFF, Last = 0x10FFFF;

    private readonly List<(int From, int To)> _ranges = [];

    /// <summary>The code point, where it is one only.</summary>
    public int? Single => _ranges is [var (from, to)] && from == to ? from : null;

    /// <summary>A class by its name in POSIX, or <c>word</c> and <c>perlspace</c>; null where there is none.</summary>
    public static RuneSet? Named(string name)
    {
        // As RE2 has them: of ASCII alone.
        var ranges = name switch
        {
            "alnum" => "09AZaz",
            "alpha" => "AZaz",
            "ascii" => "\0\x7f",
            "blank" => "\t\t  ",
            "cntrl" => "\0\x1f\x7f\x7f",
            "digit" => "09",
            "graph" => "!~",
            "lower" => "az",
            "print" => " ~",
            "punct" => "!/:@[`{~",
            "space" => "\t\r  ",
            "perlspace" => "\t\n\f\r  ",
            "upper" => "AZ",
            "word" => "09AZaz__",
            "xdigit" => "09AFaf",
            _ => null,
        };
        if (ranges is null) return null;
        var set = new RuneSet();
        for (var i = 0; i < ranges.Length; i += 2) set.Add(ranges[i], ranges[i + 1]);
        return set;
    }

    public RuneSet Add(int from, int to)
    {
        _ranges.Add((from, to));
        return this;
    }

    public void Add(RuneSet other) => _ranges.AddRange(other._ranges);

    /// <summary>All code points that are not in the set.</summary>
    public RuneSet Complement()
    {
        var (rest, next) = (new RuneSet(), 0);
        foreach (var (from, to) in _ranges.Order())
        {
            if (from > next) rest.Add(next, from - 1);
            next = Math.Max(next, to + 1);
        }
        return next <= Last ? rest.Add(next, Last) : rest;
    }

    /// <summary>With the other case of every letter. Two letters beyond ASCII have one of ASCII as their other case.</summary>
    public RuneSet WithBothCases()
    {
        var both = new RuneSet();
        foreach (var (from, to) in _ranges)
        {
            if (to > 127)
                throw new FormatException("letters beyond ASCII are not supported where case is ignored");
            both.Add(from, to);
            for (var c = from; c <= to; c++)
                if (char.IsAsciiLetter((char)c))
                {
                    both.Add(c ^ 0x20, c ^ 0x20);
                    if ((c | 0x20) == 'k') both.Add(0x212A, 0x212A);
                    if ((c | 0x20) == 's') both.Add(0x17F, 0x17F);
                }
        }
        return both;
    }

    /// <summary>The set as a regular expression over UTF-16.</summary>
    public string Code()
    {
        if (Single is > LastOfTwoBytes and var rune) return string.Concat(new Rune(rune).ToString().Select(c => $"\\u{(int)c:X4}"));
        var (brackets, beyond) = (new StringBuilder("["), Beyond());
        foreach (var (from, to) in _ranges)
        {
            // A surrogate is half a code point: it never matches by itself.
            Append(brackets, from, Math.Min(to, 0xD7FF));
            Append(brackets, Math.Max(from, 0xE000), Math.Min(to, LastOfTwoBytes));
        }
        var code = brackets.Length == 1 ? "[^\\s\\S]" : brackets.Append(']').ToString();
        return beyond ? $"(?:[\\uD800-\\uDBFF][\\uDC00-\\uDFFF]|{code})" : code;
    }

    /// <summary>Whether all code points beyond two bytes are in the set; where only some are, it can't be written.</summary>
    private bool Beyond()
    {
        var some = _ranges.Where(r => r.To > LastOfTwoBytes).ToList();
        if (some.Count == 0) return false;
        if (some.Exists(r => r.From <= LastOfTwoBytes + 1 && r.To == Last)) return true;
        throw new FormatException("code points beyond U+FFFF are not supported in '[...]'");
    }

    private static void Append(StringBuilder brackets, int from, int to)
    {
        if (from <= to) brackets.Append(CultureInfo.InvariantCulture, $"\\u{from:X4}-\\u{to:X4}");
    }
}
