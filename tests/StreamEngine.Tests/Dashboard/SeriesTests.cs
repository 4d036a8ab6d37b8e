using StreamEngine.Dashboard.Components.Parts;
using StreamEngine.Dashboard.Data;
using StreamEngine.Decisions;
using StreamEngine.Runtime;
using Xunit;

namespace StreamEngine.Tests.Dashboard;

/// <summary>What the charts and tables make of samples.</summary>
public sealed class SeriesTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 30, 2, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_rate_is_what_came_between_two_samples_over_their_time()
    {
        Sample[] samples = [Sample(0, 0), Sample(1, 100), Sample(3, 500)];
        var line = Series.Rate("read", samples, c => c.Records);
        Assert.Equal([100, 200], line.Points.Select(p => p.Value));
        Assert.Equal([Start.UtcDateTime.AddSeconds(1), Start.UtcDateTime.AddSeconds(3)], line.Points.Select(p => p.Time));
        Assert.Equal(500 / 3.0, Series.Now(samples, c => c.Records));
        Assert.Equal(200, Series.Now(samples, c => c.Records, over: 1));
        Assert.Equal(0, Series.Now(samples[..1], c => c.Records));
    }

    [Fact]
    public void A_long_time_has_no_more_points_than_can_be_seen_and_keeps_its_mean()
    {
        var samples = Enumerable.Range(0, History.Most).Select(i => Sample(i, i * 10L)).ToList();
        var line = Series.Rate("read", samples, c => c.Records);
        Assert.InRange(line.Points.Count, Series.MostPoints / 2, Series.MostPoints);
        Assert.All(line.Points, p => Assert.Equal(10, p.Value));
    }

    [Fact]
    public void A_moment_without_a_value_has_no_point()
    {
        Sample[] samples = [Sample(0, 0), Sample(1, 0, new Latency(3, 20, 30)), Sample(2, 0)];
        Assert.Equal(30, Assert.Single(Series.Of("p99", samples, s => s.Decisions.P99).Points).Value);
    }

    [Fact]
    public void What_grew_is_told_the_most_first_with_its_share_and_the_chosen_one_is_no_dropped_one()
    {
        Sample[] samples = [Sample(0, 0), Sample(9, 0)];
        samples[0].Totals.Drops[(int)DropReason.Holdout] = 5;
        samples[1].Totals.Drops[(int)DropReason.Holdout] = 5;
        samples[1].Totals.Drops[(int)DropReason.None] = 70;
        samples[1].Totals.Drops[(int)DropReason.OfferCap] = 10;
        samples[1].Totals.Drops[(int)DropReason.NotEligible] = 30;
        string[] names = [.. Enum.GetNames<DropReason>().Select(StreamEngine.Configuration.Spelling.Snake)];
        Assert.Equal([new("not_eligible", 30, 30, 0.75), new("offer_cap", 10, 10, 0.25)], Series.Grown(samples, names, c => c.Drops));
        Assert.Empty(Series.Grown([], names, c => c.Drops));
    }

    [Theory]
    [InlineData(0.4, "0.4 s")]
    [InlineData(75, "75 s")]
    [InlineData(3_600, "60 min 0 s")]
    [InlineData(90_000, "25 h 0 min")]
    [InlineData(-300, "-5 min 0 s")]
    public void A_span_of_time_is_told_in_two_units(double seconds, string text) =>
        Assert.Equal(text, Show.Span(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Numbers_are_told_as_people_read_them()
    {
        Assert.Equal(["0", "0.5", "2,012"], new[] { 0, 0.5, 2_012.4 }.Select(Show.Rate));
        Assert.Equal(["0.5", "950", "1.2k", "3M", "2.5G"], new[] { 0.5, 950, 1_200, 3e6, 2.5e9 }.Select(Show.Short));
        Assert.Equal(["-", "0.25 ms", "22.9 ms", "12.0 s"], new[] { double.NaN, 0.25, 22.9, 12_000 }.Select(Show.Milliseconds));
        Assert.Equal(["999 B", "1.0 kB", "67.1 MB"], new[] { 999, 1_000, 67_108_864d }.Select(Show.Size));
        Assert.Equal("no consent", Show.Name(Outcome.NoConsent));
    }

    private static Sample Sample(double second, long records, Latency? latency = null) => new(Start.AddSeconds(second),
        new ShardCounters(1, 1, 0) { Records = records }, 0, new Dictionary<int, DateTimeOffset>(), latency ?? Latency.None, Latency.None,
        0, 0, 0, 1, []);
}
