using System.Runtime.CompilerServices;
using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>The largest value; -infinity where there is none.</summary>
internal struct MaxCell : ICell<MaxCell>
{
    private double _value;

    public static void Clear(Span<MaxCell> cells) => cells.Fill(new MaxCell { _value = double.NegativeInfinity });

    public static void Add(ref MaxCell cell, in Column column, in InputValue input, Event e)
    {
        if (input.Value > cell._value) cell._value = input.Value;
    }

    public static void Merge(ref MaxCell cell, in Column column, in MaxCell other)
    {
        if (other._value > cell._value) cell._value = other._value;
    }

    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows)
    {
        var value = rows.IsOne ? column.Cell<double>(ref profile, rows.Start) : Best(ref profile, column, rows);
        return double.IsFinite(value) ? value : double.NaN;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double Best(ref byte profile, in Column column, in RowRange rows)
    {
        var best = double.NegativeInfinity;
        foreach (var cell in column.Cells<double>(ref profile, rows.Start, rows.Count)) best = Math.Max(best, cell);
        foreach (var cell in column.Cells<double>(ref profile, 0, rows.WrappedCount)) best = Math.Max(best, cell);
        return best;
    }
}
