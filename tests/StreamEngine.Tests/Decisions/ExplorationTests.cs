using Avro.Generic;
using MathNet.Numerics.Distributions;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Decisions;

/// <summary>What exploration draws, and with which probability the record says it was drawn.</summary>
public sealed class ExplorationTests
{
    private static readonly ExplorationOptions Greedy =
        new() { Name = "home", Method = ExplorationMethod.EpsilonGreedy, Epsilon = 0.3 };

    private static readonly ExplorationOptions Soft = new() { Name = "home", Method = ExplorationMethod.Softmax, Temperature = 0.5 };

    // Priorities 2.5, 5 and 4; the fourth does not pass its gate.
    private static readonly OfferOptions[] Offers =
        [Shop.Offer("a", "5.0"), Shop.Offer("b", "10.0"), Shop.Offer("c", "8.0"), Shop.Offer("no", "99.0") with { Eligible = "false" }];

    [Fact]
    public void Probabilities_are_those_of_the_formulas_and_sum_to_one()
    {
        Assert.Equal([1 - 0.3 + 0.1, 0.1, 0.1], Of(ExplorationMethod.EpsilonGreedy, 0.3, 5, 4, 2.5), (a, b) => Math.Abs(a - b) < 1e-15);
        // exp(0), exp((0.8 - 1) / 0.5), exp((0.5 - 1) / 0.5), divided by their sum 2.0381995...
        double[] weights = [1, Math.Exp(-0.4), Math.Exp(-1)];
        Assert.Equal(weights.Select(w => w / weights.Sum()), Of(ExplorationMethod.Softmax, 0.5, 5, 4, 2.5),
            (a, b) => Math.Abs(a - b) < 1e-15);
        Assert.Equal(Of(ExplorationMethod.Softmax, 0.5, 5, 4, 2.5), Of(ExplorationMethod.Softmax, 0.5, 5e300, 4e300, 2.5e300),
            (a, b) => Math.Abs(a - b) < 1e-15);
        Assert.Equal([0.5, 0.5], Of(ExplorationMethod.Softmax, 0.1, 0, 0));
        Assert.Equal([1.0], Of(ExplorationMethod.Softmax, 0.1, -3));
        var random = new Random(1);
        for (var i = 0; i < 500; i++)
        {
            var priorities = Enumerable.Range(0, 1 + random.Next(8)).Select(_ => random.NextDouble() * 20 - 10).OrderDescending().ToArray();
            foreach (var method in new[] { ExplorationMethod.EpsilonGreedy, ExplorationMethod.Softmax })
                Assert.Equal(1, Of(method, 0.01 + random.NextDouble() * 0.9, priorities).Sum(), 1e-12);
        }
    }

    [Theory]
    [InlineData(ExplorationMethod.EpsilonGreedy)]
    [InlineData(ExplorationMethod.Softmax)]
    public void What_is_drawn_is_as_frequent_as_the_logged_probabilities_say(ExplorationMethod method)
    {
        const int Draws = 20_000;
        var shop = Make(method == ExplorationMethod.Softmax ? Soft : Greedy);
        var (counts, logged) = (new int[4], new double[4]);
        for (var offset = 0; offset < Draws; offset++)
        {
            var d = Decide(shop, offset);
            counts[d.Chosen]++;
            logged[d.Chosen] = d.SelectionProbability;
            Assert.Equal(d.Chosen != 1, d.IsExplored);
            Assert.Equal((Outcome.Served, DropReason.None, DropReason.NotEligible), (d.Outcome, d.Drop[d.Chosen], d.Drop[3]));
            Assert.Equal([3, 1, 2, 0], d.Rank); // arbitration's order stays: what was drawn is told by the chosen one
        }
        Assert.Equal(1, logged.Sum(), 1e-12);
        Assert.Equal(0, counts[3]);
        var squares = Enumerable.Range(0, 3).Sum(i => Math.Pow(counts[i] - Draws * logged[i], 2) / (Draws * logged[i]));
        Assert.True(1 - ChiSquared.CDF(2, squares) > 0.001, $"chi-square {squares}");
    }

