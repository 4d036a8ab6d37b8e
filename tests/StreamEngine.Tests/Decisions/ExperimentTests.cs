using System.Text;
using Avro.Generic;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Decisions;

/// <summary>What an experiment changes of a decision, and what is written down about it.</summary>
public sealed class ExperimentTests
{
    private static readonly VariationOptions Control = new() { Name = "control" };

    internal static Shop Compile(params ExperimentOptions[] experiments) =>
        new([Shop.Offer("a", "9.0"), Shop.Offer("b", "8.0")], new DecisionOptions { Experiments = experiments });

    [Fact]
    public void Customers_are_spread_by_the_weights_and_stay_where_they_are_as_coverage_grows()
    {
        var some = Of(0.3);
        var more = Of(0.6);
        var counts = new int[3];
        for (var i = 0; i < 20_000; i++)
        {
            var customer = Encoding.UTF8.GetBytes($"customer-{i}");
            var (before, after) = (some.Assign(customer), more.Assign(customer));
            if (before >= 0) Assert.Equal(before, after);
            counts[after + 1]++;
        }
        Assert.InRange(counts[0], 7_700, 8_300);
        Assert.InRange(counts[1], 2_900 - 500, 2_400 + 250);
        Assert.InRange(counts[2], 9_600 - 300, 9_600 + 300);

        static Experiment Of(double coverage) => Compile(new ExperimentOptions
        {
            Name = "x",
            Coverage = coverage,
            Variations = [Control with { Weight = 0.2 }, new() { Name = "arm", Weight = 0.8 }],
        }).Policy.Experiments[0];
    }

    [Fact]
    public void A_variation_goes_without_an_offer_and_the_record_says_that_it_would_have_won()
    {
        var shop = Compile(Certain(new VariationOptions { Name = "arm", Without = ["a"] }));
        var d = shop.Decide();
        Assert.Equal("b", shop.Chosen);
        Assert.Equal((DropReason.Experiment, 0, 4.5, 1), (d.Drop[0], d.Rank[0], d.Priority[0], d.Rank[1]));
        Assert.Equal([1], d.Variations);
    }

    [Fact]
    public void A_variation_shows_another_treatment_and_lifts_priorities()
    {
        var shop = Compile(Certain(new VariationOptions
        {
            Name = "arm",
            Treatments = new Dictionary<string, string> { ["b"] = "red" },
            Levers = [new() { Name = "b", By = "features.views / 6.0" }],
        }));
        var d = shop.Decide();
        Assert.Equal(("b", 1.5, 6.0), (shop.Chosen, d.L[1], d.Priority[1]));
        Assert.Equal("red", shop.Policy.TreatmentOf(1, shop.Buffer, default));
        Assert.Equal("a-banner", shop.Policy.TreatmentOf(0, shop.Buffer, default));
        var output = Write(shop);
        Assert.Equal("red", ((GenericRecord)Decision(output)["chosen"]!)["treatment"]);
        Assert.Equal("red", Action(output)["treatment"]);
    }

    [Fact]
    public void The_assignment_stands_in_the_decision_and_in_the_action()
    {
        var shop = Compile(Certain(new VariationOptions { Name = "arm" }),
            new ExperimentOptions { Name = "outside", Coverage = 0, Variations = [Control, new() { Name = "arm" }] });
        shop.Decide();
        var output = Write(shop);
        Assert.Equal(["certain:arm"], Assignments(Decision(output)));
        Assert.Equal(["certain:arm"], Assignments(Action(output)));

        // Without consent nothing was assigned.
        shop.Context.Consent = 0;
        var withheld = new Shop([Shop.Offer("a")], new DecisionOptions
        {
            Purpose = "ads",
            Experiments = [Certain(new VariationOptions { Name = "arm" })]
        });
        withheld.Decide();
        withheld.Context.Consent = 0;
        withheld.Decide();
        Assert.Equal([-1], withheld.Result.Variations);
    }

