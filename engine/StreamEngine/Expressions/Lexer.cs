using System.Globalization;
using System.Text;

namespace StreamEngine.Expressions;

/// <summary>Cuts an expression's text into tokens by CEL's lexical rules, without uint and bytes literals.</summary>
internal sealed class Lexer(string text)
{
    private static readonly string[] Symbols =
        ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", "(", ")", "[", "]", ",", "."];

    private int _at;

    /// <summary>The next token; <see cref="TokenKind.End"/> at the end and ever after.</summary>
    /// <exception cref="SyntaxException">No token begins here.</exception>
    public Token Next()
    {
        SkipSpace();
        if (_at >= text.Length) return new Token(TokenKind.End, text.Length, "");
        var c = text[_at];
        if (IsQuote(c)) return Quoted(_at, raw: false);
        if (c is 'r' or 'R' && _at + 1 < text.Length && IsQuote(text[_at + 1])) return Quoted(_at, raw: true);
        if (IsNameStart(c)) return Name();
        if (char.IsAsciiDigit(c) || (c == '.' && _at + 1 < text.Length && char.IsAsciiDigit(text[_at + 1]))) return Number();
        foreach (var symbol in Symbols)
            if (string.CompareOrdinal(text, _at, symbol, 0, symbol.Length) == 0)
            {
                _at += symbol.Length;
                return new Token(TokenKind.Symbol, _at - symbol.Length, symbol);
            }
        throw Unexpected(c);
    }

    private SyntaxException Unexpected(char c) => new(_at, $"unexpected character '{c}'", c switch
    {
        '=' => "Equality is written ==",
        '&' => "And is written &&",
        '|' => "Or is written ||",
        '{' or '}' => "Maps and messages are not supported",
        _ => "Remove it, or quote the text",
    });

    private void SkipSpace()
    {
        while (_at < text.Length)
            if (char.IsWhiteSpace(text[_at])) _at++;
            else if (text[_at] == '/' && _at + 1 < text.Length && text[_at + 1] == '/')
                while (_at < text.Length && text[_at] != '\n') _at++;
            else return;
    }

    private Token Name()
    {
        var start = _at;
        while (_at < text.Length && (IsNameStart(text[_at]) || char.IsAsciiDigit(text[_at]))) _at++;
        var name = text[start.._at];
        if (name is "b" or "B" or "br" or "rb" && _at < text.Length && IsQuote(text[_at]))
            throw new SyntaxException(start, "bytes literals are not supported", "Write a text without the prefix b");
        return new Token(TokenKind.Name, start, name);
    }

    private Token Number()
    {
        var start = _at;
        if (text[_at] == '0' && _at + 1 < text.Length && text[_at + 1] is 'x' or 'X')
        {
            _at += 2;
            while (_at < text.Length && char.IsAsciiHexDigit(text[_at])) _at++;
            return Ended(TokenKind.Int, start);
        }
        Digits();
        var isDouble = false;
        if (_at + 1 < text.Length && text[_at] == '.' && char.IsAsciiDigit(text[_at + 1]))
        {
            isDouble = true;
            _at++;
            Digits();
        }
        if (_at < text.Length && text[_at] is 'e' or 'E')
        {
            isDouble = true;
            _at++;
            if (_at < text.Length && text[_at] is '+' or '-') _at++;
            Digits();
        }
        return Ended(isDouble ? TokenKind.Double : TokenKind.Int, start);
    }

    private void Digits()
    {
        while (_at < text.Length && char.IsAsciiDigit(text[_at])) _at++;
    }

    private Token Ended(TokenKind kind, int start)
    {
        if (_at < text.Length && text[_at] is 'u' or 'U')
            throw new SyntaxException(start, "unsigned literals are not supported", "Remove the suffix u");
        if (_at < text.Length && IsNameStart(text[_at]) || !char.IsAsciiHexDigit(text[_at - 1]) || text[_at - 1] is 'e' or 'E'
            && kind == TokenKind.Double)
            throw new SyntaxException(start, "malformed number", "Write it like 12, 0x1f, 0.5 or 1e6");
        return new Token(kind, start, text[start.._at]);
    }

    private Token Quoted(int start, bool raw)
    {
        if (raw) _at++;
        var quote = text[_at];
        var triple = string.CompareOrdinal(text, _at, new string(quote, 3), 0, 3) == 0;
        var close = new string(quote, triple ? 3 : 1);
        _at += close.Length;
        var value = new StringBuilder();
        while (string.CompareOrdinal(text, _at, close, 0, close.Length) != 0)
        {
            if (_at >= text.Length || (!triple && text[_at] is '\n' or '\r'))
                throw new SyntaxException(start, "the text has no closing quote", $"Close it with {close}");
            if (text[_at] == '\\' && !raw) Escape(value);
            else value.Append(text[_at++]);
        }
        _at += close.Length;
        return new Token(TokenKind.String, start, value.ToString());
    }

    private void Escape(StringBuilder value)
    {
        var start = _at++;
        var c = _at < text.Length ? text[_at++] : '\0';
        switch (c)
        {
            case 'a': value.Append('\a'); break;
            case 'b': value.Append('\b'); break;
            case 'f': value.Append('\f'); break;
            case 'n': value.Append('\n'); break;
            case 'r': value.Append('\r'); break;
            case 't': value.Append('\t'); break;
            case 'v': value.Append('\v'); break;
            case '\\' or '?' or '"' or '\'' or '`': value.Append(c); break;
            case 'x' or 'X': CodePoint(value, start, 2); break;
            case 'u': CodePoint(value, start, 4); break;
            case 'U': CodePoint(value, start, 8); break;
            case >= '0' and <= '3': Octal(value, start); break;
            default:
                throw new SyntaxException(start, $"unknown escape '\\{c}'", "Write a backslash as \\\\, or the text as r'...'");
        }
    }

    private void CodePoint(StringBuilder value, int start, int digits)
    {
        if (_at + digits > text.Length
            || !uint.TryParse(text.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
            || !Rune.IsValid(code))
            throw new SyntaxException(start, "malformed escape", $"It takes {digits} hexadecimal digits of a Unicode code point");
        _at += digits;
        value.Append(new Rune(code));
    }

    private void Octal(StringBuilder value, int start)
    {
        var code = text[_at - 1] - '0';
        for (var i = 0; i < 2; i++, _at++)
        {
            if (_at >= text.Length || text[_at] is < '0' or > '7')
                throw new SyntaxException(start, "malformed escape", "It takes three octal digits, 000 to 377");
            code = code * 8 + (text[_at] - '0');
        }
        value.Append((char)code);
    }

    private static bool IsQuote(char c) => c is '\'' or '"';

    private static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_';
}
