using System.Globalization;
using StreamEngine.Events;
using StreamEngine.Features;
using Xunit;

namespace StreamEngine.Tests.Features;

/// <summary>Windows of calendar units against what the zone's clocks show, by .NET's own conversion.</summary>
public sealed class CalendarTests
{
    private const long Hour = 3_600_000;

    public static TheoryData<string, CalendarUnit> Units
    {
        get
        {
            var data = new TheoryData<string, CalendarUnit>();
            foreach (var zone in new[] { "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
                "America/Sao_Paulo", "Pacific/Apia", "Africa/Casablanca" })
                foreach (var unit in Enum.GetValues<CalendarUnit>()) data.Add(zone, unit);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Units))]
    public void A_unit_is_what_the_clocks_show(string zone, CalendarUnit unit)
    {
        var found = TimeZoneInfo.FindSystemTimeZoneById(zone);
        var panes = new CalendarPanes(unit, found);
        var random = new Random(1);
        var (end, last, changes) = (Ms("2100-01-01T00:00:00"), long.MinValue, 0);
        void Check(long time)
        {
            var pane = panes.Of(time);
            Assert.Equal(Number(unit, TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(time), found).DateTime), pane);
            Assert.True(pane >= last, $"{pane} after {last}");
            last = pane;
        }

        TimeSpan Offset(long time) => found.GetUtcOffset(DateTimeOffset.FromUnixTimeMilliseconds(time));
        for (long day = 0; day < end; day += 24 * Hour)
        {
            // On a day on which the clocks are changed all quarters of an hour and their ends, on others a time at random.
            if (Offset(day) == Offset(day + 24 * Hour)) Check(day + random.NextInt64(24 * Hour));
            else
            {
                changes++;
                for (var quarter = day; quarter < day + 24 * Hour; quarter += Hour / 4)
                {
                    Check(quarter);
                    Check(quarter + Hour / 4 - 1);
                }
            }
        }
        Assert.True(changes > (zone is "UTC" or "Asia/Kolkata" ? -1 : 20), $"{changes} changes");
    }

    [Fact]
    public void Clocks_that_go_back_past_midnight_do_not_bring_yesterday_back()
    {
        // In Newfoundland, on 2010-11-07, one minute past midnight was followed by one minute past eleven in the evening.
        var panes = new CalendarPanes(CalendarUnit.Day, TimeZoneInfo.FindSystemTimeZoneById("America/St_Johns"));
        var change = Ms("2010-11-07T02:31:00");
        Assert.Equal([0, 1, 1, 1, 1, 2], new[] { change - 60_001, change - 60_000, change, change + Hour - 60_000, change + Hour,
            change + 25 * Hour }.Select(t => panes.Of(t) - panes.Of(change - 60_001)));
    }

    [Theory]
    [InlineData("2024-03-31", 23)]
    [InlineData("2024-07-10", 24)]
    [InlineData("2024-10-27", 25)]
    public void A_day_has_as_many_hours_as_its_zone_gives_it(string day, int hours)
    {
        FeatureOptions count = new()
        {
            Name = "n",
            Op = FeatureOperator.Count,
            Default = -1,
            Window = new() { Calendar = CalendarUnit.Day, Zone = "Europe/Berlin" }
        };
        var harness = new FeatureHarness([count, count with { Name = "two", Window = count.Window with { Last = 2 } }]);
        // An event in the middle of every hour from two days before to two days after.
        var start = Ms($"{day}T00:00:00");
        for (var time = start - 48 * Hour; time < start + 72 * Hour; time += Hour)
        {
            harness.Apply(new ShopEvent(time + Hour / 2, (ulong)time, "view"));
            var local = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(time), Berlin);
            if (local.ToString("yyyy-MM-dd HH", CultureInfo.InvariantCulture) != $"{day} 23") continue;
            Assert.Equal([hours, hours + 24.0], harness.Read());
            Assert.Equal([-1, (double)hours], harness.Read(time + Hour));
        }
    }

    [Fact]
    public void Months_and_weeks_begin_with_their_first_day_in_the_zone()
    {
        FeatureOptions Sum(string name, CalendarUnit unit) => new()
        {
            Name = name,
            Op = FeatureOperator.Sum,
            Of = "event.price",
            Window = new() { Calendar = unit, Zone = "Europe/Berlin", Last = 2 }
        };
        // Late by a month: events still find their own unit.
        var harness = new FeatureHarness([Sum("months", CalendarUnit.Month), Sum("weeks", CalendarUnit.Week)],
            new TimeOptions { Lateness = TimeSpan.FromDays(40) });
        ShopEvent At(string time, long price) => new(Ms(time), (ulong)price, "purchase", Price: price * 100);
        // 2024-01-31 is a Wednesday; midnight in Berlin is 23:00 UTC in winter and 22:00 in summer.
        harness.Apply(At("2024-02-29T22:59:00", 1), At("2024-02-29T23:00:00", 2), At("2024-01-31T22:59:00", 4),
            At("2024-01-31T23:00:00", 8));
        Assert.Equal([11.0, 3], harness.Read());
        Assert.Equal([11.0, 0], harness.Read(Ms("2024-03-31T21:59:59")));
        Assert.Equal([2.0, 0], harness.Read(Ms("2024-03-31T22:00:00")));
    }

    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    /// <summary>The number of a unit that the clocks show, by .NET's calendar.</summary>
    internal static long Number(CalendarUnit unit, DateTime local) => unit switch
    {
        CalendarUnit.Hour => (long)Math.Floor((local - DateTime.UnixEpoch).TotalHours),
        CalendarUnit.Day => (local.Date - DateTime.UnixEpoch).Days,
        CalendarUnit.Week => (long)Math.Floor((local.Date - new DateTime(1969, 12, 29)).TotalDays / 7),
        _ => local.Year * 12 + local.Month - 1,
    };

    private static long Ms(string time) =>
        DateTimeOffset.Parse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUnixTimeMilliseconds();
}
