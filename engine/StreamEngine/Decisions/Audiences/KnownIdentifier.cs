using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamEngine.State;

namespace StreamEngine.Decisions.Audiences;

/// <summary>
/// An identifier of a customer, in the profile: that of the newest event that has one. Events of one time are ordered by their id's hash,
/// then by the text, so that no two orders of arrival disagree.
/// </summary>
internal struct KnownIdentifier
{
    /// <summary>The most bytes of an identifier: a hash in hex has 64. A longer one is of no use when it is cut, and is not kept.</summary>
    public const int MaxBytes = 126;

    private long _time;
    private ulong _tie;
    private ushort _length;
    private Bytes _text;

    [InlineArray(MaxBytes)]
    private struct Bytes
    {
        private byte _first;
    }

    /// <summary>The text; empty where none is known.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Text => ((ReadOnlySpan<byte>)_text)[..Math.Min((int)_length, MaxBytes)];

    /// <summary>The identifier in a profile.</summary>
    public static ref KnownIdentifier In(Span<byte> profile, Slot slot) =>
        ref Unsafe.As<byte, KnownIdentifier>(ref MemoryMarshal.GetReference(slot.In(profile)));

    /// <summary>An event has this text.</summary>
    public void Take(long time, ulong tie, ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty || text.Length > MaxBytes || _length > 0 && !IsNewer(time, tie, text)) return;
        (_time, _tie, _length) = (time, tie, (ushort)text.Length);
        Span<byte> bytes = _text;
        text.CopyTo(bytes);
        bytes[text.Length..].Clear();
    }

    private readonly bool IsNewer(long time, ulong tie, ReadOnlySpan<byte> text) =>
        time != _time ? time > _time : tie != _tie ? tie > _tie : text.SequenceCompareTo(Text) > 0;
}
