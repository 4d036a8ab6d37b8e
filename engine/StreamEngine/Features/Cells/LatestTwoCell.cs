using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>
/// The two latest events by time, then event id; <see cref="long.MinValue"/> where there is none. Its value is the time since the latest,
/// its second one the time since the one before. Of the whole life time only.
/// </summary>
internal struct LatestTwoCell : ICell<LatestTwoCell>
{
    private long _time;
    private ulong _id;
    private long _earlierTime;
    private ulong _earlierId;

    public static void Clear(Span<LatestTwoCell> cells) =>
        cells.Fill(new LatestTwoCell { _time = long.MinValue, _earlierTime = long.MinValue });

    public static void Add(ref LatestTwoCell cell, in Column column, in InputValue input, Event e) => Take(ref cell, e.Time, e.Tie);

    public static void Merge(ref LatestTwoCell cell, in Column column, in LatestTwoCell other)
    {
        if (other._earlierTime != long.MinValue) Take(ref cell, other._earlierTime, other._earlierId);
        if (other._time != long.MinValue) Take(ref cell, other._time, other._id);
    }

    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows)
    {
        ref var cell = ref column.Cell<LatestTwoCell>(ref profile, rows.Start);
        var time = part == CellPart.Value ? cell._time : cell._earlierTime;
        return time != long.MinValue ? rows.Now - time : double.NaN;
    }

    private static void Take(ref LatestTwoCell cell, long time, ulong id)
    {
        if (time > cell._time || (time == cell._time && id >= cell._id))
        {
            cell._earlierTime = cell._time;
            cell._earlierId = cell._id;
            cell._time = time;
            cell._id = id;
        }
        else if (time > cell._earlierTime || (time == cell._earlierTime && id > cell._earlierId))
        {
            cell._earlierTime = time;
            cell._earlierId = id;
        }
    }
}
