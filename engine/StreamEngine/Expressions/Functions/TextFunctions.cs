using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using System.Text.Unicode;

namespace StreamEngine.Expressions.Functions;

/// <summary>Functions of texts, as CEL and its strings extension define them. Positions count code points.</summary>
internal static class TextFunctions
{
    private const string OutOfRange = "the index is out of range";

    [Cel("startsWith", IsMethod = true)]
    public static bool StartsWith(ReadOnlySpan<byte> text, ReadOnlySpan<byte> part) => text.StartsWith(part);

    [Cel("endsWith", IsMethod = true)]
    public static bool EndsWith(ReadOnlySpan<byte> text, ReadOnlySpan<byte> part) => text.EndsWith(part);

    [Cel("contains", IsMethod = true)]
    public static bool Contains(ReadOnlySpan<byte> text, ReadOnlySpan<byte> part) => text.IndexOf(part) >= 0;

    /// <summary>The number of code points: all bytes that don't continue one.</summary>
    [Cel("size"), Cel("size", IsMethod = true)]
    public static long Size(ReadOnlySpan<byte> text)
    {
        long size = 0;
        foreach (var b in text)
            if ((b & 0xC0) != 0x80) size++;
        return size;
    }

    [Cel("matches"), Cel("matches", IsMethod = true)]
    public static bool Matches(ReadOnlySpan<byte> text, Regex pattern)
    {
        var chars = Scratch.Chars(text.Length);
        return Utf8.ToUtf16(text, chars, out _, out var written) == OperationStatus.Done && pattern.IsMatch(chars[..written]);
    }

    [Cel("lowerAscii", IsMethod = true)]
    public static ReadOnlySpan<byte> LowerAscii(ReadOnlySpan<byte> text)
    {
        var lower = Scratch.Text(text.Length);
        for (var i = 0; i < lower.Length; i++) lower[i] = text[i] is >= (byte)'A' and <= (byte)'Z' ? (byte)(text[i] | 0x20) : text[i];
        return lower;
    }

    [Cel("upperAscii", IsMethod = true)]
    public static ReadOnlySpan<byte> UpperAscii(ReadOnlySpan<byte> text)
    {
        var upper = Scratch.Text(text.Length);
        for (var i = 0; i < upper.Length; i++) upper[i] = text[i] is >= (byte)'a' and <= (byte)'z' ? (byte)(text[i] & ~0x20) : text[i];
        return upper;
    }

