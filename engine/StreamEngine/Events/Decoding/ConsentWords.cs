using System.Text;
using StreamEngine.Configuration;

namespace StreamEngine.Events.Decoding;

/// <summary>What a field that says yes or no to one purpose may say, where it is a text or a number.</summary>
internal static class ConsentWords
{
    /// <summary>
    /// Whether it is a yes: <c>true</c>, <c>1</c>, <c>yes</c> or <c>granted</c>, whatever the letters' case and the blanks around. Anything
    /// else is a no: what is not understood is no consent.
    /// </summary>
    public static bool IsGiven(ReadOnlySpan<byte> text)
    {
        text = TimeText.Trimmed(text);
        return text.SequenceEqual("1"u8) || Ascii.EqualsIgnoreCase(text, "true"u8) || Ascii.EqualsIgnoreCase(text, "yes"u8)
            || Ascii.EqualsIgnoreCase(text, "granted"u8);
    }
}
