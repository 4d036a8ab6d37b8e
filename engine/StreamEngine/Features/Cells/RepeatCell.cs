using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>
/// The sum on the first UTC day that has an event, and that on all later days, apart. Its value is the sum on later days. Of the whole life
/// time only.
/// </summary>
/// <typeparam name="TSum">How sums are kept.</typeparam>
internal struct RepeatCell<TSum> : ICell<RepeatCell<TSum>> where TSum : unmanaged, ISumCell<TSum>
{
    private long _firstDay;
    private TSum _first;
    private TSum _later;

    public static void Clear(Span<RepeatCell<TSum>> cells)
    {
        cells.Clear();
        foreach (ref var cell in cells) cell._firstDay = long.MaxValue;
    }

    public static void Add(ref RepeatCell<TSum> cell, in Column column, in InputValue input, Event e)
    {
        var day = Panes.Of(e.Time, Panes.DayMs);
        if (day < cell._firstDay) cell.Begin(column, day);
        TSum.Add(ref day == cell._firstDay ? ref cell._first : ref cell._later, column, input, e);
    }

    public static void Merge(ref RepeatCell<TSum> cell, in Column column, in RepeatCell<TSum> other)
    {
        if (other._firstDay < cell._firstDay) cell.Begin(column, other._firstDay);
        TSum.Merge(ref other._firstDay == cell._firstDay ? ref cell._first : ref cell._later, column, other._first);
        TSum.Merge(ref cell._later, column, other._later);
    }

    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows) =>
        TSum.Sum(column.Cell<RepeatCell<TSum>>(ref profile, rows.Start)._later);

    /// <summary>An earlier day is the first now: what was on the first day was on a later one.</summary>
    private void Begin(in Column column, long day)
    {
        TSum.Merge(ref _later, column, _first);
        _first = default;
        _firstDay = day;
    }
}
