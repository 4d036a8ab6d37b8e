using System.Runtime.InteropServices;
using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>
/// Count, sum and sum of squares in units of the scale, as integers: the same bit for bit in any order. Its value is the sample variance,
/// its second one the standard deviation, both in units; both need two events. There is none where the squares add up to 2^128 or more.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal struct FixedVarianceCell : ICell<FixedVarianceCell>
{
    private long _events;
    private Int128 _sum;
    private UInt128 _squares;

    public static void Clear(Span<FixedVarianceCell> cells) => cells.Clear();

    public static void Add(ref FixedVarianceCell cell, in Column column, in InputValue input, Event e)
    {
        Int128 value = input.Fixed;
        Take(ref cell, 1, value, (UInt128)(value * value));
    }

    public static void Merge(ref FixedVarianceCell cell, in Column column, in FixedVarianceCell other) =>
        Take(ref cell, other._events, other._sum, other._squares);

    /// <summary>
    /// With q = sum / n cut to an integer and r what is left of the division, the squared distances from q are squares - q (n q + 2 r), and
    /// those from the mean r^2 / n less. The first is an integer below 2^128, so it is right although its parts may wrap.
    /// </summary>
    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows)
    {
        var all = column.Fold<FixedVarianceCell>(ref profile, rows);
        if (all._events < 2 || all._squares == UInt128.MaxValue) return double.NaN;
        Int128 events = all._events;
        var (quotient, rest) = Int128.DivRem(all._sum, events);
        var fromQuotient = unchecked(all._squares - (UInt128)(quotient * (events * quotient + 2 * rest)));
        var variance = ((double)fromQuotient - (double)rest * (double)rest / all._events) / (all._events - 1);
        return part == CellPart.Value ? variance : Math.Sqrt(variance);
    }

    /// <summary>Squares that would wrap stop at the largest.</summary>
    private static void Take(ref FixedVarianceCell cell, long events, Int128 sum, UInt128 squares)
    {
        cell._events += events;
        cell._sum += sum;
        cell._squares = squares > UInt128.MaxValue - cell._squares ? UInt128.MaxValue : cell._squares + squares;
    }
}
