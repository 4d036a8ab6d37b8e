using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>
/// Count, mean and the sum of squared distances from the mean, by Welford's update and the merge of Chan, Golub and LeVeque (1979): no
/// difference of large squares, so small variances of large values keep their digits. Up to rounding in any order. Its value is the sample
/// variance, its second one the standard deviation; both need two events.
/// </summary>
internal struct VarianceCell : ICell<VarianceCell>
{
    private double _events;
    private double _mean;
    private double _squares;

    public static void Clear(Span<VarianceCell> cells) => cells.Clear();

    public static void Add(ref VarianceCell cell, in Column column, in InputValue input, Event e)
    {
        cell._events++;
        var before = input.Value - cell._mean;
        cell._mean += before / cell._events;
        cell._squares += before * (input.Value - cell._mean);
    }

    public static void Merge(ref VarianceCell cell, in Column column, in VarianceCell other)
    {
        var events = cell._events + other._events;
        if (other._events == 0) return;
        var apart = other._mean - cell._mean;
        cell._mean += apart * (other._events / events);
        cell._squares += other._squares + apart * apart * (cell._events * (other._events / events));
        cell._events = events;
    }

    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows)
    {
        var all = column.Fold<VarianceCell>(ref profile, rows);
        if (all._events < 2) return double.NaN;
        var variance = all._squares / (all._events - 1);
        if (!double.IsFinite(variance)) return double.NaN;
        return part == CellPart.Value ? variance : Math.Sqrt(variance);
    }
}
