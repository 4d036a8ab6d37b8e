using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>
/// A mean in which a value weighs half as much after each half-life (the column's setting, ms): an exponentially weighted moving average
/// over events that come when they come. Up to rounding in any order.
/// </summary>
internal struct DecayedMeanCell : ICell<DecayedMeanCell>
{
    private double _sum;
    private double _weight;
    private long _time;

    public static void Clear(Span<DecayedMeanCell> cells) => cells.Clear();

    public static void Add(ref DecayedMeanCell cell, in Column column, in InputValue input, Event e) =>
        Take(ref cell, column, input.Value, 1, e.Time);

    public static void Merge(ref DecayedMeanCell cell, in Column column, in DecayedMeanCell other)
    {
        if (other._weight > 0) Take(ref cell, column, other._sum, other._weight, other._time);
    }

    /// <summary>The share that is left of all weights since the newest event is the same, so it needs no look at the clock.</summary>
    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows)
    {
        var all = column.Fold<DecayedMeanCell>(ref profile, rows);
        return all._weight > 0 ? all._sum / all._weight : double.NaN;
    }

    private static void Take(ref DecayedMeanCell cell, in Column column, double sum, double weight, long time)
    {
        if (cell._weight == 0) (cell._sum, cell._weight, cell._time) = (sum, weight, time);
        else if (time <= cell._time)
        {
            var share = DecayedSumCell.Share(cell._time - time, column);
            cell._sum += sum * share;
            cell._weight += weight * share;
        }
        else
        {
            var share = DecayedSumCell.Share(time - cell._time, column);
            cell._sum = cell._sum * share + sum;
            cell._weight = cell._weight * share + weight;
            cell._time = time;
        }
    }
}
