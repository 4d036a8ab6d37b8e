using System.Buffers;
using StreamEngine.Configuration;

namespace StreamEngine.Expressions.Functions;

/// <summary>Timestamps and durations, as CEL defines them, to 100 nanoseconds.</summary>
internal static class TimeFunctions
{
    private const string TooFine = "time is kept to 100 nanoseconds";
    private const string Beyond = "the time is beyond the years 1 to 9999";
    private const string TooLong = "the duration is longer than 292 years";

    private static readonly long MaxTicks = DateTime.MaxValue.Ticks;

    /// <summary>What names of time zones are made of.</summary>
    private static readonly SearchValues<char> ZoneCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/");

    /// <summary>As long as 64 bits of nanoseconds reach.</summary>
    private static readonly TimeSpan Longest = new(long.MaxValue / TimeSpan.NanosecondsPerTick);

    [Cel("timestamp")]
    public static DateTime Timestamp(DateTime time) => time;

    /// <summary>Seconds since 1970-01-01 UTC.</summary>
    [Cel("timestamp")]
    public static DateTime Timestamp(long seconds) => At(seconds, TimeSpan.TicksPerSecond);

    /// <summary>A time of RFC 3339: <c>2024-02-29T12:30:00.5+01:00</c>.</summary>
    [Cel("timestamp")]
    public static DateTime Timestamp(ReadOnlySpan<byte> text)
    {
        if (TimeReader.TryTimestamp(text, out var ticks, out var exact) && ticks >= 0 && ticks <= MaxTicks)
        {
            if (!exact) ExprFault.Raise(TooFine);
            return new DateTime(ticks, DateTimeKind.Utc);
        }
        ExprFault.Raise("the text is not a time like 2024-02-29T12:30:00Z in the years 1 to 9999");
        return DateTime.UnixEpoch;
    }

    /// <summary>What <c>timestamp(event.time)</c> is: the engine's own times are in milliseconds.</summary>
    public static DateTime OfMilliseconds(long milliseconds) => At(milliseconds, TimeSpan.TicksPerMillisecond);

    [Cel("duration")]
    public static TimeSpan Duration(TimeSpan duration) => duration;

    /// <summary>A text such as <c>1h30m</c>, <c>-1.5s</c>, <c>100ms</c>.</summary>
    [Cel("duration")]
    public static TimeSpan Duration(ReadOnlySpan<byte> text)
    {
        if (TimeReader.TryDuration(text, out var nanoseconds) && Int128.Abs(nanoseconds) <= long.MaxValue)
        {
            if (nanoseconds % TimeSpan.NanosecondsPerTick != 0) ExprFault.Raise(TooFine);
            return new TimeSpan((long)(nanoseconds / TimeSpan.NanosecondsPerTick));
        }
        ExprFault.Raise("the text is not a duration like 1h30m or 1.5s of at most 292 years");
        return TimeSpan.Zero;
    }

    /// <summary>Beyond the range a sum stops at its nearest end, as sums of ints do.</summary>
    public static DateTime Add(DateTime time, TimeSpan duration)
    {
        var ticks = time.Ticks + duration.Ticks;
        if (ticks < 0 || ticks > MaxTicks) ExprFault.Raise(Beyond);
        return new DateTime(Math.Clamp(ticks, 0, MaxTicks), DateTimeKind.Utc);
    }

    public static DateTime Add(TimeSpan duration, DateTime time) => Add(time, duration);

    public static DateTime Subtract(DateTime time, TimeSpan duration) => Add(time, -duration);

    public static TimeSpan Subtract(DateTime a, DateTime b) => Limited((Int128)a.Ticks - b.Ticks);

    public static TimeSpan Add(TimeSpan a, TimeSpan b) => Limited((Int128)a.Ticks + b.Ticks);

    public static TimeSpan Subtract(TimeSpan a, TimeSpan b) => Limited((Int128)a.Ticks - b.Ticks);

    [Cel("getFullYear", IsMethod = true)]
    public static long Year(DateTime time) => time.Year;

    [Cel("getFullYear", IsMethod = true)]
    public static long Year(DateTime time, TimeZoneInfo zone) => Local(time, zone).Year;

    /// <summary>January is 0.</summary>
    [Cel("getMonth", IsMethod = true)]
    public static long Month(DateTime time) => time.Month - 1;

    [Cel("getMonth", IsMethod = true)]
    public static long Month(DateTime time, TimeZoneInfo zone) => Month(Local(time, zone));

    /// <summary>The first day of the month is 1.</summary>
    [Cel("getDate", IsMethod = true)]
    public static long Date(DateTime time) => time.Day;

    [Cel("getDate", IsMethod = true)]
    public static long Date(DateTime time, TimeZoneInfo zone) => Local(time, zone).Day;

    /// <summary>The first day of the month is 0.</summary>
    [Cel("getDayOfMonth", IsMethod = true)]
    public static long DayOfMonth(DateTime time) => time.Day - 1;

