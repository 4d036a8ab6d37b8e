using System.Runtime.CompilerServices;
using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>
/// A sum in double precision, up to rounding in any order; 0 over no events. Rows are added from the oldest to the newest.
/// </summary>
internal struct DoubleSumCell : ISumCell<DoubleSumCell>
{
    private double _sum;

    public static void Clear(Span<DoubleSumCell> cells) => cells.Clear();

    public static void Add(ref DoubleSumCell cell, in Column column, in InputValue input, Event e) => cell._sum += input.Value;

    public static void Merge(ref DoubleSumCell cell, in Column column, in DoubleSumCell other) => cell._sum += other._sum;

    public static double Sum(in DoubleSumCell cell) => cell._sum;

    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows) =>
        rows.IsOne ? column.Cell<double>(ref profile, rows.Start) : All(ref profile, column, rows);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double All(ref byte profile, in Column column, in RowRange rows) => column.Fold<DoubleSumCell>(ref profile, rows)._sum;
}
