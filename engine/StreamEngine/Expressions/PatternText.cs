using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace StreamEngine.Expressions;

/// <summary>
/// A regular expression in the syntax of RE2, which CEL asks for, as one of .NET that takes linear time. What has no equal there is
/// refused: a pattern never means something else. Only whether a text matches is asked, so groups don't capture.
/// </summary>
internal sealed class PatternText
{
    private const int MaxRepeat = 1000;
    private const int MaxDepth = 100;

    private readonly string _text;
    private int _at, _depth;
    private bool _ignoreCase, _dotAll, _multiLine;

    private PatternText(string text) => _text = text;

    /// <summary>The pattern compiled.</summary>
    /// <exception cref="FormatException">It is none, or has no equal; the message says why.</exception>
    public static Regex Compile(string pattern)
    {
        var reader = new PatternText(pattern);
        var code = reader.Alternatives();
        if (reader._at < pattern.Length) throw new FormatException("a ')' has no '(' before it");
        try
        {
            return new Regex(code, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new FormatException("it is too large", e);
        }
    }

    private string Alternatives()
    {
        if (++_depth > MaxDepth) throw new FormatException("it nests too deeply");
        var flags = (_ignoreCase, _dotAll, _multiLine);
        var code = new StringBuilder();
        while (_at < _text.Length && _text[_at] != ')')
            if (_text[_at] == '|')
            {
                code.Append('|');
                _at++;
            }
            else code.Append(Repeated());
        (_ignoreCase, _dotAll, _multiLine) = flags;
        _depth--;
        return code.ToString();
    }

    private string Repeated()
    {
        if (_text[_at] is '*' or '+' or '?') throw new FormatException($"nothing stands before '{_text[_at]}' that it could repeat");
        var atom = Atom();
        if (Quantifier() is not { } quantifier) return atom;
        // Lazy or greedy: the same texts match.
        if (_at < _text.Length && _text[_at] == '?') _at++;
        if (_at < _text.Length && (_text[_at] is '*' or '+' or '?' || Quantifier() is not null))
            throw new FormatException("a repetition is repeated; write a group between");
        return $"(?:{atom}){quantifier}";
    }

    private string? Quantifier()
    {
        if (_at >= _text.Length) return null;
        if (_text[_at] is '*' or '+' or '?') return _text[_at++].ToString();
        if (_text[_at] != '{') return null;
        var match = Regex.Match(_text[_at..], @"^\{([0-9]{1,9})(,([0-9]{0,9}))?\}", RegexOptions.CultureInvariant);
        if (!match.Success) return null;
        var least = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        var most = match.Groups[3].Length > 0 ? int.Parse(match.Groups[3].ValueSpan, CultureInfo.InvariantCulture) : least;
        if (least > MaxRepeat || most > MaxRepeat || most < least)
            throw new FormatException($"'{match.Value}' is no repetition up to {MaxRepeat}");
        _at += match.Length;
        return match.Value;
    }

    private string Atom()
    {
        var rune = Next();
        switch (rune.Value)
        {
            case '(': return Group();
            case '[': return Brackets().Code();
            case '.': return (_dotAll ? new RuneSet() : new RuneSet().Add('\n', '\n')).Complement().Code();
            case '^': return _multiLine ? "(?m:^)" : "\\A";
            case '$': return _multiLine ? "(?m:$)" : "\\z";
            case '\\' when _at < _text.Length && _text[_at] is 'A' or 'z': return "\\" + _text[_at++];
            case '\\': return Cased(Escape()).Code();
            default: return Cased(new RuneSet().Add(rune.Value, rune.Value)).Code();
        }
    }

    private string Group()
    {
        var outer = (_ignoreCase, _dotAll, _multiLine);
        if (_at < _text.Length && _text[_at] == '?')
        {
            _at++;
            var name = Regex.Match(_text[_at..], @"^P?<[A-Za-z_][A-Za-z0-9_]*>", RegexOptions.CultureInvariant);
            if (name.Success) _at += name.Length;
            else if (Flags()) return "";
        }
        var inner = Alternatives();
        if (_at >= _text.Length) throw new FormatException("a '(' has no ')'");
        _at++;
        (_ignoreCase, _dotAll, _multiLine) = outer;
        return $"(?:{inner})";
    }

    /// <summary>Reads <c>i</c>, <c>s</c>, <c>m</c> behind <c>(?</c>; true where they hold up to the end of the group around them.</summary>
    private bool Flags()
    {
        var on = true;
        for (; _at < _text.Length; _at++)
            switch (_text[_at])
            {
                case 'i': _ignoreCase = on; break;
                case 's': _dotAll = on; break;
                case 'm': _multiLine = on; break;
                case '-' when on: on = false; break;
                case ')' or ':': return _text[_at++] == ')';
                default: throw new FormatException($"'(?{_text[_at]}' is not supported");
            }
        throw new FormatException("a '(' has no ')'");
    }

    private RuneSet Brackets()
    {
        var negated = _at < _text.Length && _text[_at] == '^';
        if (negated) _at++;
        var set = new RuneSet();
        for (var first = true; ; first = false)
        {
            if (_at >= _text.Length) throw new FormatException("a '[' has no ']'");
            if (_text[_at] == ']' && !first) break;
            var posix = Regex.Match(_text[_at..], @"^\[:(\^?)([a-z]+):\]", RegexOptions.CultureInvariant);
            if (posix.Success)
            {
                _at += posix.Length;
                var named = RuneSet.Named(posix.Groups[2].Value) ?? throw new FormatException($"'{posix.Value}' is not known");
                set.Add(posix.Groups[1].Length > 0 ? named.Complement() : named);
                continue;
            }
            var low = Item();
            var ranged = _at + 1 < _text.Length && _text[_at] == '-' && _text[_at + 1] != ']';
            if (!ranged)
            {
                set.Add(low);
                continue;
            }
            _at++;
            var high = Item();
            if (low.Single is not { } from || high.Single is not { } to || from > to)
                throw new FormatException("a range in '[...]' is not one");
            set.Add(from, to);
        }
        _at++;
        set = Cased(set);
        return negated ? set.Complement() : set;
    }

    private RuneSet Item()
    {
        var rune = Next();
        return rune.Value == '\\' ? Escape() : new RuneSet().Add(rune.Value, rune.Value);
    }

    private RuneSet Escape()
    {
        if (_at >= _text.Length) throw new FormatException("it ends with a backslash");
        var c = Next().Value;
        switch (c)
        {
            case 'd' or 'w' or 's': return RuneSet.Named(c == 'd' ? "digit" : c == 'w' ? "word" : "perlspace")!;
            case 'D' or 'W' or 'S': return RuneSet.Named(c == 'D' ? "digit" : c == 'W' ? "word" : "perlspace")!.Complement();
            case 't': c = '\t'; break;
            case 'n': c = '\n'; break;
            case 'r': c = '\r'; break;
            case 'f': c = '\f'; break;
            case 'v': c = '\v'; break;
            case 'a': c = '\a'; break;
            case 'x': c = Hexadecimal(); break;
            case >= 128: throw new FormatException("a backslash before such a letter is not supported");
            default:
                if (char.IsAsciiLetterOrDigit((char)c))
                    throw new FormatException($"'\\{(char)c}' is not supported");
                break;
        }
        return new RuneSet().Add(c, c);
    }

    private int Hexadecimal()
    {
        var match = Regex.Match(_text[_at..], @"^(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})", RegexOptions.CultureInvariant);
        var digits = match.Groups[1].Length > 0 ? match.Groups[1].ValueSpan : match.Groups[2].ValueSpan;
        if (!match.Success || !Rune.IsValid(int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)))
            throw new FormatException("'\\x' takes two hexadecimal digits, or a code point in braces");
        _at += match.Length;
        return int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }

    private RuneSet Cased(RuneSet set) => _ignoreCase ? set.WithBothCases() : set;

    private Rune Next()
    {
        if (!Rune.TryGetRuneAt(_text, _at, out var rune)) throw new FormatException("it is no Unicode text");
        _at += rune.Utf16SequenceLength;
        return rune;
    }
}