    [Cel("getDayOfMonth", IsMethod = true)]
    public static long DayOfMonth(DateTime time, TimeZoneInfo zone) => DayOfMonth(Local(time, zone));

    /// <summary>The first day of the year is 0.</summary>
    [Cel("getDayOfYear", IsMethod = true)]
    public static long DayOfYear(DateTime time) => time.DayOfYear - 1;

    [Cel("getDayOfYear", IsMethod = true)]
    public static long DayOfYear(DateTime time, TimeZoneInfo zone) => DayOfYear(Local(time, zone));

    /// <summary>Sunday is 0.</summary>
    [Cel("getDayOfWeek", IsMethod = true)]
    public static long DayOfWeek(DateTime time) => (long)time.DayOfWeek;

    [Cel("getDayOfWeek", IsMethod = true)]
    public static long DayOfWeek(DateTime time, TimeZoneInfo zone) => DayOfWeek(Local(time, zone));

    [Cel("getHours", IsMethod = true)]
    public static long Hours(DateTime time) => time.Hour;

    [Cel("getHours", IsMethod = true)]
    public static long Hours(DateTime time, TimeZoneInfo zone) => Local(time, zone).Hour;

    [Cel("getMinutes", IsMethod = true)]
    public static long Minutes(DateTime time) => time.Minute;

    [Cel("getMinutes", IsMethod = true)]
    public static long Minutes(DateTime time, TimeZoneInfo zone) => Local(time, zone).Minute;

    [Cel("getSeconds", IsMethod = true)]
    public static long Seconds(DateTime time) => time.Second;

    [Cel("getSeconds", IsMethod = true)]
    public static long Seconds(DateTime time, TimeZoneInfo zone) => Local(time, zone).Second;

    [Cel("getMilliseconds", IsMethod = true)]
    public static long Milliseconds(DateTime time) => time.Millisecond;

    [Cel("getMilliseconds", IsMethod = true)]
    public static long Milliseconds(DateTime time, TimeZoneInfo zone) => Local(time, zone).Millisecond;

    /// <summary>The whole duration in hours, cut to an int; minutes and seconds likewise.</summary>
    [Cel("getHours", IsMethod = true)]
    public static long Hours(TimeSpan duration) => duration.Ticks / TimeSpan.TicksPerHour;

    [Cel("getMinutes", IsMethod = true)]
    public static long Minutes(TimeSpan duration) => duration.Ticks / TimeSpan.TicksPerMinute;

    [Cel("getSeconds", IsMethod = true)]
    public static long Seconds(TimeSpan duration) => duration.Ticks / TimeSpan.TicksPerSecond;

    /// <summary>
    /// A zone of the IANA database, or an offset such as <c>+05:30</c>; null where it is neither. A name may come from an event: one that
    /// could lead out of the database's folder is not looked for.
    /// </summary>
    public static TimeZoneInfo? Zone(string name)
    {
        if (TimeReader.TryOffset(name, out var offset))
            return offset.Duration() > TimeSpan.FromHours(14) ? null : TimeZoneInfo.CreateCustomTimeZone(name, offset, name, name);
        if (name.Length == 0 || !char.IsAsciiLetter(name[0]) || name.AsSpan().ContainsAnyExcept(ZoneCharacters)) return null;
        return TimeZones.Find(name);
    }

    /// <summary>The time on the clocks of a zone, cut to the years 1 to 9999.</summary>
    /// <param name="ms">The time, ms since 1970.</param>
    /// <param name="zone">The zone.</param>
    internal static DateTime Local(long ms, TimeZoneInfo zone)
    {
        var ticks = (long)Int128.Clamp((Int128)ms * TimeSpan.TicksPerMillisecond + DateTime.UnixEpoch.Ticks, 0, MaxTicks);
        return new DateTime(Math.Clamp(ticks + zone.GetUtcOffset(new DateTime(ticks, DateTimeKind.Utc)).Ticks, 0, MaxTicks));
    }

    private static DateTime At(long units, long ticksPerUnit)
    {
        var ticks = (Int128)units * ticksPerUnit + DateTime.UnixEpoch.Ticks;
        if (ticks < 0 || ticks > MaxTicks) ExprFault.Raise(Beyond);
        return new DateTime((long)Int128.Clamp(ticks, 0, MaxTicks), DateTimeKind.Utc);
    }

    private static TimeSpan Limited(Int128 ticks)
    {
        if (Int128.Abs(ticks) > Longest.Ticks) ExprFault.Raise(TooLong);
        return new TimeSpan((long)Int128.Clamp(ticks, -Longest.Ticks, Longest.Ticks));
    }

    /// <summary>The time on the clocks of a zone, which may leave the years 1 to 9999 by hours.</summary>
    private static DateTime Local(DateTime time, TimeZoneInfo zone)
    {
        var ticks = time.Ticks + zone.GetUtcOffset(time).Ticks;
        if (ticks < 0 || ticks > MaxTicks) ExprFault.Raise(Beyond);
        return new DateTime(Math.Clamp(ticks, 0, MaxTicks), DateTimeKind.Utc);
    }
}
