using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Features;
using StreamEngine.State;
using Xunit;

namespace StreamEngine.Tests.Features;

/// <summary>The operators and windows by small examples: what engine/docs/features.md says.</summary>
public sealed class FeatureExampleTests
{
    private const long Minute = 60_000;
    private const long Day = 86_400_000;

    private static readonly FeatureOptions Count = new() { Name = "n", Op = FeatureOperator.Count };

    private static readonly WindowOptions Session = new() { Session = TimeSpan.FromMinutes(30) };

    [Fact]
    public void A_sliding_window_ends_with_the_pane_of_now()
    {
        var harness =
            new FeatureHarness([Count with { Window = new() { Sliding = TimeSpan.FromMinutes(15), Every = TimeSpan.FromMinutes(5) } }]);
        harness.Apply(View(1), View(6), View(14));
        Assert.Equal([3.0], harness.Read(14 * Minute));
        Assert.Equal([2.0], harness.Read(15 * Minute));
        Assert.Equal([1.0], harness.Read(25 * Minute - 1));
        Assert.Equal([0.0], harness.Read(30 * Minute));
    }

    [Fact]
    public void A_tumbling_window_is_that_of_now()
    {
        var harness = new FeatureHarness([Count with { Window = new() { Tumbling = TimeSpan.FromDays(1) } }]);
        harness.Apply(new ShopEvent(Day - 1, 1, "view"), new ShopEvent(Day, 2, "view"), new ShopEvent(Day + 5, 3, "view"));
        Assert.Equal([2.0], harness.Read());
        Assert.Equal([0.0], harness.Read(2 * Day));
    }

    [Fact]
    public void A_session_ends_where_the_gap_is_longer()
    {
        var harness = new FeatureHarness([Count with { Window = Session },
            new() { Name = "s", Op = FeatureOperator.Duration, Window = Session, Unit = TimeUnit.Minutes, Default = -1 }]);
        harness.Apply(View(0), View(30));
        Assert.Equal([2.0, 30], harness.Read(60 * Minute));
        Assert.Equal([0.0, -1], harness.Read(60 * Minute + 1));
        Assert.Equal([1.0, 0], harness.Apply(View(61)).Read());
    }

    [Fact]
    public void A_late_event_bridges_two_sessions()
    {
        FeatureOptions[] features =
        [
            Count with { Window = Session },
            new() { Name = "sum", Op = FeatureOperator.Sum, Of = "event.price", Window = Session },
            new() { Name = "first", Op = FeatureOperator.First, Of = "event.price", Window = Session },
            new() { Name = "max", Op = FeatureOperator.Max, Of = "event.price", Window = Session },
            new() { Name = "minutes", Op = FeatureOperator.Duration, Window = Session, Unit = TimeUnit.Minutes },
        ];
        var harness = new FeatureHarness(features);
        harness.Apply(View(0) with { Price = 500 }, View(50) with { Price = -200 });
        Assert.Equal([1, -2, -2, -2, 0], harness.Read());
        harness.Apply(View(25) with { Price = 100 });
        Assert.Equal([3, 4, 5, 5, 50], harness.Read());
    }

    [Fact]
    public void Decimals_sum_exactly_where_doubles_round()
    {
        FeatureOptions[] features =
        [
            new() { Name = "exact", Op = FeatureOperator.Sum, Of = "event.price" },
            new() { Name = "scaled", Op = FeatureOperator.Sum, Of = "event.value", Scale = 2 },
            new() { Name = "plain", Op = FeatureOperator.Sum, Of = "event.value" },
        ];
        var vector = new FeatureHarness(features).Apply(Enumerable.Range(0, 10).Select(i => View(i) with { Price = 10, Value = 0.1 }))
            .Read();
        Assert.Equal([1.0, 1.0, 0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1 + 0.1], vector);
        Assert.NotEqual(1.0, vector[2]);
    }

    [Fact]
    public void Ties_in_time_are_broken_by_event_id()
    {
        var last = new FeatureOptions { Name = "x", Op = FeatureOperator.Last, Of = "event.quantity" };
        ShopEvent low = new(5, 1, "view", Quantity: 1), high = new(5, 2, "view", Quantity: 2);
        Assert.Equal(2, FeatureHarness.One(last, low, high));
        Assert.Equal(2, FeatureHarness.One(last, high, low));
        Assert.Equal(1, FeatureHarness.One(last with { Op = FeatureOperator.First }, high, low));
    }

    [Fact]
    public void An_event_without_the_operand_does_not_count()
    {
        Assert.Equal(3, FeatureHarness.One(new() { Name = "x", Op = FeatureOperator.Mean, Of = "event.value" }, View(0) with { Value = 3 },
            View(1), View(2) with { Value = double.NaN }));
        Assert.Equal(-7, FeatureHarness.One(new() { Name = "x", Op = FeatureOperator.Sum, Of = "event.value", Default = -7 }, View(0),
            View(1) with { Value = double.PositiveInfinity }));
        Assert.Equal(0, FeatureHarness.One(new() { Name = "x", Op = FeatureOperator.Sum, Of = "event.value", Scale = 2 },
            View(1) with { Value = 1e30 }));
    }

