using StreamEngine.Events;

namespace StreamEngine.Expressions;

/// <summary>
/// Where texts and lists lie that an expression makes while it runs. Each thread has one; an expression that needs it starts it anew, so
/// that once it has grown to the longest texts, nothing is allocated any more. What it holds is valid until the thread's next expression.
/// </summary>
internal static class Scratch
{
    /// <summary>The longest text, in bytes, that an expression may make.</summary>
    public const int LongestText = 1 << 20;

    /// <summary>The most parts that a text may be split into.</summary>
    public const int LongestSplit = 1 << 16;

    [ThreadStatic]
    private static byte[]? _bytes;

    [ThreadStatic]
    private static FieldValue[]? _cells;

    [ThreadStatic]
    private static char[]? _chars;

    [ThreadStatic]
    private static int _usedBytes, _usedCells;

    /// <summary>Forgets what earlier expressions made.</summary>
    public static void Begin() => _usedBytes = _usedCells = 0;

    /// <summary>Room for a text; a text that is too long is an evaluation error, and the room is empty.</summary>
    public static Span<byte> Text(long length)
    {
        if (length > LongestText)
        {
            ExprFault.Raise("the text is longer than 1 MiB");
            return default;
        }
        var at = Take((int)length);
        return _bytes.AsSpan(at, (int)length);
    }

    /// <summary>A text as a list's cell, copied here.</summary>
    public static FieldValue Copy(ReadOnlySpan<byte> text)
    {
        var at = Take(text.Length);
        text.CopyTo(_bytes.AsSpan(at));
        FieldValue cell = default;
        cell.Set(_bytes!, at, text.Length);
        return cell;
    }

    /// <summary>Room for a list.</summary>
    public static ListValue List(int count)
    {
        // What lies in an array that became too small stays there: lists and texts refer to it.
        if (_cells is null || _usedCells + count > _cells.Length)
            (_cells, _usedCells) = (new FieldValue[Math.Max(64, 2 * ((_cells?.Length ?? 0) + count))], 0);
        _usedCells += count;
        return new ListValue(_cells, _usedCells - count, count);
    }

    /// <summary>Room for a text in UTF-16, valid until the next one.</summary>
    public static Span<char> Chars(int length)
    {
        if (_chars is null || _chars.Length < length) _chars = new char[Math.Max(256, 2 * length)];
        return _chars;
    }

    private static int Take(int length)
    {
        if (_bytes is null || _usedBytes + length > _bytes.Length)
            (_bytes, _usedBytes) = (new byte[Math.Max(1024, 2 * ((_bytes?.Length ?? 0) + length))], 0);
        _usedBytes += length;
        return _usedBytes - length;
    }
}