    /// <summary>Each candidate's probability stands in the record, exactly as the rule gives it for the priorities there.</summary>
    [Theory]
    [InlineData(ExplorationMethod.EpsilonGreedy)]
    [InlineData(ExplorationMethod.Softmax)]
    public void The_record_has_each_candidates_probability(ExplorationMethod method)
    {
        var exploration = method == ExplorationMethod.Softmax ? Soft : Greedy;
        var (shop, output) = (Make(exploration), new OutputBuffer());
        for (var offset = 0; offset < 100; offset++)
        {
            output.Clear();
            var record = Written(shop, Decide(shop, offset), output);
            // Arbitration's order is b, c, a; the fourth came to no arbitration.
            var (priorities, logged) = (Numbers(record, "candidates", "priority"), Probabilities(record));
            var expected = Of(method, exploration.Epsilon ?? exploration.Temperature!.Value, priorities[1], priorities[2], priorities[0]);
            Assert.Equal([expected[2], expected[0], expected[1], 0], logged);
            Assert.Equal(1, logged.Sum(), 1e-15);
            Assert.Equal((double)record["selection_probability"], logged[shop.Result.Chosen]);
            var d = default(LoggedDecision);
            Assert.True(LoggedDecision.TryParse(output.Value(0), ref d), d.Error);
            Assert.False(LoggedDecision.TryParse(output.Value(0)[..^4], ref d));
        }
    }

    [Fact]
    public void Where_nothing_is_drawn_the_record_has_none_and_that_of_the_version_before_is_still_read()
    {
        var (shop, output) = (Make(Greedy), new OutputBuffer());
        shop.Set("page_view", "product");
        Assert.Empty(Probabilities(Written(shop, Decide(shop, 1), output)));
        var now = output.Value(0).ToArray();
        var before = now[..^4];
        var d = default(LoggedDecision);
        // The versions before had no deferral, no shared numbers, no probabilities, no assignments, no switches and no origin. A registry
        // may give any of them any id.
        foreach (var id in new[]
        {
            OutputSchemas.Decision, OutputSchemas.DecisionWithoutShared, OutputSchemas.DecisionWithoutProbabilities,
            OutputSchemas.DecisionWithoutAssignments, OutputSchemas.DecisionWithoutSwitches, OutputSchemas.DecisionWithoutOrigin, 77,
        })
        {
            now[4] = (byte)id;
            for (var left = 0; left <= 8; left++)
                Assert.Equal(left is 0 or >= 3 and <= 7, LoggedDecision.TryParse(now.AsSpan(0, now.Length - left), ref d));
        }
        var old = new ApacheAvro(OutputSchemas.Text("decision-4"), OutputSchemas.Text("decision")).Record(before.AsSpan(5));
        Assert.Empty(Probabilities(old));
        // Without consent nothing of the candidates is kept, as ever.
        shop = new Shop(Offers, new DecisionOptions { Exploration = [Soft], Purpose = "ads" });
        shop.Context.Consent = 0;
        output.Clear();
        Assert.Empty(Probabilities(Written(shop, Decide(shop, 2), output)));
    }

    [Fact]
    public void A_draw_depends_on_the_position_and_the_seed_alone()
    {
        var (shop, again, other) = (Make(Greedy), Make(Greedy), Make(Greedy with { Seed = "another" }));
        again.Buffer = "somebody else"u8.ToArray();
        for (var offset = 500; offset-- > 0;) _ = Chosen(shop, offset);
        var drawn = Enumerable.Range(0, 500).Select(i => Chosen(shop, i)).ToArray();
        Assert.Equal(drawn, Enumerable.Range(0, 500).Select(i => Chosen(again, i)));
        Assert.NotEqual(drawn, Enumerable.Range(0, 500).Select(i => Chosen(other, i)));
        var request = shop.Request();
        Assert.Equal(4, new[] { request, request with { Partition = 1 }, request with { Ordinal = 1 }, request with { Source = 1 } }
            .Select(r => Explorer.Draw(r, 7)).Distinct().Count());
    }

