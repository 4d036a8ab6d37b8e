using System.Text;
using StreamEngine.Expressions.Functions;

namespace StreamEngine.Expressions;

/// <summary>
/// Time zones by what events call them. A text is looked up once, and found without allocating from then on; that it is none is kept too,
/// since events may repeat what is wrong. It holds at most <see cref="Most"/> texts and begins anew when it is full: there are some 600
/// names, so only wrong texts can fill it. For one thread.
/// </summary>
internal sealed class TimeZoneCache
{
    /// <summary>The most texts that it holds.</summary>
    public const int Most = 4_096;

    /// <summary>The longest text that can be a zone, bytes.</summary>
    private const int Longest = 64;

    private readonly Dictionary<string, TimeZoneInfo?> _zones = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TimeZoneInfo?>.AlternateLookup<ReadOnlySpan<char>> _bySpan;

    public TimeZoneCache() => _bySpan = _zones.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>How many texts it holds.</summary>
    public int Count => _zones.Count;

    /// <summary>The zone of that name or offset; null where it is neither.</summary>
    /// <param name="text">The text, UTF-8.</param>
    public TimeZoneInfo? Find(ReadOnlySpan<byte> text)
    {
        if (text.Length is 0 or > Longest) return null;
        Span<char> name = stackalloc char[Longest];
        name = name[..Encoding.UTF8.GetChars(text, name)];
        if (_bySpan.TryGetValue(name, out var zone)) return zone;
        if (_zones.Count == Most) _zones.Clear();
        var key = name.ToString();
        return _zones[key] = TimeFunctions.Zone(key);
    }
}
