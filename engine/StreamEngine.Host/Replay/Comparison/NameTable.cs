using System.Text;

namespace StreamEngine.Host.Replay.Comparison;

/// <summary>Texts that come again and again, as one string each: names of a config, of which there are only so many.</summary>
internal sealed class NameTable
{
    private const int Longest = 256;

    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>The text; the same string for the same bytes.</summary>
    public string Of(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty) return "";
        if (utf8.Length > Longest) return Encoding.UTF8.GetString(utf8);
        Span<char> chars = stackalloc char[Longest];
        ReadOnlySpan<char> text = chars[..Encoding.UTF8.GetChars(utf8, chars)];
        var lookup = _names.GetAlternateLookup<ReadOnlySpan<char>>();
        if (lookup.TryGetValue(text, out var name)) return name;
        lookup.Add(text);
        return lookup.TryGetValue(text, out name) ? name : text.ToString();
    }
}
