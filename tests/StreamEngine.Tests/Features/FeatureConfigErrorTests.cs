using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Features;
using StreamEngine.State;
using Xunit;

namespace StreamEngine.Tests.Features;

/// <summary>Mistakes in feature options: all told at once, each at its key.</summary>
public sealed class FeatureConfigErrorTests
{
    private static readonly WindowOptions Session = new() { Session = TimeSpan.FromMinutes(30) };

    /// <summary>A wrong feature, the key that the error must point at, and what it must speak of.</summary>
    public static TheoryData<FeatureOptions, string, string> Mistakes => new()
    {
        { new(), "op", "computes nothing" },
        { Of(FeatureOperator.Count) with { Expr = "1.0" }, "expr", "either 'op' or 'expr'" },
        { Of(FeatureOperator.Sum), "of", "sum needs an operand" },
        { Of(FeatureOperator.Rfm), "of", "rfm needs an operand" },
        { Of(FeatureOperator.Count) with { Of = "event.value" }, "of", "no operand" },
        { Of(FeatureOperator.Count) with { Scale = 2 }, "scale", "no scale" },
        { Of(FeatureOperator.Sum) with { Of = "event.value", Scale = 10 }, "scale", "out of range" },
        { Of(FeatureOperator.Count) with { Unit = TimeUnit.Days }, "unit", "measures no time" },
        { Of(FeatureOperator.Count) with { Previous = true }, "previous", "no previous event" },
        { Of(FeatureOperator.Count) with { SameDayMerge = true }, "same_day_merge", "merges no days" },
        { Of(FeatureOperator.Count) with { HalfLife = TimeSpan.FromDays(1) }, "half_life", "doesn't decay" },
        { Of(FeatureOperator.DecayedSum), "half_life", "how fast it decays" },
        { Of(FeatureOperator.DecayedMean) with { Of = "event.value", HalfLife = TimeSpan.Zero }, "half_life", "is none" },
        { Of(FeatureOperator.DecayedSum) with { HalfLife = TimeSpan.FromDays(1), Window = Session }, "window", "whole life time" },
        { Of(FeatureOperator.Count) with { Per = "true" }, "per", "isn't per anything" },
        { Of(FeatureOperator.Rate), "per", "events that it is per" },
        { Of(FeatureOperator.Rate) with { Per = "event.value" }, "", "bool" },
        { Rate with { Prior = 0.1 }, "prior_weight", "what it is worth" },
        { Rate with { PriorWeight = 5 }, "prior", "what it is worth" },
        { Rate with { Prior = 0.1, PriorWeight = 0 }, "prior_weight", "is none" },
        { Rate with { Prior = 0.1, PriorWeight = 5, Default = -1 }, "default", "is the prior" },
        { Rate with { Scale = 2 }, "scale", "no scale" },
        { Of(FeatureOperator.Count) with { Prior = 0.1 }, "prior", "has no prior" },
        { Of(FeatureOperator.Distinct), "of", "distinct needs an operand" },
        { Of(FeatureOperator.Distinct) with { Of = "event.nothing" }, "", "event.nothing" },
        { Of(FeatureOperator.Distinct) with { Of = "event.quantity > 1" }, "", "" },
        { Of(FeatureOperator.Sum) with { Of = "event.category" }, "", "" },
        { Of(FeatureOperator.Quantile) with { Of = "event.value" }, "quantile", "needs its share" },
        { Of(FeatureOperator.Quantile) with { Of = "event.value", Quantile = 1.5 }, "quantile", "is none" },
        { Of(FeatureOperator.Count) with { Quantile = 0.5 }, "quantile", "is no quantile" },
        { Of(FeatureOperator.Top), "of", "top needs an operand" },
        { Top with { K = 17 }, "k", "17 names" },
        { Top with { Slots = 20 }, "slots", "20 slots" },
        { Top with { Slots = 8, K = 9 }, "slots", "can't rank 9" },
        { Top with { HalfLife = TimeSpan.Zero }, "half_life", "is none" },
        { Top with { HalfLife = TimeSpan.FromDays(1), Window = Session }, "half_life", "two ways to forget" },
        { Top with { Of = "event.nothing" }, "", "event.nothing" },
        { Top with { Weight = "event.category" }, "", "double" },
        { Of(FeatureOperator.Distinct) with { Of = "event.category", K = 3 }, "k", "ranks nothing" },
        { Of(FeatureOperator.Count) with { Weight = "event.value" }, "weight", "weighs nothing" },
        { Of(FeatureOperator.Count) with { Slots = 8 }, "slots", "has no slots" },
        { Of(FeatureOperator.Last) with { Of = "event.category", Default = 1 }, "default", "no number" },
        { Of(FeatureOperator.Last), "of", "last needs an operand" },
        { new() { Expr = "1.0", K = 3 }, "k", "derived" },
        { Of(FeatureOperator.Trend), "window", "panes of a window" },
        { Of(FeatureOperator.Trend) with { Window = new() { Tumbling = TimeSpan.FromDays(1) } }, "window", "two complete panes" },
        { new() { Expr = "1.0", HalfLife = TimeSpan.FromDays(1) }, "half_life", "derived" },
        { Of(FeatureOperator.Duration), "window", "length of a session" },
        { Of(FeatureOperator.Duration) with { Window = Session, Where = "event.quantity > 1" }, "where", "whole session" },
        { Of(FeatureOperator.TimeSince) with { Window = Session }, "window", "whole life time" },
        { Of(FeatureOperator.Count) with { Default = double.PositiveInfinity }, "default", "finite" },
        { Of(FeatureOperator.Count) with { Where = "event.valu > 1.0" }, "", "event.valu" },
        { Of(FeatureOperator.Count) with { Where = "event.value" }, "", "bool" },
        { Of(FeatureOperator.Sum) with { Of = "event.type" }, "", "" },
        { new() { Expr = "features.nothing + 1.0" }, "", "features.nothing" },
        { new() { Expr = "1.0", Window = Session }, "window", "derived" },
        { new() { Expr = "1.0", Of = "event.value" }, "of", "derived" },
        { Windowed(new() { Sliding = TimeSpan.FromHours(1), Session = TimeSpan.FromHours(1) }), "", "of one kind" },
        { Windowed(new()), "", "no kind" },
        { Windowed(new() { Sliding = TimeSpan.FromHours(1) }), "every", "moves by panes" },
        { Windowed(new() { Sliding = TimeSpan.FromHours(1), Every = TimeSpan.FromMinutes(7) }), "every", "don't divide" },
        { Windowed(new() { Sliding = TimeSpan.FromDays(7), Every = TimeSpan.FromMinutes(1) }), "every", "10080 panes" },
        { Windowed(new() { Tumbling = TimeSpan.FromHours(1), Every = TimeSpan.FromMinutes(1) }), "every", "only a sliding window" },
        { Windowed(new() { Calendar = CalendarUnit.Day, Tumbling = TimeSpan.FromDays(1) }), "", "of one kind" },
        { Windowed(new() { Calendar = CalendarUnit.Day, Zone = "Europe/Atlantis" }), "zone", "no time zone 'Europe/Atlantis'" },
        { Windowed(new() { Calendar = CalendarUnit.Day, Last = 0 }), "last", "0 units" },
        { Windowed(new() { Tumbling = TimeSpan.FromDays(1), Last = 2 }), "last", "only a calendar window" },
        { Windowed(new() { Tumbling = TimeSpan.FromDays(1), Zone = "UTC" }), "zone", "only a calendar window" },
        { Windowed(new() { Tumbling = TimeSpan.Zero }), "tumbling", "positive" },
        { Windowed(new() { Session = TimeSpan.FromMicroseconds(1) }), "session", "positive" },
        { Windowed(new() { Session = TimeSpan.FromSeconds(1) }), "session", "fragments" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Are_told_at_their_place(FeatureOptions feature, string key, string message)
    {
        var error = Assert.Single(Compile(feature with { Name = "f" }));
        Assert.EndsWith(key, error.At.Path);
        Assert.Contains(message, error.Message);
        Assert.NotEmpty(error.Remedy);
    }

    [Fact]
    public void The_customers_column_is_no_name_for_a_feature()
    {
        var errors = new ConfigErrors();
        FeatureSet.Compile([new() { Name = "customer_id", Op = FeatureOperator.Count }], FeatureHarness.Catalog, [], new TimeOptions(),
            new StateLayout(), errors);
        Assert.Contains("can't be a feature's name", Assert.Single(errors.All).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Are_told_all_at_once() =>
        Assert.Equal(5, Compile(
            Of(FeatureOperator.Sum) with { Name = "a", Previous = true },
            Of(FeatureOperator.Count) with { Name = "b", Where = "event.value == ", Unit = TimeUnit.Days },
            Of(FeatureOperator.Count) with { Name = "b" }).Count);

    [Theory]
    [InlineData("")]
    [InlineData("7days")]
    [InlineData("a-b")]
    [InlineData("größe")]
    public void A_name_must_be_an_identifier(string name) =>
        Assert.Contains("can't be a feature's name", Assert.Single(Compile(Of(FeatureOperator.Count) with { Name = name })).Message);

    [Fact]
    public void Two_features_of_one_name_are_a_mistake_also_through_rfm()
    {
        var errors = Compile(
            Of(FeatureOperator.Rfm) with { Name = "shop", Of = "event.value" },
            Of(FeatureOperator.Count) with { Name = "shop_frequency" });
        Assert.Contains("two features named 'shop_frequency' (from 'shop' and 'shop_frequency')", Assert.Single(errors).Message);
    }

    [Fact]
    public void Same_day_merge_needs_a_lateness_that_it_can_cover()
    {
        var feature = Of(FeatureOperator.Rfm) with { Name = "shop", Of = "event.value", SameDayMerge = true };
        var time = new TimeOptions { Lateness = TimeSpan.FromDays(60), OutOfOrderness = TimeSpan.FromDays(3) };
        Assert.Empty(Compile(time, feature));
        var error = Assert.Single(Compile(time with { OutOfOrderness = TimeSpan.FromDays(4) }, feature));
        Assert.EndsWith("same_day_merge", error.At.Path);
    }

    [Fact]
    public void A_streak_needs_a_lateness_that_it_can_cover() =>
        Assert.EndsWith("op", Assert.Single(Compile(new TimeOptions { Lateness = TimeSpan.FromDays(64) },
            Of(FeatureOperator.Streak) with { Name = "s" })).At.Path);

    [Fact]
    public void Derived_features_in_a_circle_are_a_mistake()
    {
        var error = Assert.Single(Compile(
            new FeatureOptions { Name = "a", Expr = "features.b + 1.0" },
            new FeatureOptions { Name = "b", Expr = "features.c * 2.0" },
            new FeatureOptions { Name = "c", Expr = "features.a" }));
        Assert.Contains("a -> b -> c -> a", error.Message);
    }

    [Fact]
    public void A_wrong_feature_makes_no_second_mistake_of_those_that_use_it() =>
        Assert.Single(Compile(Of(FeatureOperator.Sum) with { Name = "a" }, new FeatureOptions { Name = "b", Expr = "features.a + 1.0" }));

    private static FeatureOptions Top => Of(FeatureOperator.Top) with { Of = "event.category" };

    private static FeatureOptions Rate => Of(FeatureOperator.Rate) with { Per = "true" };

    private static FeatureOptions Of(FeatureOperator op) => new() { Op = op };

    private static FeatureOptions Windowed(WindowOptions window) => Of(FeatureOperator.Count) with { Window = window };

    private static IReadOnlyList<ConfigError> Compile(params FeatureOptions[] features) => Compile(new TimeOptions(), features);

    private static IReadOnlyList<ConfigError> Compile(TimeOptions time, params FeatureOptions[] features)
    {
        var errors = new ConfigErrors();
        FeatureSet.Compile(features, FeatureHarness.Catalog, [], time, new StateLayout(), errors);
        return errors.All;
    }
}
