using StreamEngine.Events;
using StreamEngine.Features;
using Xunit;

namespace StreamEngine.Tests.Features;

/// <summary>Operators of behaviour over time by small examples: streaks, decay, rates, trends, spread.</summary>
public sealed class BehaviourExampleTests
{
    private const long Day = 86_400_000;

    private static readonly FeatureOptions Streak = new() { Name = "s", Op = FeatureOperator.Streak, Default = -1 };

    [Fact]
    public void A_streak_lasts_until_a_day_is_missed()
    {
        var harness = new FeatureHarness([Streak]);
        Assert.Equal([-1.0], harness.Empty());
        harness.Apply(On(3), On(4), On(5), On(5));
        Assert.Equal([3.0], harness.Read(5 * Day + 7));
        Assert.Equal([3.0], harness.Read(7 * Day - 1));
        Assert.Equal([0.0], harness.Read(7 * Day));
        Assert.Equal([1.0], harness.Apply(On(8)).Read());
        Assert.Equal([6.0], harness.Apply(On(7), On(6)).Read());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(200)]
    public void A_streak_may_be_longer_than_the_days_that_are_known_one_by_one(int step)
    {
        // Blocks of days arrive with their newest first, so that the days known one by one move on in steps of every size.
        var harness = new FeatureHarness([Streak], new TimeOptions { Lateness = TimeSpan.FromDays(63) });
        var days = new HashSet<long>();
        var random = new Random(step);
        for (long day = 1_000; day < 4_000; day += random.Next(1, step + 1))
        {
            foreach (var late in Enumerable.Range(0, Math.Min(step, 64)).Where(_ => random.Next(40) > 0).Prepend(0))
            {
                harness.Apply(On(day - late));
                days.Add(day - late);
            }
            var length = 0;
            while (days.Contains(day - length)) length++;
            Assert.Equal([(double)length], harness.Read());
        }
    }

    [Fact]
    public void A_decayed_sum_halves_with_each_half_life()
    {
        var score = new FeatureOptions { Name = "x", Op = FeatureOperator.DecayedSum, Of = "event.price", HalfLife = TimeSpan.FromDays(7) };
        var harness = new FeatureHarness([score, score with { Name = "n", Of = null }]);
        harness.Apply(On(0, 800), On(14, 100));
        Assert.Equal([3, 1.25], harness.Read(14 * Day + 5));
        Assert.Equal([1.5, 0.625], harness.Read(21 * Day + 5));
        Assert.Equal([4.5, 0.875], harness.Apply(On(7, 1_200)).Read(21 * Day + 5));
    }

    [Fact]
    public void A_decayed_mean_forgets()
    {
        var mean = new FeatureOptions { Name = "x", Op = FeatureOperator.DecayedMean, Of = "event.price", HalfLife = TimeSpan.FromDays(7) };
        var harness = new FeatureHarness([mean]).Apply(On(0, 800), On(7, 200));
        Assert.Equal([4.0], harness.Read());
        Assert.Equal([4.0], harness.Read(400 * Day));
        // So long ago that nothing of it is left.
        Assert.Equal([50.0], harness.Apply(On(1_000_000, 5_000)).Read());
    }

    [Fact]
    public void A_rate_begins_with_its_prior()
    {
        var rate = new FeatureOptions
        {
            Name = "r",
            Op = FeatureOperator.Rate,
            Where = "event.type == 'purchase'",
            Per = "event.type == 'view'"
        };
        FeatureOptions[] features = [rate with { Default = -1 }, rate with { Name = "s", Prior = 0.1, PriorWeight = 10 }];
        var harness = new FeatureHarness(features);
        Assert.Equal([-1, 0.1], harness.Empty());
        Assert.Equal([-1, 0.2], harness.Apply(On(0) with { Type = "purchase" }).Read());
        Assert.Equal([0.1, 0.1], harness.Apply(Enumerable.Range(1, 10).Select(i => On(i))).Read());
    }

    [Fact]
    public void A_trend_leaves_the_incomplete_day_out()
    {
        var trend = new FeatureOptions
        {
            Name = "t",
            Op = FeatureOperator.Trend,
            Of = "event.price",
            Window = new() { Sliding = TimeSpan.FromDays(4), Every = TimeSpan.FromDays(1) },
            Default = -1
        };
        var harness = new FeatureHarness([trend, trend with { Name = "per_hour", Unit = TimeUnit.Hours }]);
        harness.Apply(On(10, 100), On(11, 300), On(12, 500), On(13, 9_900));
        Assert.Equal([2, 2 / 24.0], harness.Read());
        Assert.Equal([48.0, 2], harness.Read(14 * Day));
        // A day without events is one with a sum of 0.
        Assert.Equal([-2.5, -2.5 / 24], harness.Read(15 * Day));
        Assert.Equal([-1.0, -1], harness.Read(17 * Day));
    }

    [Fact]
    public void Small_variances_of_large_values_keep_their_digits()
    {
        var variance = new FeatureOptions { Name = "v", Op = FeatureOperator.Variance, Of = "event.quantity", Default = -1 };
        var harness = new FeatureHarness([variance, variance with { Name = "s", Op = FeatureOperator.Stddev },
            variance with { Name = "w", Window = new() { Sliding = TimeSpan.FromDays(100), Every = TimeSpan.FromDays(1) } }]);
        Assert.Equal([-1.0, -1, -1], harness.Apply(On(0)).Read());
        for (var i = 0; i < 90; i++) harness.Apply(On(i) with { Quantity = 1_000_000_000_000 + i % 3 * 3 });
        var (expected, read) = (6 * 90 / 89.0, harness.Read());
        Assert.Equal([expected, Math.Sqrt(expected), expected], read, (a, b) => Math.Abs(a - b) < 1e-9);
    }

    [Fact]
    public void Small_variances_of_large_doubles_keep_most_digits()
    {
        var variance = new FeatureOptions { Name = "v", Op = FeatureOperator.Variance, Of = "event.value" };
        var harness = new FeatureHarness([variance,
            variance with { Name = "w", Window = new() { Sliding = TimeSpan.FromDays(98), Every = TimeSpan.FromDays(7) } }]);
        for (var i = 0; i < 90; i++) harness.Apply(On(i) with { Value = 1e9 + i % 3 * 3 });
        // The squares are of 1e18: their differences would have no digit left.
        Assert.Equal([6 * 90 / 89.0, 6 * 90 / 89.0], harness.Read(), (a, b) => Math.Abs(a - b) < 1e-6);
    }

    private static ShopEvent On(long day, long? price = null) => new(day * Day + 5, (ulong)(day * 100 + price ?? 0), "view", Price: price);
}
