namespace StreamEngine.Features;

/// <summary>A unit of the calendar.</summary>
public enum CalendarUnit
{
    /// <summary>From the full hour to the next.</summary>
    Hour,

    /// <summary>From midnight to midnight: 23, 24 or 25 hours.</summary>
    Day,

    /// <summary>From Monday to Sunday.</summary>
    Week,

    /// <summary>From the first of the month to the last.</summary>
    Month,
}

/// <summary>
/// Numbers the units of a calendar in a time zone, so that they can be the panes of a window. A time is in the unit that the zone's clocks
/// show; where clocks are put back across the beginning of a unit, the unit that has begun goes on. The zone's rules are those of the
/// system from 1970 to 2100; before and after, clocks go on as at the end of that time.
/// </summary>
internal sealed class CalendarPanes
{
    private const long HourMs = 3_600_000;
    private const int FirstYear = 1970, LastYear = 2100;

    private readonly CalendarUnit _unit;
    private readonly Change[] _changes;

    /// <summary>For a unit in a zone.</summary>
    public CalendarPanes(CalendarUnit unit, TimeZoneInfo zone)
    {
        _unit = unit;
        Name = $"{unit} {zone.Id}";
        _changes = [.. Changes(zone)];
    }

    /// <summary>The unit and the zone, for the name in the layout.</summary>
    public string Name { get; }

    /// <summary>Milliseconds of a unit, of months and days on average.</summary>
    public long AverageMs => _unit switch
    {
        CalendarUnit.Hour => HourMs,
        CalendarUnit.Day => Panes.DayMs,
        CalendarUnit.Week => 7 * Panes.DayMs,
        _ => (long)(365.2425 / 12 * Panes.DayMs),
    };

    /// <summary>The number of the unit that a time is in; never less for a later time.</summary>
    public long Of(long time)
    {
        int low = 0, high = _changes.Length - 1;
        while (low < high)
        {
            var middle = (low + high + 1) >> 1;
            if (_changes[middle].From <= time) low = middle;
            else high = middle - 1;
        }
        ref readonly var change = ref _changes[low];
        return Math.Max(change.Reached, Number(time + change.Offset));
    }

    /// <summary>The number of a unit by what the clocks show, in ms since the beginning of 1970 on them.</summary>
    private long Number(long local)
    {
        if (_unit == CalendarUnit.Hour) return Panes.Of(local, HourMs);
        var day = Panes.Of(local, Panes.DayMs);
        return _unit switch
        {
            CalendarUnit.Day => day,
            // Day 0 is a Thursday.
            CalendarUnit.Week => Panes.Of(day + 3, 7),
            _ => Month(day),
        };
    }

    /// <summary>
    /// The month of a day, by Hinnant's algorithm in "chrono-compatible low-level date algorithms": years that begin in March.
    /// </summary>
    private static long Month(long day)
    {
        const int daysOfEra = 146_097;
        day += 719_468;
        var era = Panes.Of(day, daysOfEra);
        var ofEra = day - era * daysOfEra;
        var year = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365;
        var ofYear = ofEra - (365 * year + year / 4 - year / 100);
        var monthFromMarch = (5 * ofYear + 2) / 153;
        return (era * 400 + year) * 12 + monthFromMarch + 2;
    }

    /// <summary>Each change of the zone's clocks, found by looking at every day and then at halves of it.</summary>
    private IEnumerable<Change> Changes(TimeZoneInfo zone)
    {
        static long Ms(int year) => new DateTimeOffset(year, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
        long OffsetAt(long time) => (long)zone.GetUtcOffset(DateTimeOffset.FromUnixTimeMilliseconds(time)).TotalMilliseconds;

        var last = new Change(long.MinValue, OffsetAt(Ms(FirstYear)), long.MinValue);
        yield return last;
        for (var day = Ms(FirstYear); day < Ms(LastYear); day += Panes.DayMs)
        {
            var offset = OffsetAt(day + Panes.DayMs);
            if (offset == last.Offset) continue;
            long before = day, after = day + Panes.DayMs;
            while (after - before > 1)
            {
                var middle = before + (after - before) / 2;
                if (OffsetAt(middle) == last.Offset) before = middle;
                else after = middle;
            }
            last = new Change(after, offset, Math.Max(last.Reached, Number(before + last.Offset)));
            yield return last;
        }
    }

    /// <summary>A change of the clocks.</summary>
    /// <param name="From">From when on they show another time.</param>
    /// <param name="Offset">By how much they are ahead of UTC, ms.</param>
    /// <param name="Reached">The unit that had begun before.</param>
    private readonly record struct Change(long From, long Offset, long Reached);
}
