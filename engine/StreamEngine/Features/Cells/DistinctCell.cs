using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>
/// Different values by their 64-bit hashes: up to 64 the hashes themselves, beyond that a HyperLogLog sketch in their place. Which of the
/// two it is, and what it says, depends on the set of values alone, so that any order and any merging gives the same.
/// </summary>
internal struct DistinctCell : ICell<DistinctCell>
{
    /// <summary>The most values that are counted exactly.</summary>
    public const int Exact = 64;

    private const long Sketched = Exact + 1;

    private long _count;
    private Hashes _hashes;

    [UnscopedRef]
    private Span<byte> Registers => MemoryMarshal.AsBytes((Span<ulong>)_hashes);

    public static void Clear(Span<DistinctCell> cells) => cells.Clear();

    public static void Add(ref DistinctCell cell, in Column column, in InputValue input, Event e) => cell.Take((ulong)input.Fixed);

    public static void Merge(ref DistinctCell cell, in Column column, in DistinctCell other)
    {
        if (other._count == Sketched)
        {
            if (cell._count != Sketched) cell.BeginSketch();
            HyperLogLog.Merge(cell.Registers, Unsafe.AsRef(in other).Registers);
        }
        else foreach (var hash in ((ReadOnlySpan<ulong>)other._hashes)[..(int)other._count]) cell.Take(hash);
    }

    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows)
    {
        if (rows.IsOne) return column.Cell<DistinctCell>(ref profile, rows.Start).Count;
        return column.Fold<DistinctCell>(ref profile, rows).Count;
    }

    /// <summary>The number of values. A sketch is of more than are counted exactly, whatever it says.</summary>
    private double Count => _count == 0 ? double.NaN : _count < Sketched ? _count
        : Math.Max(Sketched, Math.Round(HyperLogLog.Estimate(Registers)));

    private void Take(ulong hash)
    {
        if (_count == Sketched) HyperLogLog.Add(Registers, hash);
        else if (!((Span<ulong>)_hashes)[..(int)_count].Contains(hash))
        {
            if (_count < Exact) _hashes[(int)_count++] = hash;
            else
            {
                BeginSketch();
                HyperLogLog.Add(Registers, hash);
            }
        }
    }

    private void BeginSketch()
    {
        var (hashes, count) = (_hashes, (int)_count);
        _hashes = default;
        _count = Sketched;
        foreach (var hash in ((Span<ulong>)hashes)[..count]) HyperLogLog.Add(Registers, hash);
    }

    [InlineArray(Exact)]
    private struct Hashes
    {
        private ulong _first;
    }
}