    /// <summary>Without the white space of Unicode at both ends.</summary>
    [Cel("trim", IsMethod = true)]
    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text)
    {
        while (Rune.DecodeFromUtf8(text, out var rune, out var length) == OperationStatus.Done && Rune.IsWhiteSpace(rune))
            text = text[length..];
        while (Rune.DecodeLastFromUtf8(text, out var rune, out var length) == OperationStatus.Done && Rune.IsWhiteSpace(rune))
            text = text[..^length];
        return text;
    }

    [Cel("charAt", IsMethod = true)]
    public static ReadOnlySpan<byte> CharAt(ReadOnlySpan<byte> text, long index)
    {
        var at = ByteOf(text, index);
        return at < 0 || at == text.Length ? default : text.Slice(at, ByteOf(text[at..], 1));
    }

    [Cel("substring", IsMethod = true)]
    public static ReadOnlySpan<byte> Substring(ReadOnlySpan<byte> text, long start)
    {
        var at = ByteOf(text, start);
        return at < 0 ? default : text[at..];
    }

    /// <summary>From <paramref name="start"/> up to <paramref name="end"/>, which does not belong to it.</summary>
    [Cel("substring", IsMethod = true)]
    public static ReadOnlySpan<byte> Substring(ReadOnlySpan<byte> text, long start, long end)
    {
        var (from, to) = (ByteOf(text, start), ByteOf(text, end));
        if (from > to) ExprFault.Raise("the end of the substring is before its start");
        return from < 0 || to < from ? default : text[from..to];
    }

    [Cel("indexOf", IsMethod = true)]
    public static long IndexOf(ReadOnlySpan<byte> text, ReadOnlySpan<byte> part) => IndexOf(text, part, 0);

    /// <summary>Where the text has the part first, at or after a position; -1 where it has not.</summary>
    [Cel("indexOf", IsMethod = true)]
    public static long IndexOf(ReadOnlySpan<byte> text, ReadOnlySpan<byte> part, long start)
    {
        var from = ByteOf(text, start);
        if (from < 0) return -1;
        var at = text[from..].IndexOf(part);
        return at < 0 ? -1 : start + Size(text.Slice(from, at));
    }

    [Cel("lastIndexOf", IsMethod = true)]
    public static long LastIndexOf(ReadOnlySpan<byte> text, ReadOnlySpan<byte> part)
    {
        var at = part.IsEmpty ? text.Length : text.LastIndexOf(part);
        return at < 0 ? -1 : Size(text[..at]);
    }

    /// <summary>Where the text has the part last, at or before a position; -1 where it has not.</summary>
    [Cel("lastIndexOf", IsMethod = true)]
    public static long LastIndexOf(ReadOnlySpan<byte> text, ReadOnlySpan<byte> part, long start)
    {
        var from = ByteOf(text, start);
        if (from >= 0 && (from < text.Length || part.IsEmpty)) return LastIndexOf(text[..Math.Min(text.Length, from + part.Length)], part);
        // Behind the last code point only an empty part can begin.
        if (from >= 0) ExprFault.Raise(OutOfRange);
        return -1;
    }

    [Cel("replace", IsMethod = true)]
    public static ReadOnlySpan<byte> Replace(ReadOnlySpan<byte> text, ReadOnlySpan<byte> part, ReadOnlySpan<byte> by) =>
        Replace(text, part, by, -1);

    /// <summary>Replaces the first parts; all where the limit is negative. An empty part stands between all code points.</summary>
    [Cel("replace", IsMethod = true)]
    public static ReadOnlySpan<byte> Replace(ReadOnlySpan<byte> text, ReadOnlySpan<byte> part, ReadOnlySpan<byte> by, long limit)
    {
        var found = 0L;
        for (var at = 0; found != limit && Next(text, part, at) is var next and >= 0; found++) at = After(text, part, next);
        var result = Scratch.Text(text.Length + found * (by.Length - part.Length));
        var (from, to) = (0, 0);
        if (result.IsEmpty) return result;
        for (var search = 0; found > 0; found--)
        {
            var next = Next(text, part, search);
            text[from..next].CopyTo(result[to..]);
            to += next - from;
            by.CopyTo(result[to..]);
            to += by.Length;
            from = next + part.Length;
            search = After(text, part, next);
        }
        text[from..].CopyTo(result[to..]);
        return result;
    }

    [Cel("split", IsMethod = true, Elements = ExprType.String)]
    public static ListValue Split(ReadOnlySpan<byte> text, ReadOnlySpan<byte> separator) => Split(text, separator, -1);

    /// <summary>The parts between separators: at most <paramref name="limit"/>, all where it is negative.</summary>
    [Cel("split", IsMethod = true, Elements = ExprType.String)]
    public static ListValue Split(ReadOnlySpan<byte> text, ReadOnlySpan<byte> separator, long limit)
    {
        if (limit == 0) return Scratch.List(0);
        var count = 1;
        // An empty separator parts all code points, and an empty text has none.
        var first = separator.IsEmpty ? Width(text, 0) : 0;
        if (separator.IsEmpty && text.IsEmpty) return Scratch.List(0);
        for (var at = first; count != limit && NextSeparator(text, separator, at) is var next and >= 0; count++)
            at = After(text, separator, next);
        if (count > Scratch.LongestSplit)
        {
            ExprFault.Raise("the text has more than 65,536 parts");
            return Scratch.List(0);
        }
        var (list, from, search) = (Scratch.List(count), 0, first);
        for (var i = 0; i < count - 1; i++)
        {
            var next = NextSeparator(text, separator, search);
            list.Cells[i] = Scratch.Copy(text[from..next]);
            from = next + separator.Length;
            search = After(text, separator, next);
        }
        list.Cells[count - 1] = Scratch.Copy(text[from..]);
        return list;
    }

    [Cel("join", IsMethod = true, Elements = ExprType.String)]
    public static ReadOnlySpan<byte> Join(ListValue texts) => Join(texts, default);

    [Cel("join", IsMethod = true, Elements = ExprType.String)]
    public static ReadOnlySpan<byte> Join(ListValue texts, ReadOnlySpan<byte> separator)
    {
        if (texts.Count == 0) return default;
        var length = (long)separator.Length * (texts.Count - 1);
        foreach (ref var cell in texts.Cells) length += cell.Length;
        var joined = Scratch.Text(length);
        var to = 0;
        for (var i = 0; i < texts.Count && !joined.IsEmpty; i++)
        {
            if (i > 0) separator.CopyTo(joined[to..]);
            to += i > 0 ? separator.Length : 0;
            texts.Cells[i].Text.CopyTo(joined[to..]);
            to += texts.Cells[i].Length;
        }
        return joined;
    }

    [Cel("reverse", IsMethod = true)]
    public static ReadOnlySpan<byte> Reverse(ReadOnlySpan<byte> text)
    {
        var reversed = Scratch.Text(text.Length);
        for (var (from, to) = (0, reversed.Length); from < reversed.Length;)
        {
            var width = Width(text, from);
            to -= width;
            text.Slice(from, width).CopyTo(reversed[to..]);
            from += width;
        }
        return reversed;
    }

    /// <summary>The text in double quotes, with escapes, as a literal of CEL.</summary>
    [Cel("strings.quote")]
    public static ReadOnlySpan<byte> Quote(ReadOnlySpan<byte> text)
    {
        var quoted = Scratch.Text(2L * text.Length + 2);
        if (quoted.IsEmpty) return quoted;
        var to = 0;
        quoted[to++] = (byte)'"';
        foreach (var b in text)
        {
            var escape = b < 128 ? "\a\b\f\n\r\t\v\\\"".IndexOf((char)b) : -1;
            if (escape >= 0) quoted[to++] = (byte)'\\';
            quoted[to++] = escape >= 0 ? "abfnrtv\\\""u8[escape] : b;
        }
        quoted[to++] = (byte)'"';
        return quoted[..to];
    }

    /// <summary>The operator <c>+</c>.</summary>
    public static ReadOnlySpan<byte> Concat(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        var joined = Scratch.Text((long)a.Length + b.Length);
        if (joined.IsEmpty) return joined;
        a.CopyTo(joined);
        b.CopyTo(joined[a.Length..]);
        return joined;
    }

    /// <summary>Where a code point begins, in bytes; the length of the text for the one behind the last; -1 where there is none.</summary>
    private static int ByteOf(ReadOnlySpan<byte> text, long index)
    {
        if (index >= 0 && index <= text.Length)
            for (var at = 0; ; at += Width(text, at), index--)
                if (index == 0) return at;
                else if (at == text.Length) break;
        ExprFault.Raise(OutOfRange);
        return -1;
    }

    /// <summary>How many bytes the code point has that begins there; 0 at the end.</summary>
    private static int Width(ReadOnlySpan<byte> text, int at)
    {
        var end = at;
        if (end < text.Length) end++;
        while (end < text.Length && (text[end] & 0xC0) == 0x80) end++;
        return end - at;
    }

    private static int Next(ReadOnlySpan<byte> text, ReadOnlySpan<byte> part, int from)
    {
        if (from > text.Length) return -1;
        var at = text[from..].IndexOf(part);
        return at < 0 ? -1 : from + at;
    }

    /// <summary>As <see cref="Next"/>, but an empty separator does not stand at the end of the text.</summary>
    private static int NextSeparator(ReadOnlySpan<byte> text, ReadOnlySpan<byte> separator, int from) =>
        separator.IsEmpty && from >= text.Length ? -1 : Next(text, separator, from);

    /// <summary>Where to search on behind a part that was found; an empty one is next found behind the next code point.</summary>
    private static int After(ReadOnlySpan<byte> text, ReadOnlySpan<byte> part, int at) =>
        !part.IsEmpty ? at + part.Length : at == text.Length ? at + 1 : at + Width(text, at);
}
