using System.Numerics;

namespace StreamEngine.State.Faster;

/// <summary>Where one shard's store lives and what it may take. FASTER works in powers of two: sizes are rounded down to one.</summary>
/// <param name="Directory">The shard's own directory; made where it is missing.</param>
/// <param name="MemoryBytes">Memory for profiles, bytes (at least 256 KiB). Profiles beyond it live on disk.</param>
/// <param name="IndexBytes">Memory for the hash index, bytes; about 16 for each expected profile keeps chains short.</param>
public sealed record FasterStateOptions(string Directory, long MemoryBytes = 64L << 20, long IndexBytes = 8L << 20)
{
    /// <summary>Whether the files are removed when the store closes: recovery rebuilds state from the log.</summary>
    public bool DeleteOnClose { get; init; } = true;

    /// <summary>The share of memory that is updated in place; the rest is the read-only part on its way to disk.</summary>
    public double MutableFraction { get; init; } = 0.9;

    /// <summary>The most bytes that a profile will have; pages are made large enough for it, up to a quarter of the memory.</summary>
    public int LargestProfile { get; init; }

    /// <summary>
    /// Bytes of a page: a sixteenth of the memory, 16 KiB to 4 MiB, and more where the largest profile with its key needs that.
    /// </summary>
    internal long PageBytes => Math.Max(Math.Clamp(Memory / 16, 16L << 10, 4L << 20),
        Math.Min(Memory / 4, (long)BitOperations.RoundUpToPowerOf2((ulong)LargestProfile + StateLayout.BesideProfile)));

    internal long Memory => (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(MemoryBytes, 256 << 10) + 1) / 2;

    internal long Index => (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(IndexBytes, 4 << 10) + 1) / 2;
}
