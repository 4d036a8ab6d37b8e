using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.Features;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Features;

/// <summary>
/// The strongest texts with their weights, and texts of the first and the last event: what they hold, and how rules read them.
/// </summary>
public sealed class TopTests
{
    private const long Day = 86_400_000;

    private static readonly FeatureOptions Top =
        new() { Name = "top", Op = FeatureOperator.Top, Of = "event.category", HalfLife = TimeSpan.FromDays(1), K = 2 };

    private static readonly FeatureOptions Last = new() { Name = "last", Op = FeatureOperator.Last, Of = "event.category" };

    [Fact]
    public void A_weight_is_halved_by_each_half_life_also_of_a_late_event()
    {
        var harness = new FeatureHarness([Top]);
        harness.Apply(View(0, "shoes"), View(0, "shoes"), View(Day, "hats"));
        Assert.Equal(["top_weight_1", "top_weight_2", "top_total"], harness.Set.Names);
        Assert.Equal(["top_1", "top_2"], harness.Set.Texts.Texts.Select(t => t.Name));
        Assert.Equal([1, 1, 2], harness.Read(Day));
        Assert.Equal(["hats", "shoes"], harness.Texts(Day));
        Assert.Equal([0.25, 0.25, 0.5], harness.Read(3 * Day));
        Assert.Equal([1.25, 1, 2.25], harness.Apply(View(-Day, "shoes")).Read(Day));
        Assert.Equal(["shoes", "hats"], harness.Texts(Day));
    }

    [Fact]
    public void Time_rounds_no_weight_and_runs_into_no_bound()
    {
        var harness = new FeatureHarness([Top with { HalfLife = TimeSpan.FromMilliseconds(1), K = 1 }]);
        var at = 1_700_000_000_000;
        for (var i = 0; i < 3_000; i++) harness.Apply(View(at += 97, i % 2 == 0 ? "a" : "b"));
        Assert.Equal([1.0, 1.0], harness.Read(at));
        Assert.Equal(["b"], harness.Texts(at));
        harness.Apply(View(at - 500_000, "c"));
        Assert.Equal([1.0, 1.0], harness.Read(at));
        // So long after the last event that no double is as small.
        Assert.Equal([0.0, 0.0], harness.Read(at + Day));
        Assert.Equal(["b"], harness.Texts(at + Day));
        Assert.Equal([1.0, 1.0], harness.Apply(View(at + 1_000 * Day, "d")).Read());
    }

    /// <summary>Kept weights are brought to a new scale every 64 half-lives.</summary>
    [Theory]
    [InlineData(60)]
    [InlineData(63)]
    [InlineData(-2)]
    [InlineData(1_700_000_000_063)]
    public void A_weight_is_the_same_before_and_behind_a_change_of_scale(long at)
    {
        var harness = new FeatureHarness([Top with { HalfLife = TimeSpan.FromMilliseconds(1), K = 1 }]);
        harness.Apply(View(at, "shoes"), View(at + 3, "shoes"), View(at + 1, "shoes"));
        Assert.Equal([1.375, 1.375], harness.Read(at + 3));
    }

    [Fact]
    public void What_weighs_nothing_or_has_no_name_does_not_count()
    {
        var harness = new FeatureHarness([Top with { Weight = "event.value", Default = -1 }]);
        Assert.Equal([-1.0, -1.0, 0.0], harness.Empty());
        harness.Apply(View(0, "shoes") with { Value = 3 }, View(0, "shoes"), View(0, "hats") with { Value = 0 }, View(0, "hats") with
        {
            Value = -1
        }, View(0, "") with { Value = 7 }, View(0, null!) with { Value = 7 });
        Assert.Equal([3.0, -1.0, 3.0], harness.Read());
        Assert.Equal(["shoes", ""], harness.Texts(0));
        var huge = harness.Decode(View(0, "huge") with { Value = 1e200 });
        harness.Apply(huge);
        Assert.Equal(1, huge.NotAdded);
        Assert.Equal([3.0, -1.0, 3.0], harness.Read());
    }

    [Fact]
    public void Numbers_are_names_by_their_digits_and_windows_forget()
    {
        var harness = new FeatureHarness([Top with
        {
            Of = "event.quantity",
            HalfLife = null,
            Window = new WindowOptions { Sliding = TimeSpan.FromSeconds(3), Every = TimeSpan.FromSeconds(1) },
        }]);
        harness.Apply(Of(500, 7), Of(1_500, 7), Of(1_600, 12), Of(2_500, 12));
        Assert.Equal(["12", "7"], harness.Texts(2_500));
        Assert.Equal([2.0, 2.0, 4.0], harness.Read(2_500));
        Assert.Equal([2.0, 1.0, 3.0], harness.Read(3_500));
        Assert.Equal([1.0, 0.0, 1.0], harness.Read(4_500));
        Assert.Equal(["", ""], harness.Texts(9_500));

        static ShopEvent Of(long time, long quantity) => new(time, 1, "view", Quantity: quantity);
    }

