using System.Runtime.CompilerServices;
using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>A sum in units of the scale (<see cref="UnitSum"/>), exact in any order up to 2^62; 0 over no events.</summary>
internal struct FixedSumCell : ISumCell<FixedSumCell>
{
    private long _sum;

    public static void Clear(Span<FixedSumCell> cells) => cells.Clear();

    public static void Add(ref FixedSumCell cell, in Column column, in InputValue input, Event e) =>
        UnitSum.Add(ref cell._sum, input.Fixed);

    public static void Merge(ref FixedSumCell cell, in Column column, in FixedSumCell other) => UnitSum.Merge(ref cell._sum, other._sum);

    public static double Sum(in FixedSumCell cell) => UnitSum.Value(cell._sum);

    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows) =>
        UnitSum.Value(rows.IsOne ? column.Cell<long>(ref profile, rows.Start) : All(ref profile, column, rows));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long All(ref byte profile, in Column column, in RowRange rows) => column.Fold<FixedSumCell>(ref profile, rows)._sum;
}