    [Fact]
    public void Time_since_the_previous_event_is_the_same_in_any_order()
    {
        var since = new FeatureOptions
        {
            Name = "x",
            Op = FeatureOperator.TimeSince,
            Previous = true,
            Unit = TimeUnit.Minutes,
            Default = -1
        };
        Assert.Equal(-1, FeatureHarness.One(since, View(3)));
        Assert.Equal(4, FeatureHarness.One(since, View(3), View(1), View(7)));
        Assert.Equal(4, FeatureHarness.One(since, View(7), View(3), View(1)));
    }

    [Fact]
    public void Purchases_of_one_day_can_count_as_one()
    {
        var rfm = new FeatureOptions { Name = "shop", Op = FeatureOperator.Rfm, Of = "event.price", SameDayMerge = true };
        var harness = new FeatureHarness([rfm], new TimeOptions { Lateness = TimeSpan.FromDays(63) });
        harness.Apply(At(100, 1_000), At(100, 500), At(40, 300), At(37, 100), At(40, 100));
        Assert.Equal([0, 3, 20.0 / 3, 63], harness.Read());
    }

    [Fact]
    public void Derived_features_follow_what_they_use()
    {
        FeatureOptions[] features =
        [
            new() { Name = "twice", Expr = "features.ratio * 2.0" },
            new() { Name = "ratio", Expr = "features.sum / features.n", Default = -1 },
            new() { Name = "sum", Op = FeatureOperator.Sum, Of = "event.price" },
            Count,
        ];
        var harness = new FeatureHarness(features);
        Assert.Equal([-2, -1, 0, 0], harness.Empty());
        Assert.Equal([5, 2.5, 5, 2], harness.Apply(View(0) with { Price = 200 }, View(1) with { Price = 300 }).Read());
    }

    [Fact]
    public void Features_that_hold_the_same_share_their_state()
    {
        const string where = "event.quantity > 1";
        var mean = new FeatureOptions { Name = "mean", Op = FeatureOperator.Mean, Of = "event.price", Where = where };
        var alone = new FeatureHarness([mean]).Layout;
        var shared = new FeatureHarness([mean, mean with { Name = "sum", Op = FeatureOperator.Sum }, mean with { Name = "again" }]).Layout;
        Assert.Equal(alone.FixedLength, shared.FixedLength);
        Assert.Equal(alone.Version, shared.Version);
    }

    /// <summary>
    /// Names, shapes and lengths of slots stand in checkpoints: where they changed, every shard would be rebuilt from its log.
    /// </summary>
    [Fact]
    public void The_layout_of_what_is_kept_stays_as_it_was()
    {
        WindowOptions?[] windows =
        [
            null, new() { Sliding = TimeSpan.FromDays(1), Every = TimeSpan.FromHours(1) }, new() { Tumbling = TimeSpan.FromHours(1) },
            Session,
        ];
        FeatureOperator[] operators = [FeatureOperator.Count, FeatureOperator.Sum, FeatureOperator.Mean, FeatureOperator.Min,
            FeatureOperator.Max, FeatureOperator.First, FeatureOperator.Last];
        var features = new List<FeatureOptions>();
        foreach (var op in operators)
            foreach (var window in windows)
                foreach (var of in new[] { "event.price", "event.value" })
                    features.Add(new()
                    {
                        Name = $"f{features.Count}",
                        Op = op,
                        Of = op == FeatureOperator.Count ? null : new ExprText { Text = of },
                        Window = window,
                        Default = features.Count % 3 - 1,
                    });
        features.Add(new() { Name = "t", Op = FeatureOperator.TimeSince, Where = "event.price > 3.0" });
        features.Add(new() { Name = "u", Op = FeatureOperator.TimeSince, Previous = true });
        features.Add(new() { Name = "d", Op = FeatureOperator.Duration, Window = Session });
        features.Add(new() { Name = "r", Op = FeatureOperator.Rfm, Of = "event.price" });
        features.Add(new() { Name = "q", Op = FeatureOperator.Rfm, Of = "event.value", SameDayMerge = true, Scale = 2 });
        var (layout, errors) = (new StateLayout(), new ConfigErrors());
        FeatureSet.Compile(features, FeatureHarness.Catalog, [], new TimeOptions(), layout, errors);
        Assert.Empty(errors.All);
        Assert.Equal(("77da6f3976765c75", 4_856, 64), (layout.Version, layout.FixedLength, layout.Slots.Count));
    }

    [Fact]
    public void A_profile_that_is_too_short_is_refused()
    {
        var set = new FeatureHarness([Count]).Set;
        Assert.Throws<ArgumentException>(() => set.Read(new byte[16], 0, new double[1]));
    }

    private static ShopEvent View(long minute) => new(minute * Minute, (ulong)minute, "view");

    private static ShopEvent At(long day, long price) => new(day * Day + 1, (ulong)price, "purchase", Price: price);
}
