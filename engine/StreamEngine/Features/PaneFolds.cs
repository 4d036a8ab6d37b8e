using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace StreamEngine.Features;

/// <summary>One column's cells over many rows. Not inlined: reading a single row stays small.</summary>
internal static class PaneFolds
{
    /// <summary>The sum of counts.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long Count(ref byte profile, int offset, in RowRange rows)
    {
        var sum = Sum(ref Cells.At<uint>(ref profile, offset + rows.Start * sizeof(uint)), rows.Count);
        return rows.WrappedCount == 0 ? sum : sum + Sum(ref Cells.At<uint>(ref profile, offset), rows.WrappedCount);
    }

    /// <summary>The <see cref="UnitSum"/> of all cells.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long FixedSum(ref byte profile, int offset, in RowRange rows)
    {
        var sum = 0L;
        foreach (var cell in Run<long>(ref profile, offset, rows.Start, rows.Count)) UnitSum.Merge(ref sum, cell);
        foreach (var cell in Run<long>(ref profile, offset, 0, rows.WrappedCount)) UnitSum.Merge(ref sum, cell);
        return sum;
    }

    /// <summary>The sum from the oldest pane to the newest, so that the rounding is defined.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static double DoubleSum(ref byte profile, int offset, in RowRange rows)
    {
        var sum = 0.0;
        foreach (var cell in Run<double>(ref profile, offset, rows.Start, rows.Count)) sum += cell;
        foreach (var cell in Run<double>(ref profile, offset, 0, rows.WrappedCount)) sum += cell;
        return sum;
    }

    /// <summary>The smallest or largest; infinite where there is none.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static double Extreme(ref byte profile, int offset, in RowRange rows, bool smallest)
    {
        var straight = Run<double>(ref profile, offset, rows.Start, rows.Count);
        var wrapped = Run<double>(ref profile, offset, 0, rows.WrappedCount);
        var best = straight[0];
        if (smallest)
        {
            foreach (var cell in straight) best = Math.Min(best, cell);
            foreach (var cell in wrapped) best = Math.Min(best, cell);
        }
        else
        {
            foreach (var cell in straight) best = Math.Max(best, cell);
            foreach (var cell in wrapped) best = Math.Max(best, cell);
        }
        return best;
    }

    /// <summary>The value of the first or last event. Rows are in order of time, so it is in the first or last row that has any.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static double Moment(ref byte profile, in Column column, in RowRange rows, double otherwise)
    {
        var count = rows.Count + rows.WrappedCount;
        for (var i = 0; i < count; i++)
        {
            var age = column.Kind == ColumnKind.First ? i : count - 1 - i;
            ref var moment = ref column.Cell<Moment>(ref profile, age < rows.Count ? rows.Start + age : age - rows.Count);
            if (moment.Time is not (long.MinValue or long.MaxValue)) return moment.Value;
        }
        return otherwise;
    }

    private static long Sum(ref uint cells, int count)
    {
        var sum = 0L;
        var i = 0;
        if (count >= Vector<uint>.Count)
        {
            var lanes = Vector<ulong>.Zero;
            for (; i <= count - Vector<uint>.Count; i += Vector<uint>.Count)
            {
                Vector.Widen(Vector.LoadUnsafe(ref cells, (nuint)i), out var low, out var high);
                lanes += low + high;
            }
            sum = (long)Vector.Sum(lanes);
        }
        for (; i < count; i++) sum += Unsafe.Add(ref cells, i);
        return sum;
    }

    private static ReadOnlySpan<T> Run<T>(ref byte profile, int offset, int start, int count) where T : unmanaged =>
        MemoryMarshal.CreateReadOnlySpan(ref Cells.At<T>(ref profile, offset + start * Unsafe.SizeOf<T>()), count);
}