    /// <summary>More names than slots: no weight is wrong by more than the docs say, and no strong name is missing.</summary>
    [Theory]
    [InlineData(8, false)]
    [InlineData(16, false)]
    [InlineData(64, false)]
    [InlineData(16, true)]
    public void Beyond_the_slots_weights_are_within_the_stated_bound(int slots, bool panes)
    {
        var feature = Top with { K = 8, Slots = slots, HalfLife = null, Weight = "event.value" };
        if (panes) feature = feature with { Window = new() { Sliding = TimeSpan.FromSeconds(10), Every = TimeSpan.FromSeconds(1) } };
        var random = new Random(slots);
        var (harness, events, evicted) = (new FeatureHarness([feature]), new List<ShopEvent>(), 0);
        for (var i = 0; i < 4_000; i++)
        {
            // Few names are frequent and many are rare, as categories are.
            var category = $"c{(int)(150 * Math.Pow(random.NextDouble(), 4))}";
            var e = new ShopEvent(i * 2, (ulong)i, "view", Value: random.Next(1, 4), Category: category);
            events.Add(e);
            var decoded = harness.Decode(e);
            harness.Apply(decoded);
            evicted += decoded.NamesEvicted;
        }
        Assert.InRange(evicted, 1, 4_000);
        var (read, names, right) = (harness.Read(), harness.Texts(harness.Newest), NaiveFeatures.Weights(feature, events, harness.Newest));
        var total = right.Values.Sum();
        Assert.Equal(total, read[^1], 1e-6);
        var bound = (panes ? 2 : 1) * total / slots;
        for (var i = 0; i < names.Length; i++)
            Assert.InRange(read[i], right[names[i]] - (panes ? bound : 0) - 1e-6, right[names[i]] + bound + 1e-6);
        foreach (var (name, weight) in right)
            if (!names.Contains(name)) Assert.InRange(weight, 0, read[names.Length - 1] + bound);
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        var harness = new FeatureHarness(
            [Top, Last, Top with { Name = "upper", Of = "event.category.upperAscii()", Weight = "event.value" }]);
        var events = Enumerable.Range(0, 200).Select(i => View(i * 1_000, $"category {i % 40}") with { Value = i }).ToArray();
        var vector = new double[harness.Set.Width];
        var e = harness.Decode(events[0]);
        void Step()
        {
            harness.Apply(e);
            harness.Read(harness.Newest, vector);
        }
        Step();
        Assert.Equal(0, Allocations.Least(Step));
    }

    [Theory]
    [InlineData("features.top_1 == 'shoes'", true)]
    [InlineData("features.top_1 == 'hats' || features.top_2 == 'shoes'", false)]
    [InlineData("'shoes' in features.top", true)]
    [InlineData("'socks' in features.top", false)]
    [InlineData("'' in features.top", false)]
    [InlineData("event.type in features.top", false)]
    [InlineData("features.top_1 in ['boots', 'shoes']", true)]
    [InlineData("features.top['shoes'] == 2.0", true)]
    [InlineData("features.top['socks'] == 0.0", true)]
    [InlineData("features.top['shoes'] / features.top_total > 0.6", true)]
    [InlineData("features.top == ['shoes', 'hats']", true)]
    [InlineData("features.top[1] == 'hats' && size(features.top) == 2", true)]
    [InlineData("features.top.exists(c, c.startsWith('sho'))", true)]
    [InlineData("features.top.join('+') + features.last == 'shoes+hatshats'", true)]
    [InlineData("features.last == 'hats' && features.share > 0.6", true)]
    [InlineData("features.long_1 == 'a category whose name is of more bytes than kep'", true)]
    [InlineData("features.long['a category whose name is of more bytes than kept'] == 1.0", true)]
    [InlineData("'a category whose name is of more bytes than kept' in features.long", true)]
    public void Rules_read_names_and_weights(string rule, bool expected)
    {
        var harness = new FeatureHarness([Top, Last, new() { Name = "share", Expr = "features.top['shoes'] / features.top_total" },
            Top with { Name = "long", Where = "event.quantity == 5", K = 1 }]);
        harness.Apply(View(0, "shoes"), View(0, "shoes"), View(0, "a category whose name is of more bytes than kept") with
        {
            Quantity = 5
        });
        harness.Reset();
        harness.Apply(View(0, "shoes"), View(0, "shoes"), View(0, "hats") with { Id = 9 });
        if (rule.Contains("long", StringComparison.Ordinal))
            harness.Apply(View(0, "a category whose name is of more bytes than kept") with { Quantity = 5 });
        var errors = new ConfigErrors();
        var compiled = ExpressionCompiler.Bool(rule, new Scope
        {
            Event = FeatureHarness.Catalog,
            Features = harness.Set.Names,
            Texts = harness.Set.Texts,
        }, errors);
        Assert.True(!errors.Any, string.Join("\n", errors.All));
        // The vector may begin anywhere in its array, as in a batch.
        var context = new EvalContext { Features = [1, 2, .. harness.Vector(0)], FeatureBase = 2 };
        context.Type.Set("view"u8.ToArray(), 0, 4);
        Assert.Equal(expected, compiled!(context));
    }

    [Theory]
    [InlineData("features.top == 'shoes'", "list(string)")]
    [InlineData("features.topp_1 == 'shoes'", "Did you mean features.top_1?")]
    [InlineData("features.top[event.nothing] > 1.0", "event.nothing")]
    [InlineData("features.last > 1.0", "string")]
    public void Mistakes_in_rules_are_told_once(string rule, string message)
    {
        var errors = new ConfigErrors();
        var set = new FeatureHarness([Top, Last]).Set;
        Assert.Null(ExpressionCompiler.Bool(rule, new Scope { Event = FeatureHarness.Catalog, Features = set.Names, Texts = set.Texts },
            errors));
        Assert.Contains(message, Assert.Single(errors.All).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Long_texts_are_cut_between_code_points()
    {
        KeptText text = default;
        text.Set("123456789012345678901234567890123456789012345ü€"u8);
        Assert.Equal("123456789012345678901234567890123456789012345ü", text.ToString());
        text.Set("1234567890123456789012345678901234567890123456ü"u8);
        Assert.Equal("1234567890123456789012345678901234567890123456", text.ToString());
        text.Set("12345678901234567890123456789012345678901234567"u8);
        Assert.Equal(47, text.Text.Length);
        text.Set([]);
        Assert.True(text.IsEmpty);
    }

    private static ShopEvent View(long time, string category) => new(time, 1, "view", Category: category);
}
