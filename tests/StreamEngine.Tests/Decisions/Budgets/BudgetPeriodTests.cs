using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Expressions.Functions;
using Xunit;

namespace StreamEngine.Tests.Decisions.Budgets;

public sealed class BudgetPeriodTests
{
    [Theory]
    [InlineData(BudgetPeriod.Day, "UTC", "2026-11-30T15:00Z", "2026-11-30", "2026-11-30T00:00Z", "2026-12-01T00:00Z")]
    [InlineData(BudgetPeriod.Day, "Europe/Berlin", "2026-11-30T23:30Z", "2026-12-01", "2026-11-30T23:00Z", "2026-12-01T23:00Z")]
    [InlineData(BudgetPeriod.Day, "Europe/Berlin", "2026-03-29T12:00Z", "2026-03-29", "2026-03-28T23:00Z", "2026-03-29T22:00Z")] // 23 hours
    [InlineData(BudgetPeriod.Day, "Africa/Cairo", "2026-04-24T12:00Z", "2026-04-24", "2026-04-23T22:00Z", "2026-04-24T21:00Z")]
    [InlineData(BudgetPeriod.Week, "+05:30", "2026-11-29T18:29Z", "2026-11-23", "2026-11-22T18:30Z", "2026-11-29T18:30Z")]
    [InlineData(BudgetPeriod.Month, "UTC", "2026-12-31T23:59Z", "2026-12", "2026-12-01T00:00Z", "2027-01-01T00:00Z")]
    public void A_period_is_that_of_the_zones_calendar(BudgetPeriod period, string zone, string at, string key, string start, string end)
    {
        var budget = Make(Pacing.Asap, period, zone);
        var span = budget.At(Ms(at));
        Assert.Equal((key, Ms(start), Ms(end)), (span.Key, span.Start, span.End));
        Assert.Equal(span, budget.At(span.Start));
        Assert.Equal(span, budget.At(span.End - 1));
        Assert.NotEqual(key, budget.At(span.End).Key);
        Assert.Equal(span, budget.Named(key));
        Assert.Null(budget.Named("all"));
        Assert.Null(budget.Named("2026-11-24 "));
    }

    [Fact]
    public void Outside_from_and_to_there_is_no_money()
    {
        var budget = Make(Pacing.Even, null, "UTC", Ms("2026-12-01T00:00Z"), Ms("2026-12-11T00:00Z"));
        Assert.True(budget.At(Ms("2026-11-30T23:59Z")).IsOutside);
        Assert.True(budget.At(Ms("2026-12-11T00:00Z")).IsOutside);
        var span = budget.At(Ms("2026-12-01T00:00Z"));
        Assert.Equal("all", span.Key);
        Assert.Equal((0.0, 10.0, 50.0, 100.0, 100.0), (budget.Released(span, Ms("2026-11-01T00:00Z")),
            budget.Released(span, Ms("2026-12-02T00:00Z")), budget.Released(span, Ms("2026-12-06T00:00Z")),
            budget.Released(span, Ms("2026-12-11T00:00Z")), budget.Released(span, Ms("2027-12-11T00:00Z"))));
        // A day's amount is paced over what is left of the day.
        var days = Make(Pacing.Even, BudgetPeriod.Day, "UTC", Ms("2026-12-01T12:00Z"), Ms("2026-12-11T00:00Z"));
        Assert.Equal((Ms("2026-12-01T12:00Z"), Ms("2026-12-02T00:00Z")), (days.At(Ms("2026-12-01T15:00Z")).Start,
            days.At(Ms("2026-12-01T15:00Z")).End));
        Assert.Equal(25, days.Released(days.At(Ms("2026-12-01T15:00Z")), Ms("2026-12-01T15:00Z")));
    }

    [Fact]
    public void Pacing_releases_as_documented()
    {
        var at = Ms("2026-11-30T12:00Z");
        double Half(Pacing pacing) => Make(pacing, BudgetPeriod.Day, "UTC") is var b ? b.Released(b.At(at), at) : 0;
        Assert.Equal((100.0, 50.0, 75.0), (Half(Pacing.Asap), Half(Pacing.Even), Half(Pacing.FrontLoaded)));
        var front = Make(Pacing.FrontLoaded, BudgetPeriod.Day, "UTC");
        var before = -1.0;
        for (var time = Ms("2026-11-30T00:00Z"); time <= Ms("2026-12-01T00:00Z"); time += 600_000)
        {
            var released = front.Released(front.Named("2026-11-30")!.Value, time);
            Assert.True(released >= before);
            before = released;
        }
        Assert.Equal(100, before);
        Assert.Equal(100, front.Released(front.Named("2026-11-29")!.Value, at)); // over
        Assert.Equal(0, front.Released(front.Named("2026-12-01")!.Value, at));   // to come
    }

    private static Budget Make(Pacing pacing, BudgetPeriod? period, string zone, long from = long.MinValue, long to = long.MaxValue) =>
        new("b", 100, [1], OutcomeKind.None, pacing, period, TimeFunctions.Zone(zone)!, from, to);

    private static long Ms(string time) => ScalarText.Time(time)!.Value.ToUnixTimeMilliseconds();
}
