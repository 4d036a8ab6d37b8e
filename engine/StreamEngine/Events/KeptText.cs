using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace StreamEngine.Events;

/// <summary>
/// A text of an event that is kept: its length, then its UTF-8 bytes, in fixed room. A longer text is cut in front of the code point that
/// has no room. It stands in profiles and, as the bits of <see cref="Places"/> doubles, in feature vectors.
/// </summary>
[InlineArray(Size)]
public struct KeptText
{
    /// <summary>Bytes of room.</summary>
    internal const int Size = 48;

    /// <summary>The most bytes of a text.</summary>
    public const int MaxBytes = Size - 1;

    /// <summary>How many places of a feature vector it takes.</summary>
    public const int Places = Size / sizeof(double);

    private byte _length;

    /// <summary>The text in UTF-8; empty where there is none.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Text => ((ReadOnlySpan<byte>)this)[1..(1 + Math.Min(_length, (byte)MaxBytes))];

    /// <summary>Whether there is no text, or an empty one.</summary>
    public readonly bool IsEmpty => _length == 0;

    /// <summary>Takes a text; equal texts have equal bytes.</summary>
    public void Set(ReadOnlySpan<byte> text)
    {
        text = Cut(text);
        var bytes = (Span<byte>)this;
        bytes[0] = (byte)text.Length;
        text.CopyTo(bytes[1..]);
        bytes[(1 + text.Length)..].Clear();
    }

    /// <summary>As much of a text as is kept.</summary>
    public static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> text)
    {
        if (text.Length <= MaxBytes) return text;
        var length = MaxBytes;
        // A byte of the form 10xxxxxx goes on with a code point that began before.
        while (length > 0 && (text[length] & 0xC0) == 0x80) length--;
        return text[..length];
    }

    /// <summary>The text at a place of a feature vector.</summary>
    public static ref KeptText In(Span<double> vector, int place) =>
        ref Unsafe.As<double, KeptText>(ref MemoryMarshal.GetReference(vector.Slice(place, Places)));

    /// <summary>The text at a place of a feature vector.</summary>
    public static ref readonly KeptText In(ReadOnlySpan<double> vector, int place) =>
        ref Unsafe.As<double, KeptText>(ref MemoryMarshal.GetReference(vector.Slice(place, Places)));

    /// <inheritdoc/>
    public override readonly string ToString() => Encoding.UTF8.GetString(Text);
}
