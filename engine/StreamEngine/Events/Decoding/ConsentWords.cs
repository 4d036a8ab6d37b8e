using System.Text;
using StreamEngine.Configuration;

namespace StreamEngine.Events.Decoding;

/// <summary>What a field that says yes or no to one purpose may say, where it is a text or a number.</summary>
internal static class ConsentWords
{
    /// <summary>The yes or no of a text, for the purposes that it is for; what is neither is kept to be told.</summary>
    public static void Read(ulong purposes, byte[] buffer, int start, int length, Event target)
    {
        var text = buffer.AsSpan(start, length);
        var given = IsGiven(text);
        target.SetConsent(purposes, given);
        if (!given && !IsNo(TimeText.Trimmed(text))) target.ConsentSaid.Set(buffer, start, length);
    }

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

    private static bool IsNo(ReadOnlySpan<byte> text) => text.IsEmpty || text.SequenceEqual("0"u8)
        || Ascii.EqualsIgnoreCase(text, "false"u8) || Ascii.EqualsIgnoreCase(text, "no"u8) || Ascii.EqualsIgnoreCase(text, "denied"u8);
}
