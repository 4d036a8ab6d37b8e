using System.Text;
using ADRaffy.ENSNormalize;

namespace StreamEngine.Events.Decoding;

/// <summary>
/// Unicode's normal form C (UAX 15), in which a letter and its accent are one character wherever there is one: texts that look the same are
/// the same. By a library with tables of its own, because the engine runs without ICU, where the runtime leaves every text as it is.
/// </summary>
internal static class NormalForm
{
    /// <summary>
    /// The first byte of U+0300, the first character that a normal form changes: all before it, Latin letters, stay as they are.
    /// </summary>
    private const byte FirstChanged = 0xCC;

    /// <summary>Puts a text into its normal form, in the event's scratch space where that is another one.</summary>
    /// <param name="value">Valid UTF-8; absent ones stay absent.</param>
    /// <param name="scratch">Takes the other form.</param>
    public static void Compose(ref FieldValue value, ScratchBuffer scratch)
    {
        if (!value.Text.ContainsAnyInRange(FirstChanged, byte.MaxValue)) return;
        var text = Encoding.UTF8.GetString(value.Text);
        var composed = ENSNormalize.NF.NFC(text);
        if (composed == text) return;
        var length = Encoding.UTF8.GetByteCount(composed);
        var start = scratch.Take(length, out var buffer);
        Encoding.UTF8.GetBytes(composed, buffer.AsSpan(start, length));
        value.Set(buffer, start, length);
    }
}
