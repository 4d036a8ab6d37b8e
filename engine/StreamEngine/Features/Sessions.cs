namespace StreamEngine.Features;

/// <summary>A run of events without a gap; <see cref="End"/> is <see cref="long.MinValue"/> where the place is free.</summary>
internal struct Fragment
{
    public long Start;
    public long End;
}

/// <summary>
/// The fragments of a customer's recent sessions: runs of events that are at most a gap apart. Late events extend a fragment or bridge two.
/// Of ends e1 > e2 > ... the k-th is before e1 - (k - 1) gap, and an event no older than e1 - late can touch only ends from e1 - late - gap
/// on: so
/// 1 + ceil(late / gap) fragments matter, and one that begins may take the place of the fragment that ended first.
/// </summary>
internal static class Sessions
{
    /// <summary>Bytes before the fragments: the row of the newest fragment, int64.</summary>
    private const int HeaderLength = sizeof(long);

    /// <summary>How many fragments have to be kept for events that are late by up to so many milliseconds.</summary>
    public static long Rows(long gap, long late) => 1 + (late + gap - 1) / gap;

    /// <summary>Bytes of the table without the columns.</summary>
    public static int Length(int rows) => HeaderLength + rows * 16;

    /// <summary>The fragment of a row.</summary>
    public static ref Fragment At(ref byte profile, int table, int row) =>
        ref ProfileBytes.At<Fragment>(ref profile, table + HeaderLength + row * 16);

    /// <summary>The row of the fragment that is still open, or -1.</summary>
    public static int Open(ref byte profile, int table, long gap, long now)
    {
        var row = (int)ProfileBytes.At<long>(ref profile, table);
        var end = At(ref profile, table, row).End;
        return end != long.MinValue && now - end <= gap ? row : -1;
    }

    /// <summary>Makes the table empty.</summary>
    public static void Clear(ref byte profile, int table, int rows)
    {
        ProfileBytes.At<long>(ref profile, table) = 0;
        for (var row = 0; row < rows; row++) At(ref profile, table, row) = new Fragment { End = long.MinValue };
    }

    /// <summary>
    /// Finds or makes the fragment of an event, and returns its row; -1 where every kept fragment is newer and out of reach.
    /// </summary>
    public static int Enter(ref byte profile, int table, int rows, long gap, ReadOnlySpan<Column> columns, long time)
    {
        ref var newest = ref ProfileBytes.At<long>(ref profile, table);
        ref var last = ref At(ref profile, table, (int)newest);
        if (last.End == long.MinValue || (time > last.End && time - last.End > gap))
        {
            newest = Begin(ref profile, table, rows, columns, time);
            return (int)newest;
        }
        if (time < last.Start) return EnterLate(ref profile, table, rows, gap, columns, time);
        if (time > last.End) last.End = time;
        return (int)newest;
    }

    private static int EnterLate(ref byte profile, int table, int rows, long gap, ReadOnlySpan<Column> columns, long time)
    {
        int before = -1, after = -1;
        for (var row = 0; row < rows; row++)
        {
            ref var fragment = ref At(ref profile, table, row);
            if (fragment.End == long.MinValue) continue;
            if (time < fragment.Start)
            {
                if (fragment.Start - time <= gap) after = row;
            }
            else if (time - fragment.End <= gap) before = row;
        }

        if (after < 0)
        {
            if (before < 0) return Begin(ref profile, table, rows, columns, time);
            ref var extended = ref At(ref profile, table, before);
            if (time > extended.End) extended.End = time;
            return before;
        }
        ref var later = ref At(ref profile, table, after);
        later.Start = time;
        if (before < 0) return after;

        // The event bridges two: the later one takes the earlier one in, so that the newest fragment keeps its row.
        ref var earlier = ref At(ref profile, table, before);
        later.Start = earlier.Start;
        earlier.End = long.MinValue;
        foreach (ref readonly var column in columns) column.Merge(ref profile, after, before);
        return after;
    }

    /// <summary>Takes a free place, or that of the fragment that ended first.</summary>
    private static int Begin(ref byte profile, int table, int rows, ReadOnlySpan<Column> columns, long time)
    {
        var row = 0;
        for (var i = 1; i < rows; i++)
            if (At(ref profile, table, i).End < At(ref profile, table, row).End) row = i;
        ref var fragment = ref At(ref profile, table, row);
        if (fragment.End > time) return -1;
        fragment = new Fragment { Start = time, End = time };
        foreach (ref readonly var column in columns) column.Clear(ref profile, row, 1);
        return row;
    }
}
