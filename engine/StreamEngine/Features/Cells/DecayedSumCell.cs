using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>
/// A sum in which a value counts half as much after each half-life (the column's setting, ms): as of the newest event's time, which is
/// <see cref="long.MinValue"/> where there is none. Up to rounding in any order.
/// </summary>
internal struct DecayedSumCell : ICell<DecayedSumCell>
{
    private double _sum;
    private long _time;

    public static void Clear(Span<DecayedSumCell> cells) => cells.Fill(new DecayedSumCell { _time = long.MinValue });

    public static void Add(ref DecayedSumCell cell, in Column column, in InputValue input, Event e) =>
        Take(ref cell, column, input.Value, e.Time);

    public static void Merge(ref DecayedSumCell cell, in Column column, in DecayedSumCell other)
    {
        if (other._time != long.MinValue) Take(ref cell, column, other._sum, other._time);
    }

    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows)
    {
        var all = column.Fold<DecayedSumCell>(ref profile, rows);
        return all._time == long.MinValue ? double.NaN : all._sum * Share(rows.Now - all._time, column);
    }

    /// <summary>What is left of a value after some milliseconds.</summary>
    internal static double Share(long ms, in Column column) => ms == 0 ? 1 : Math.Pow(2, -ms / column.Setting);

    private static void Take(ref DecayedSumCell cell, in Column column, double value, long time)
    {
        if (cell._time == long.MinValue) (cell._sum, cell._time) = (value, time);
        else if (time <= cell._time) cell._sum += value * Share(cell._time - time, column);
        else
        {
            cell._sum = cell._sum * Share(time - cell._time, column) + value;
            cell._time = time;
        }
    }
}
