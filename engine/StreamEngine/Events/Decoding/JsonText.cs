using System.Text;

namespace StreamEngine.Events.Decoding;

/// <summary>Undoes the escapes of a JSON string whose syntax was checked already.</summary>
internal static class JsonText
{
    /// <summary>
    /// Writes the text to <paramref name="to"/> (as long as <paramref name="from"/>); returns its length, or -1 for a surrogate without its
    /// pair.
    /// </summary>
    public static int Unescape(ReadOnlySpan<byte> from, Span<byte> to)
    {
        var length = 0;
        for (var i = 0; i < from.Length;)
        {
            var run = from[i..].IndexOf((byte)'\\');
            if (run < 0) run = from.Length - i;
            from.Slice(i, run).CopyTo(to[length..]);
            i += run;
            length += run;
            if (i >= from.Length) break;
            var c = from[i + 1];
            i += 2;
            if (c == 'u')
            {
                var code = Hex(from.Slice(i, 4));
                i += 4;
                if (char.IsHighSurrogate((char)code) && i + 6 <= from.Length && from[i] == '\\' && from[i + 1] == 'u'
                    && Hex(from.Slice(i + 2, 4)) is var low && char.IsLowSurrogate((char)low))
                {
                    code = char.ConvertToUtf32((char)code, (char)low);
                    i += 6;
                }
                if (!Rune.TryCreate(code, out var rune)) return -1;
                length += rune.EncodeToUtf8(to[length..]);
                continue;
            }
            to[length++] = c switch
            {
                (byte)'n' => (byte)'\n',
                (byte)'t' => (byte)'\t',
                (byte)'r' => (byte)'\r',
                (byte)'b' => (byte)'\b',
                (byte)'f' => (byte)'\f',
                _ => c,
            };
        }
        return length;
    }

    private static int Hex(ReadOnlySpan<byte> digits)
    {
        var value = 0;
        foreach (var d in digits) value = value << 4 | (d <= '9' ? d - '0' : (d | 0x20) - 'a' + 10);
        return value;
    }
}
