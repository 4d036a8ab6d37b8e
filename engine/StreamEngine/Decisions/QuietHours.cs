using System.Collections.Immutable;
using StreamEngine.Configuration;
using StreamEngine.Expressions;
using StreamEngine.Expressions.Functions;

namespace StreamEngine.Decisions;

/// <summary>
/// Quiet hours, compiled. They are hours that clocks show: where clocks are put back, an hour that is shown twice is quiet twice, and where
/// they are put forward, what they leap over is left out.
/// </summary>
/// <param name="Name">The name.</param>
/// <param name="From">The time of day at which they begin, ms.</param>
/// <param name="To">The time of day at which they end, ms; at or before the beginning it is the next day's.</param>
/// <param name="Days">By day of the week from Sunday, whether they begin then.</param>
/// <param name="Covers">By offer, whether its channel is one of theirs.</param>
/// <param name="Zone">The customer's zone; null where everybody has the same one.</param>
/// <param name="Otherwise">Everybody's zone, or that of customers whose own is not known.</param>
/// <param name="Defers">Whether decisions wait for their end.</param>
/// <param name="MaxWait">The longest that they wait, ms.</param>
/// <param name="Spread">The time after their end over which customers' decisions are made anew, ms.</param>
public sealed record QuietHours(string Name, long From, long To, ImmutableArray<bool> Days, ImmutableArray<bool> Covers, StringExpr? Zone,
    TimeZoneInfo Otherwise, bool Defers = false, long MaxWait = long.MaxValue, long Spread = 0)
{
    private const long DayMs = 86_400_000;

    /// <summary>As long as it takes until a week has shown all of its hours, with a day for clocks that are changed, ms.</summary>
    internal const long LongestMs = 8 * DayMs;

    private static readonly TimeSpan LongestSpread = TimeSpan.FromHours(6);

    /// <summary>Beyond this time, ms, clocks are not known: the beginning of the year 9999.</summary>
    private const long Latest = 253_370_764_800_000;

    /// <summary>Whether they are on.</summary>
    /// <param name="now">The time, ms since 1970.</param>
    /// <param name="zone">The customer's zone.</param>
    public bool Contain(long now, TimeZoneInfo zone)
    {
        var local = TimeFunctions.Local(now, zone);
        var (time, day) = (local.TimeOfDay.Ticks / TimeSpan.TicksPerMillisecond, (int)local.DayOfWeek);
        if (From < To) return time >= From && time < To && Days[day];
        return time >= From ? Days[day] : time < To && Days[(day + 6) % 7];
    }

    /// <summary>
    /// The first time at or after another at which they are off. It asks <see cref="Contain"/> wherever its answer can change: where clocks
    /// show that they begin or end, or midnight, and where clocks are put forward or back.
    /// </summary>
    /// <param name="now">That time, ms since 1970.</param>
    /// <param name="zone">The customer's zone.</param>
    /// <returns>
    /// Their end, ms; <see cref="long.MaxValue"/> where they do not end within eight days, as they last for good, and before 1970.
    /// </returns>
    public long End(long now, TimeZoneInfo zone)
    {
        if (now is < 0 or > Latest) return long.MaxValue;
        for (var time = now; time <= now + LongestMs; time = NextChange(time, zone))
            if (!Contain(time, zone)) return time;
        return long.MaxValue;
    }

    /// <summary>The first time after another at which they may begin or end.</summary>
    private long NextChange(long time, TimeZoneInfo zone)
    {
        var shown = TimeFunctions.Local(time, zone).TimeOfDay.Ticks / TimeSpan.TicksPerMillisecond;
        var next = DayMs;
        if (From > shown) next = Math.Min(next, From);
        if (To > shown) next = Math.Min(next, To);
        var (before, after) = (time, time + next - shown);
        var ahead = Ahead(time, zone);
        if (Ahead(after, zone) == ahead) return after;
        // Clocks are changed before that; at halves of the time it is found when.
        while (after - before > 1)
        {
            var middle = before + (after - before) / 2;
            if (Ahead(middle, zone) == ahead) before = middle;
            else after = middle;
        }
        return after;
    }

    /// <summary>By how much the zone's clocks are ahead of UTC.</summary>
    private static TimeSpan Ahead(long time, TimeZoneInfo zone) => zone.GetUtcOffset(DateTimeOffset.FromUnixTimeMilliseconds(time));

    /// <summary>Compiles all, collecting every mistake.</summary>
    /// <param name="options">The quiet hours in config order.</param>
    /// <param name="offers">The offers, whose channels they may name.</param>
    /// <param name="scope">What the expression of a zone may read.</param>
    /// <param name="errors">Receives every mistake.</param>
    /// <param name="zones">Finds a zone by its name; null for those of this machine.</param>
    internal static IReadOnlyList<QuietHours> Compile(IReadOnlyList<QuietHoursOptions> options, IReadOnlyList<OfferOptions> offers,
        Scope scope, ConfigErrors errors, Func<string, TimeZoneInfo?>? zones = null) =>
        [.. options.Select(o => Compile(o, offers, scope, errors, zones ?? TimeFunctions.Zone))];

    private static QuietHours Compile(QuietHoursOptions options, IReadOnlyList<OfferOptions> offers, Scope scope, ConfigErrors errors,
        Func<string, TimeZoneInfo?> zones)
    {
        var (from, to) = (TimeOfDay(options, "from", options.From, errors), TimeOfDay(options, "to", options.To, errors));
        if (from == DayMs)
            errors.Add(options.Node, "from", "no quiet hours begin at the day's end", "Write '00:00' and the days on which they begin");
        else if (from >= 0 && from == to)
            errors.Add(options.Node, "to", $"quiet hours {options.Name} end when they begin",
                "For whole days, write from: '00:00' and to: '24:00'");
        var channels = offers.Select(o => o.Channel).Distinct().ToList();
        foreach (var channel in options.Channels)
            if (!channels.Contains(channel))
                errors.Add(options.Node, "channels", $"'{channel}' is no offer's channel", KnownNames.Hint(channel, channels, "channels"));
        if (options.MaxWait is not null && options.Then != QuietHoursFate.Defer)
            errors.Add(options.Node, "max_wait", $"nothing waits for the end of quiet hours {options.Name}",
                "Add 'then: defer', or remove max_wait");
        else if (options.MaxWait <= TimeSpan.Zero)
            errors.Add(options.Node, "max_wait", $"a wait of {options.MaxWait} is none", "Choose a duration above 0, such as 12h");
        if (options.Spread < TimeSpan.Zero || options.Spread > LongestSpread)
            errors.Add(options.Node, "spread", $"decisions cannot be spread over {options.Spread}",
                "Choose a duration up to 6h, such as 10m; 0s for none");
        var otherwise = Known(options.Otherwise, options.Node, "otherwise", errors, zones);
        var zone = ZoneOf(options, scope, ref otherwise, errors, zones);
        return new QuietHours(options.Name, from, to,
            [.. Enum.GetValues<DayOfWeek>().Select(d => options.Days.Count == 0 || options.Days.Contains(d))],
            [.. offers.Select(o => options.Channels.Count == 0 || options.Channels.Contains(o.Channel))],
            zone, otherwise ?? TimeZoneInfo.Utc, options.Then == QuietHoursFate.Defer,
            options.MaxWait is { } most ? (long)most.TotalMilliseconds : long.MaxValue,
            (long)options.Spread.TotalMilliseconds);
    }

    /// <summary>The expression of the zone; null where it is constant, which then is everybody's zone.</summary>
    private static StringExpr? ZoneOf(QuietHoursOptions options, Scope scope, ref TimeZoneInfo? otherwise, ConfigErrors errors,
        Func<string, TimeZoneInfo?> zones)
    {
        if (options.TimeZone is not { } text) return null;
        if (zones(text.Text) is not null)
        {
            errors.Add(options.Node, "time_zone", $"{text.Text} is no expression",
                $"Write 'otherwise: {text.Text}' alone where it is everybody's time zone, or an expression such as event.time_zone");
            return null;
        }
        if (ExpressionCompiler.String(text, scope, errors) is not { } zone) return null;
        var reads = ExpressionCompiler.References(text);
        if (options.Then == QuietHoursFate.Defer && reads.Event.Count > 0)
            errors.Add(options.Node, "time_zone", $"decisions that wait for the end of quiet hours {options.Name} have no event then, so "
                + "that the customer's zone would not be known", "Keep the zone in a feature (op: last) and read that: features.time_zone");
        if (reads.Event.Count + reads.Features.Count + reads.Consent.Count > 0)
        {
            if (zones("Europe/Berlin") is null)
                errors.Add(options.Node, "time_zone", "no time zones are known here, so no customer's can be found",
                    "Install the system's tzdata");
            return zone;
        }
        otherwise = Known(System.Text.Encoding.UTF8.GetString(zone(new EvalContext())), options.Node, "time_zone", errors, zones);
        return null;
    }

    private static TimeZoneInfo? Known(string name, ConfigNode node, string key, ConfigErrors errors, Func<string, TimeZoneInfo?> zones)
    {
        var zone = zones(name);
        if (zone is null)
            errors.Add(node, key, $"unknown time zone '{Spelling.Short(name)}'",
                "Write a name such as 'Europe/Berlin' or an offset such as '+05:30'; where none is known, install the system's tzdata");
        return zone;
    }

    /// <summary>A time of day in ms; -1 where it is none, which is told.</summary>
    private static long TimeOfDay(QuietHoursOptions options, string key, string text, ConfigErrors errors)
    {
        if (text == "24:00") return DayMs;
        if (TimeOnly.TryParseExact(text, "HH:mm", System.Globalization.CultureInfo.InvariantCulture, default, out var time))
            return time.Ticks / TimeSpan.TicksPerMillisecond;
        errors.Add(options.Node, key, $"'{Spelling.Short(text)}' is no time of day", "Write hours and minutes, as in '08:30'");
        return -1;
    }
}
