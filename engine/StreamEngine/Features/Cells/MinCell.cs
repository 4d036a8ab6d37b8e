using System.Runtime.CompilerServices;
using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>The smallest value; +infinity where there is none.</summary>
internal struct MinCell : ICell<MinCell>
{
    private double _value;

    public static void Clear(Span<MinCell> cells) => cells.Fill(new MinCell { _value = double.PositiveInfinity });

    public static void Add(ref MinCell cell, in Column column, in InputValue input, Event e)
    {
        if (input.Value < cell._value) cell._value = input.Value;
    }

    public static void Merge(ref MinCell cell, in Column column, in MinCell other)
    {
        if (other._value < cell._value) cell._value = other._value;
    }

    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows)
    {
        var value = rows.IsOne ? column.Cell<double>(ref profile, rows.Start) : Best(ref profile, column, rows);
        return double.IsFinite(value) ? value : double.NaN;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double Best(ref byte profile, in Column column, in RowRange rows)
    {
        var best = double.PositiveInfinity;
        foreach (var cell in column.Cells<double>(ref profile, rows.Start, rows.Count)) best = Math.Min(best, cell);
        foreach (var cell in column.Cells<double>(ref profile, 0, rows.WrappedCount)) best = Math.Min(best, cell);
        return best;
    }
}