    [Fact]
    public void A_logged_decision_is_written_again_to_the_byte_and_an_earlier_version_is_still_read()
    {
        var shop = Compile(Certain(new VariationOptions { Name = "arm", Treatments = new Dictionary<string, string> { ["a"] = "red" } }));
        shop.Decide();
        var output = Write(shop);
        var (decision, action) = (output.Value(0).ToArray(), output.Value(1).ToArray());
        var d = default(LoggedDecision);
        Assert.True(LoggedDecision.TryParse(decision, ref d), d.Error);
        new ActionRecordWriter("shop", ["events"], shop.Policy, "c0ffee").Rewrite(output, 1, 6, d, decision);
        Assert.Equal(action, output.Value(2).ToArray());
        // Earlier versions ended before the shared numbers, the deferral and the bucket versions, before the probabilities, the
        // assignments, the switches, the origin: each has one byte but the assignments.
        int[] ends = [decision.Length - 3, decision.Length - 4,
            .. new[] { 4, 5, 6 }.Select(i => decision.Length - i - d.Assignments.Length)];
        for (var length = 0; length < decision.Length; length++)
            Assert.Equal(ends.Contains(length), LoggedDecision.TryParse(decision.AsSpan(0, length), ref d));

        // Version 3 ended before the assignments; its action had none either.
        var plain = Compile();
        plain.Decide();
        var before = Write(plain).Value(0)[..^5].ToArray();
        Assert.Equal(OutputSchemas.Decision, before[4]);
        Assert.True(LoggedDecision.TryParse(before, ref d), d.Error);
        before[4] = OutputSchemas.DecisionWithoutAssignments;
        Assert.True(LoggedDecision.TryParse(before, ref d), d.Error);
        Assert.Equal(0, d.Assignments.Length);
        var again = new OutputBuffer();
        new ActionRecordWriter("shop", ["events"], plain.Policy, "c0ffee").Rewrite(again, 1, 6, d, before);
        Assert.Empty(Assignments(ApacheAvro.Of("action").Record(again.Value(0)[5..])));
        var old = new ApacheAvro(OutputSchemas.Text("decision-3"), OutputSchemas.Text("decision")).Record(before.AsSpan(5));
        Assert.Empty(Assignments(old));
    }

    [Fact]
    public void An_offers_own_holdout_keeps_it_from_its_share_of_customers_and_from_the_default()
    {
        var shop = new Shop([Shop.Offer("a", "9.0") with { Holdout = new() { Share = 0.25 } }, Shop.Offer("b", "8.0")],
            new DecisionOptions { DefaultOffer = "a" });
        var held = 0;
        for (var i = 0; i < 4_000; i++)
        {
            shop.Buffer = Encoding.UTF8.GetBytes($"customer-{i}");
            var d = shop.Decide(coldStart: i % 2 == 0);
            if (d.Drop[0] != DropReason.OfferHoldout) continue;
            held++;
            Assert.Equal(("b", Outcome.Served, 4.5, 0, 1), (shop.Chosen, d.Outcome, d.Priority[0], d.Rank[0], d.Rank[1]));
        }
        Assert.InRange(held, 900, 1_100);
    }

    [Fact]
    public void Assigning_allocates_nothing()
    {
        var shop = Compile(Certain(new VariationOptions { Name = "arm", Without = ["a"], Levers = [new() { Name = "b", By = "0.5" }] }));
        Assert.Equal(0, shop.AllocatedByDecisions());
    }

    [Fact]
    public void Mistakes_are_told_all_at_once()
    {
        var errors = new ConfigErrors();
        var red = new VariationOptions { Name = "red", Weight = 0.7, Treatments = new Dictionary<string, string> { ["b"] = "red" } };
        new Shop([Shop.Offer("a")]).Compile(new DecisionOptions
        {
            Experiments =
            [
                new() { Name = "alone", Variations = [Control] },
                new() { Name = "sum", Variations = [Control with { Weight = 0.4 }, red] },
                new() { Name = "half", Variations = [Control, red], Namespace = new() { Name = "n", From = 0.5, To = 0.2 } },
                new() { Name = "gone", Variations = [Control, new() { Name = "arm", Without = ["c"] }] },
            ],
        }, [Shop.Offer("b")], errors);
        foreach (var message in new[]
        {
            "experiment alone has 1 variations: there is nothing to compare", "the weights add up to 1.1",
            "1 of 2 variations have a weight",
            "the namespace is empty", "'c' is no offer", "experiments sum and half both change the treatment of b for the same customers",
        })
            Assert.Contains(errors.All, e => e.Message == message);
    }

    /// <summary>An experiment that has everybody in its second variation.</summary>
    internal static ExperimentOptions Certain(VariationOptions arm) =>
        new() { Name = "certain", Variations = [Control with { Weight = 0 }, arm with { Weight = 1 }] };

    private static OutputBuffer Write(Shop shop)
    {
        var output = new OutputBuffer();
        new DecisionRecordWriter("shop", ["events"], shop.Policy, "c0ffee").Write(output, 0, shop.Request(), shop.Result, [1, 2]);
        new ActionRecordWriter("shop", ["events"], shop.Policy, "c0ffee").Write(output, 1, 6, shop.Request(), shop.Result);
        return output;
    }

    private static GenericRecord Decision(OutputBuffer output) => ApacheAvro.Of("decision").Record(output.Value(0)[5..]);

    private static GenericRecord Action(OutputBuffer output) => ApacheAvro.Of("action").Record(output.Value(1)[5..]);

    private static IEnumerable<string> Assignments(GenericRecord record) =>
        ((System.Collections.IEnumerable)record["assignments"]!).Cast<GenericRecord>().Select(a => $"{a["experiment"]}:{a["variation"]}");
}
