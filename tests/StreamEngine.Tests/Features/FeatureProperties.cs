using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Features;
using Xunit;

namespace StreamEngine.Tests.Features;

/// <summary>Random features over random events against the naive oracle, and against themselves in another order.</summary>
[Trait("Category", "Computing")]
public sealed class FeatureProperties
{
    private static readonly Config Config = Config.QuickThrowOnFailure.WithMaxTest(400);

    [Fact]
    public void Every_vector_on_the_way_is_that_of_the_definitions() =>
        Check.One(Config.WithReplay(20_260_101, 7), Prop.ForAll(Scenario.Any, scenario =>
        {
            var harness = new FeatureHarness(scenario.Features, scenario.Time);
            var order = scenario.FirstOrder;
            AssertSame(scenario, NaiveFeatures.Read(scenario.Features, [], 0), harness.Empty());
            for (var i = 1; i <= order.Count; i++)
            {
                harness.Apply(order[i - 1]);
                var at = harness.Newest + (i == order.Count ? scenario.Wait : 0);
                AssertSame(scenario, NaiveFeatures.Read(scenario.Features, [.. order.Take(i)], at), harness.Read(at));
                AssertTexts(scenario, [.. order.Take(i)], at, harness.Texts(at));
            }
        }));

    [Fact]
    public void Any_order_inside_the_lateness_gives_the_same_vector() =>
        Check.One(Config.WithReplay(20_260_102, 7), Prop.ForAll(Scenario.Any, scenario =>
        {
            var first = new FeatureHarness(scenario.Features, scenario.Time).Apply(scenario.FirstOrder);
            var second = new FeatureHarness(scenario.Features, scenario.Time).Apply(scenario.SecondOrder);
            var at = first.Newest + scenario.Wait;
            var (a, b) = (first.Read(at), second.Read(at));
            AssertSame(scenario, a, b);
            AssertTexts(scenario, scenario.FirstOrder, at, second.Texts(at));

            // What adds no doubles up is the same bit for bit.
            var place = 0;
            foreach (var feature in scenario.Features)
            {
                var exact = feature.Op is not (FeatureOperator.DecayedSum or FeatureOperator.DecayedMean) && (feature.Scale is not null
                    || feature.Of?.Text is null or "event.price" or "event.quantity" || !Scenario.Adding.Contains(feature.Op!.Value));
                if (feature.Op == FeatureOperator.Top) exact = feature.HalfLife is null && feature.Weight?.Text is null;
                for (var end = place + NaiveFeatures.Width(feature); place < end; place++)
                    if (exact) Assert.True(a[place].Equals(b[place]), $"feature {place}: {a[place]:R} and {b[place]:R}\n{scenario}");
            }
        }));

    /// <summary>Of names that weigh the same, up to rounding, any may be before another.</summary>
    private static void AssertTexts(Scenario scenario, IReadOnlyList<ShopEvent> events, long at, string[] actual)
    {
        var place = 0;
        foreach (var feature in scenario.Features)
        {
            if (NaiveFeatures.IsText(feature)) Assert.Equal(NaiveFeatures.Text(feature, events, at), actual[place++]);
            if (feature.Op != FeatureOperator.Top) continue;
            var weights = NaiveFeatures.Weights(feature, events, at);
            var ranked = weights.Values.OrderDescending().ToList();
            var names = actual[place..(place += feature.K ?? 3)];
            Assert.Equal(Math.Min(names.Length, ranked.Count), names.Count(n => n.Length > 0));
            Assert.Equal(names.Where(n => n.Length > 0).Distinct().Count(), names.Count(n => n.Length > 0));
            for (var i = 0; i < Math.Min(names.Length, ranked.Count); i++)
                Assert.True(Math.Abs(weights.GetValueOrDefault(names[i]) - ranked[i]) <= 1e-9 * Math.Max(1, ranked[i]),
                    $"rank {i}: {names[i]} weighs {weights.GetValueOrDefault(names[i]):R}, not {ranked[i]:R}\n{scenario}");
        }
        Assert.Equal(place, actual.Length);
    }

    private static void AssertSame(Scenario scenario, double[] expected, double[] actual)
    {
        var errors = scenario.Features.SelectMany(f => Enumerable.Repeat(f.Op == FeatureOperator.Quantile ? 0.01 : 0,
            NaiveFeatures.Width(f))).ToList();
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            // Values are below 100 and there are 30 of them: a sum near zero has the rounding of its parts.
            var tolerance = 1e-9 * Math.Max(1, Math.Abs(expected[i])) + errors[i] * Math.Abs(expected[i]);
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance,
                $"value {i}: expected {expected[i]:R}, was {actual[i]:R}\n{scenario}");
        }
    }
}
