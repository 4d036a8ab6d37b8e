using System.Buffers.Binary;
using System.Text.Unicode;

namespace StreamEngine.Events.Decoding;

/// <summary>Whether bytes are valid UTF-8, with a short way for the short ASCII texts that ids and names are.</summary>
internal static class Utf8Text
{
    private const ulong NotAscii = 0x8080808080808080;

    public static bool IsValid(ReadOnlySpan<byte> text)
    {
        if (text.Length is < 8 or > 64) return Utf8.IsValid(text);
        // The last eight bytes may overlap those before: they are looked at twice, not missed.
        var seen = BinaryPrimitives.ReadUInt64LittleEndian(text[^8..]);
        for (var i = 0; i <= text.Length - 8; i += 8) seen |= BinaryPrimitives.ReadUInt64LittleEndian(text[i..]);
        return (seen & NotAscii) == 0 || Utf8.IsValid(text);
    }
}
