namespace StreamEngine.Features;

/// <summary>The rows of a window that a feature is read from, oldest first: up to two runs of a ring.</summary>
/// <param name="Start">The first row.</param>
/// <param name="Count">Rows from the first on.</param>
/// <param name="WrappedCount">Rows from row 0 on, newer than those.</param>
/// <param name="Now">The time of reading, ms.</param>
internal readonly record struct RowRange(int Start, int Count, int WrappedCount, long Now)
{
    /// <summary>One row.</summary>
    public static RowRange One(int row, long now) => new(row, 1, 0, now);

    /// <summary>How many rows.</summary>
    public int Length => Count + WrappedCount;

    /// <summary>The row by its age, 0 being the oldest.</summary>
    public int this[int index] => index < Count ? Start + index : index - Count;

    /// <summary>Whether there is a single row.</summary>
    public bool IsOne => Count == 1 && WrappedCount == 0;

    /// <summary>Whether there is no row.</summary>
    public bool IsEmpty => Count == 0;
}

/// <summary>A ring's newest pane, as number and as row: pane p is in row p mod rows.</summary>
internal struct PaneClock
{
    /// <summary>The newest pane that the ring has an event in; <see cref="long.MinValue"/> before the first.</summary>
    public long Newest;

    public long Row;

    /// <summary>Whether a time is in the newest pane of one width: saves the division for most events and reads.</summary>
    public readonly bool IsIn(long time, in Window window) => Newest != long.MinValue && window.Calendar is null
        && (ulong)(time - Newest * window.Size) < (ulong)window.Size;
}

/// <summary>
/// A ring of panes: pane p (the events whose time t has floor(t / width) = p, or those of unit p of a calendar) lives in row p mod rows.
/// The ring's own clock is the newest pane it has an event in; panes behind it by the number of rows or more are gone, and no read can ask
/// for them, because reads are never before the profile's newest event.
/// </summary>
internal static class Panes
{
    /// <summary>Milliseconds of a UTC day.</summary>
    public const long DayMs = 86_400_000;

    /// <summary>
    /// floor(time / width) by one floating-point division: exact for |time| below 2^52 ms, because a quotient below an integer is further
    /// from it than half a unit in the last place. Several times faster than an integer division.
    /// </summary>
    public static long Of(long time, long width) => (long)Math.Floor((double)time / width);

    /// <summary>The pane of a time.</summary>
    public static long Of(long time, in Window window) => window.Calendar is { } calendar ? calendar.Of(time) : Of(time, window.Size);

    /// <summary>Makes a ring's clock that of no events.</summary>
    public static void Clear(ref byte profile, int clock) =>
        ProfileBytes.At<PaneClock>(ref profile, clock) = new PaneClock { Newest = long.MinValue };

    /// <summary>Opens an event's pane.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="state">Offset of the ring's <see cref="PaneClock"/>.</param>
    /// <param name="window">The window.</param>
    /// <param name="columns">The columns whose rows the ring reuses.</param>
    /// <param name="time">The event's time.</param>
    /// <returns>The row, or -1 where the ring has moved past the pane.</returns>
    public static int Enter(ref byte profile, int state, in Window window, ReadOnlySpan<Column> columns, long time)
    {
        ref var clock = ref ProfileBytes.At<PaneClock>(ref profile, state);
        return clock.IsIn(time, in window) ? (int)clock.Row : Turn(ref profile, ref clock, in window, columns, Of(time, in window));
    }

    /// <summary>
    /// Turns a ring to a pane, where that is its newest, and returns the pane's row; -1 where the ring has moved past it.
    /// </summary>
    public static int Turn(ref byte profile, ref PaneClock clock, in Window window, ReadOnlySpan<Column> columns, long pane)
    {
        var rows = window.Rows;
        if (clock.Newest == long.MinValue || pane - clock.Newest >= rows)
        {
            if (clock.Newest != long.MinValue)
                foreach (ref readonly var column in columns) column.Clear(ref profile, 0, rows);
            clock.Newest = pane;
            clock.Row = pane - rows * Of(pane, rows);
            return (int)clock.Row;
        }
        if (pane - clock.Newest <= -rows) return -1;
        var step = (int)(pane - clock.Newest);
        var row = (int)clock.Row + step;
        if (step > 0)
        {
            ClearRows(ref profile, rows, columns, (int)clock.Row + 1, step);
            if (row >= rows) row -= rows;
            clock.Newest = pane;
            clock.Row = row;
        }
        return row < 0 ? row + rows : row;
    }

    /// <summary>
    /// The rows of the window that ends with the pane of now, oldest first; panes after the newest are empty and left out.
    /// </summary>
    public static RowRange At(ref byte profile, int state, in Window window, long now)
    {
        ref var clock = ref ProfileBytes.At<PaneClock>(ref profile, state);
        var rows = window.Rows;
        var ahead = 0L;
        if (!clock.IsIn(now, in window))
        {
            if (clock.Newest == long.MinValue) return default;
            ahead = Math.Max(0, Of(now, in window) - clock.Newest);
            if (ahead >= rows) return default;
        }
        var start = (int)clock.Row + 1 + (int)ahead;
        if (start >= rows) start -= rows;
        var count = rows - (int)ahead;
        var straight = Math.Min(count, rows - start);
        return new RowRange(start, straight, count - straight, now);
    }

    private static void ClearRows(ref byte profile, int rows, ReadOnlySpan<Column> columns, int start, int count)
    {
        if (start >= rows) start -= rows;
        var straight = Math.Min(count, rows - start);
        foreach (ref readonly var column in columns)
        {
            column.Clear(ref profile, start, straight);
            if (count > straight) column.Clear(ref profile, 0, count - straight);
        }
    }
}
