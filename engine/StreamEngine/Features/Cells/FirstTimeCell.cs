using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>
/// The earliest event's time; <see cref="long.MaxValue"/> where there is none. Its value is the time since. Of the whole life time only.
/// </summary>
internal struct FirstTimeCell : ICell<FirstTimeCell>
{
    private long _time;

    public static void Clear(Span<FirstTimeCell> cells) => cells.Fill(new FirstTimeCell { _time = long.MaxValue });

    public static void Add(ref FirstTimeCell cell, in Column column, in InputValue input, Event e) => Take(ref cell, e.Time);

    public static void Merge(ref FirstTimeCell cell, in Column column, in FirstTimeCell other) => Take(ref cell, other._time);

    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows)
    {
        var time = column.Cell<FirstTimeCell>(ref profile, rows.Start)._time;
        return time != long.MaxValue ? rows.Now - time : double.NaN;
    }

    private static void Take(ref FirstTimeCell cell, long time)
    {
        if (time < cell._time) cell._time = time;
    }
}
