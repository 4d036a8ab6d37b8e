using System.Text;

namespace StreamEngine.Events.Decoding;

/// <summary>The declared purposes, a bit each in their order.</summary>
internal sealed class Purposes(IReadOnlyList<string> names)
{
    /// <summary>A consent bit per purpose: no more than a word has.</summary>
    public const int Max = 64;
    private readonly byte[][] _names = [.. names.Select(Encoding.UTF8.GetBytes)];

    /// <summary>The purpose's bit; 0 for one that is not declared.</summary>
    public ulong Bit(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < _names.Length; i++)
            if (name.SequenceEqual(_names[i])) return 1UL << i;
        return 0;
    }

    /// <summary>The purpose's bit; 0 for one that is not declared.</summary>
    public ulong Bit(string name) => Bit(Encoding.UTF8.GetBytes(name));

    /// <summary>
    /// The bits of a list in one text, separated by blanks, commas, semicolons or bars; a text that is a purpose as a whole is that one.
    /// </summary>
    public ulong List(ReadOnlySpan<byte> text)
    {
        var bits = Bit(text);
        if (bits != 0) return bits;
        while (text.Length > 0)
        {
            var end = text.IndexOfAny(" ,;|"u8);
            bits |= Bit(end < 0 ? text : text[..end]);
            text = end < 0 ? default : text[(end + 1)..];
        }
        return bits;
    }
}