    [Fact]
    public void Other_placements_and_the_default_offer_are_not_drawn()
    {
        var shop = Make(Greedy with { Epsilon = 1 });
        shop.Set("page_view", "product");
        for (var offset = 0; offset < 50; offset++)
            Assert.Equal((1, 1.0, -1), (Decide(shop, offset).Chosen, shop.Result.SelectionProbability, shop.Result.Exploration));
        shop = new Shop(Offers, new DecisionOptions { Exploration = [Greedy with { Epsilon = 1 }], DefaultOffer = "c" });
        for (var offset = 0; offset < 50; offset++)
        {
            var d = Decide(shop, offset, coldStart: true);
            Assert.Equal((2, 1.0, true, false), (d.Chosen, d.SelectionProbability, d.IsDefault, d.IsExplored));
        }
    }

    [Fact]
    public void A_holdout_keeps_back_what_was_drawn()
    {
        var shop = new Shop(Offers, new DecisionOptions { Exploration = [Soft], Holdout = new HoldoutOptions { Share = 1 } });
        var held = Enumerable.Range(0, 100).Select(i => Array.IndexOf(Decide(shop, i).Drop, DropReason.Holdout)).ToHashSet();
        Assert.Equal([0, 1, 2], held.Order());
        Assert.InRange(shop.Result.SelectionProbability, 0.01, 0.99);
    }

    [Fact]
    public void A_decision_that_explores_allocates_nothing() => Assert.Equal(0, Make(Soft).AllocatedByDecisions());

    [Fact]
    public void Every_mistake_is_told_at_once()
    {
        var errors = new ConfigErrors();
        OfferOptions[] offers = [Shop.Offer("a") with { Placements = ["home"] }];
        new Shop(offers).Compile(new DecisionOptions
        {
            Exploration =
            [
                new() { Name = "home", Method = ExplorationMethod.Softmax, Epsilon = 0.1 },
                new() { Name = "hom", Epsilon = 2 },
                new() { Name = "home", Epsilon = 0.1 },
            ],
        }, offers, errors);
        foreach (var text in new[] { "softmax has no epsilon", "softmax has no temperature", "2 is no epsilon",
            "no offer may be shown in placement 'hom'", "placement home is declared twice" })
            Assert.Contains(errors.All, e => e.Message.Contains(text, StringComparison.Ordinal));
        Assert.Equal(5, errors.All.Count);
    }

    private static double[] Of(ExplorationMethod method, double parameter, params double[] priorities)
    {
        var probabilities = new double[priorities.Length];
        new SelectionRule(method, parameter).Probabilities(priorities, probabilities);
        return probabilities;
    }

    private static GenericRecord Written(Shop shop, Decision decision, OutputBuffer output)
    {
        new DecisionRecordWriter("shop", ["events"], shop.Policy, "c0ffee").Write(output, 0, shop.Request(), decision, [1, 2]);
        return ApacheAvro.Of("decision").Record(output.Value(0)[5..]);
    }

    private static double[] Probabilities(GenericRecord record) =>
        [.. ((object[])record["candidate_probabilities"]).Cast<double>()];

    private static double[] Numbers(GenericRecord record, string list, string field) =>
        [.. ((object[])record[list]).Cast<GenericRecord>().Select(r => (double)r[field])];

    private static Shop Make(ExplorationOptions exploration) => new(Offers, new DecisionOptions { Exploration = [exploration] });

    private static int Chosen(Shop shop, long offset) => Decide(shop, offset).Chosen;

    private static Decision Decide(Shop shop, long offset, bool coldStart = false)
    {
        var request = shop.Request() with { Offset = offset, ColdStart = coldStart };
        shop.Funnel.Decide(request, shop.Context, shop.Scorer, 0, shop.Profile, shop.Policy.AllOn, shop.Result);
        return shop.Result;
    }
}
