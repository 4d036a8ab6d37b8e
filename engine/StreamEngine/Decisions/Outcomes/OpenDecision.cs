using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamEngine.Events;

namespace StreamEngine.Decisions.Outcomes;

/// <summary>Where a decision stands: what its id names behind the engine's name, but for the partition.</summary>
/// <param name="Source">Index of the source of its cause.</param>
/// <param name="Offset">The offset of its cause.</param>
/// <param name="Ordinal">Which of that offset's decisions it is.</param>
internal readonly record struct DecisionPosition(int Source, long Offset, int Ordinal);

/// <summary>What else is known of an open decision.</summary>
[Flags]
internal enum OpenFlags : byte
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The default offer was taken: it was not its placement's choice, so the placement learns nothing from it.</summary>
    IsDefault = 1,

    /// <summary>Its reward has counted for its arm.</summary>
    Counted = 2,

    /// <summary>An entry in the heap of closings stands for it, <see cref="OpenDecision.Ahead"/> before its own closing.</summary>
    Wakes = 4,
}

/// <summary>A decision that waits for outcomes, as its customer's profile keeps it.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal struct OpenDecision
{
    /// <summary>The most bytes of a placement that are kept; of a longer one the beginning.</summary>
    public const int PlacementBytes = 30;

    public long DecidedAt;
    public long Offset;
    public ulong Offer;        // the hash of its name
    public ulong Placement;    // the hash of the whole text
    public double Probability;
    public double Value;       // of conversions, less that of refunds
    public int Source;
    public int Ordinal;
    public byte Kinds;         // a bit for each kind that counted
    public byte LateKinds;     // and for each that came late
    public byte PlacementLength;
    public PlacementText PlacementHead;
    public OpenFlags Flags;    // in bytes that were there before, and 0
    public uint Ahead;         // how long before its closing the entry in the heap is due, ms; in such bytes too

    /// <summary>Where it stands.</summary>
    public readonly DecisionPosition Position => new(Source, Offset, Ordinal);

    /// <summary>Whether an outcome of the kind has counted.</summary>
    public readonly bool Has(OutcomeKind kind) => (Kinds >> (int)kind & 1) != 0;

    /// <summary>The placement's text, or the beginning of it.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> PlacementName =>
        MemoryMarshal.CreateReadOnlySpan(in Unsafe.As<PlacementText, byte>(ref Unsafe.AsRef(in PlacementHead)), PlacementLength);

    /// <summary>Keeps the placement: its hash, and as many whole characters as there is room for.</summary>
    public void Show(ReadOnlySpan<byte> placement)
    {
        Placement = Hash64.Of(placement);
        var end = Math.Min(placement.Length, PlacementBytes);
        while (end > 0 && end < placement.Length && (placement[end] & 0xC0) == 0x80) end--; // a byte that continues a character
        PlacementLength = (byte)end;
        placement[..end].CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.As<PlacementText, byte>(ref PlacementHead), PlacementBytes));
    }

    /// <summary>Room for the text.</summary>
    [InlineArray(PlacementBytes)]
    internal struct PlacementText
    {
        private byte _first;
    }
}

/// <summary>An outcome that came before its decision, kept until that comes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal struct EarlyOutcome
{
    public long Offset;
    public int Source;
    public int Ordinal;
    public long Time;
    public double Value;
    public ulong EventHash;
    public OutcomeKind Kind;
}
