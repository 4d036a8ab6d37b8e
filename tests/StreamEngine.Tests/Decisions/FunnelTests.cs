using System.Text;
using StreamEngine.Decisions;
using StreamEngine.Inference;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Decisions;

public sealed class FunnelTests
{
    private static readonly CapOptions Once = new() { Name = "once", Per = LimitScope.Offer, Max = 1, Window = TimeSpan.FromDays(1) };

    [Fact]
    public void The_highest_product_wins_and_all_ranks_are_told()
    {
        var offers = new[]
        {
            Shop.Offer("a", "10.0"),
            Shop.Offer("b", "features.revenue") with { Context = "2.0", Propensity = new PropensityOptions { Default = 0.25 } },
            Shop.Offer("c", "offer.price * 2") with { Attributes = new Dictionary<string, string> { ["price"] = "3" } },
        };
        var shop = new Shop(offers);
        var d = shop.Decide();
        Assert.Equal((Outcome.Served, "b", 1.0, false), (d.Outcome, shop.Chosen, d.SelectionProbability, d.IsDefault));
        Assert.Equal([5.0, 10.0, 3.0], d.Priority);
        Assert.Equal([2, 1, 3], d.Rank);
        Assert.Equal([DropReason.LostArbitration, DropReason.None, DropReason.LostArbitration], d.Drop);
        Assert.Equal((0.25, 2.0, 20.0, 1.0), (d.P[1], d.C[1], d.V[1], d.L[1]));
        Assert.Equal("home", Encoding.UTF8.GetString(d.Placement));
    }

    [Fact]
    public void A_tie_goes_to_the_name_that_comes_first()
    {
        var shop = new Shop([Shop.Offer("b"), Shop.Offer("a"), Shop.Offer("B"), Shop.Offer("c")]);
        shop.Decide();
        Assert.Equal("B", shop.Chosen);
        Assert.Equal([3, 2, 1, 4], shop.Result.Rank);
    }

    [Fact]
    public void Levers_add_to_one_inside_their_factor()
    {
        var levered = Shop.Offer("a", "10.0") with
        {
            Levers = [new() { Name = "season", By = "0.5" },
            new() { Name = "stock", By = "features.views / 10.0" }, new() { Name = "brake", By = "-0.2" }]
        };
        var d = new Shop([levered]).Decide();
        Assert.Equal(1.6, d.L[0], 12);
        Assert.Equal(0.5 * 10 * d.L[0], d.Priority[0]);
    }

    [Fact]
    public void Every_gate_drops_with_its_own_reason()
    {
        var offers = new[]
        {
            Shop.Offer("placement") with { Placements = ["checkout", "cart"] },
            Shop.Offer("eligible") with { Eligible = "features.views > 3.0" },
            Shop.Offer("applicable") with { Applicable = "event.placement == 'cart'" },
            Shop.Offer("suitable") with { Suitable = "!consent.marketing" },
            Shop.Offer("infinite", "1.0 / 0.0"),
            Shop.Offer("no-number") with { Levers = [new LeverOptions { Name = "l", By = "0.0 / 0.0" }] },
            Shop.Offer("context") with { Context = "-1.0 / 0.0" },
            Shop.Offer("left", "0.1") with { Placements = ["cart", "home"], Eligible = "consent.ads", Applicable = "features.views == 3.0",
                Suitable = "offer.name == 'left'" },
        };
        var shop = new Shop(offers);
        var d = shop.Decide();
        DropReason[] expected =
        [
            DropReason.Placement, DropReason.NotEligible, DropReason.NotApplicable, DropReason.NotSuitable,
            DropReason.BadPriority, DropReason.BadPriority, DropReason.BadPriority, DropReason.None,
        ];
        Assert.Equal(expected, d.Drop);
        Assert.Equal("left", shop.Chosen);
        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 1], d.Rank);
        Assert.Equal(Outcome.Served, d.Outcome);
    }

    [Fact]
    public void A_capped_offer_makes_room_and_comes_back()
    {
        var shop = new Shop([Shop.Offer("a", "2.0"), Shop.Offer("b")], new DecisionOptions { Caps = [Once] });
        shop.Decide(at: 0);
        Assert.Equal("a", shop.Chosen);
        shop.Decide(at: 1);
        Assert.Equal("b", shop.Chosen);
        Assert.Equal(DropReason.OfferCap, shop.Result.Drop[0]);
        shop.Decide(at: 2);
        Assert.Equal((Outcome.NoOffer, -1), (shop.Result.Outcome, shop.Result.Chosen));
        shop.Decide(at: 86_400_000);
        Assert.Equal("a", shop.Chosen);
    }

    [Fact]
    public void A_customer_cap_names_itself()
    {
        CapOptions[] caps = [Once with { Offers = ["b"] }, new CapOptions { Name = "total", Max = 2, Window = TimeSpan.FromHours(1) }];
        var shop = new Shop([Shop.Offer("a")], new DecisionOptions { Caps = [caps[1]] });
        shop.Decide(at: 0);
        shop.Decide(at: 10);
        var d = shop.Decide(at: 20);
        Assert.Equal((Outcome.NoOffer, DropReason.CustomerCap, 0), (d.Outcome, d.Drop[0], d.Limit[0]));
    }

    [Fact]
    public void Rules_speak_before_caps()
    {
        var shop = new Shop([Shop.Offer("a") with { Suitable = "event.placement == 'home'" }], new DecisionOptions { Caps = [Once] });
        shop.Decide(at: 0);
        shop.Set("page_view", "cart");
        Assert.Equal(DropReason.NotSuitable, shop.Decide(at: 1).Drop[0]);
    }

    [Fact]
    public void Without_consent_no_candidate_is_looked_at()
    {
        var shop = new Shop([Shop.Offer("a"), Shop.Offer("b")], new DecisionOptions { Purpose = "ads", DefaultOffer = "a" });
        shop.Context.Consent = 0b01;
        var d = shop.Decide(coldStart: true);
        Assert.Equal((Outcome.NoConsent, -1), (d.Outcome, d.Chosen));
        Assert.All(d.Drop, r => Assert.Equal(DropReason.NoConsent, r));
        shop.Context.Consent = 0b10;
        Assert.Equal(Outcome.Served, shop.Decide().Outcome);
    }

    [Theory]
    [InlineData("true", "true", false, "default")] // nothing else is left
    [InlineData("true", "false", false, "default")] // it need not be suitable
    [InlineData("false", "true", false, "")] // but it must be eligible
    [InlineData("true", "true", true, "best")] // where something is left, it does not
    public void The_default_offer_stands_in_where_nothing_is_left(string eligible, string suitable, bool otherIsLeft, string chosen)
    {
        var offers = new[] { Shop.Offer("best", "9.0") with { Suitable = otherIsLeft ? "true" : "false" },
            Shop.Offer("default") with { Eligible = eligible, Suitable = suitable } };
        var shop = new Shop(offers, new DecisionOptions { DefaultOffer = "default" });
        var d = shop.Decide();
        Assert.Equal(chosen, shop.Chosen);
        Assert.Equal(chosen.Length > 0 ? Outcome.Served : Outcome.NoOffer, d.Outcome);
        Assert.Equal(chosen == "default" && suitable == "false", d.IsDefault);
        if (chosen == "default") Assert.Equal((0.5, DropReason.None), (d.Priority[1], d.Drop[1]));
        if (chosen == "best") Assert.Equal((DropReason.None, DropReason.LostArbitration), (d.Drop[0], d.Drop[1]));
    }

    [Fact]
    public void The_default_offer_goes_first_for_an_unknown_customer()
    {
        var shop = new Shop([Shop.Offer("best", "9.0"), Shop.Offer("default")], new DecisionOptions { DefaultOffer = "default" });
        shop.Decide(coldStart: true);
        Assert.Equal(("default", true, DropReason.LostArbitration, 1),
            (shop.Chosen, shop.Result.IsDefault, shop.Result.Drop[0], shop.Result.Rank[0]));
        shop.Decide();
        Assert.Equal(("best", false), (shop.Chosen, shop.Result.IsDefault));
    }

    [Fact]
    public void A_capped_default_offer_is_not_taken()
    {
        var shop = new Shop([Shop.Offer("best", "9.0") with { Suitable = "false" }, Shop.Offer("default")],
            new DecisionOptions { DefaultOffer = "default", Caps = [Once] });
        Assert.Equal(Outcome.Served, shop.Decide(at: 0).Outcome);
        Assert.Equal((Outcome.NoOffer, DropReason.OfferCap), (shop.Decide(at: 1).Outcome, shop.Result.Drop[1]));
    }

    [Theory]
    [InlineData("true", false)] // dropped in arbitration
    [InlineData("false", false)] // priced only as the default
    [InlineData("true", true)] // an unknown customer gets the best that is left instead
    [InlineData("false", true)]
    public void A_default_offer_without_a_finite_priority_is_not_taken(string suitable, bool otherIsLeft)
    {
        var offers = new[] { Shop.Offer("best", "9.0") with { Suitable = otherIsLeft ? "true" : "false" },
            Shop.Offer("default", "1.0 / (features.views - 3.0)") with { Suitable = suitable } };
        var shop = new Shop(offers, new DecisionOptions { DefaultOffer = "default" });
        var d = shop.Decide(coldStart: true);
        Assert.Equal((otherIsLeft ? Outcome.Served : Outcome.NoOffer, otherIsLeft ? "best" : "", false),
            (d.Outcome, shop.Chosen, d.IsDefault));
        Assert.Equal(DropReason.BadPriority, d.Drop[1]);
    }

    [Fact]
    public void A_default_offer_outside_its_placement_is_not_taken()
    {
        var shop = new Shop([Shop.Offer("default") with { Placements = ["cart"] }], new DecisionOptions { DefaultOffer = "default" });
        Assert.Equal(Outcome.NoOffer, shop.Decide(coldStart: true).Outcome);
    }

    [Fact]
    public void The_holdout_has_its_share_and_is_stable()
    {
        var shop = new Shop([Shop.Offer("a")], new DecisionOptions { Holdout = new HoldoutOptions { Share = 0.2, Salt = "2026" } });
        var (held, holdouts) = (new HashSet<int>(), 0);
        for (var round = 0; round < 2; round++)
            for (var customer = 0; customer < 20_000; customer++)
            {
                shop.Buffer = Encoding.UTF8.GetBytes($"customer-{customer}");
                var d = shop.Decide();
                if (d.Outcome == Outcome.Served) continue;
                Assert.Equal((Outcome.Holdout, -1, 1.0, DropReason.Holdout, 1),
                    (d.Outcome, d.Chosen, d.SelectionProbability, d.Drop[0], d.Rank[0]));
                Assert.Equal(round == 0, held.Add(customer));
                holdouts++;
            }
        Assert.InRange(held.Count, 3_850, 4_150);
        Assert.Equal(2 * held.Count, holdouts);
    }

    [Fact]
    public void The_holdout_compares_only_who_would_have_been_served()
    {
        var shop = new Shop([Shop.Offer("a") with { Eligible = "false" }],
            new DecisionOptions { Holdout = new HoldoutOptions { Share = 1 } });
        Assert.Equal(Outcome.NoOffer, shop.Decide().Outcome);
    }

    [Fact]
    public void A_model_gives_each_offer_its_column()
    {
        var model = new LinearModel("clicks", ["revenue", "views"], ("a", [0.01f, 0, 0]), ("b", [0, 0.1f, 0]));
        var shop = new Shop([Shop.Offer("x") with { Propensity = P("a") }, Shop.Offer("y") with { Propensity = P("1") },
            Shop.Offer("z") with { Propensity = P(null) }], null, model);
        var d = shop.Decide();
        Assert.Equal([20 * 0.01f, 3 * 0.1f, 20 * 0.01f], d.P);
        Assert.All(d.Source, s => Assert.Equal(PropensitySource.Model, s));
        Assert.Single(shop.Policy.Models);

        static PropensityOptions P(string? output) => new() { Model = "clicks", Output = output };
    }

    [Theory]
    [InlineData(LinearModel.Poison, ScoreFault.Failed)] // the model throws
    [InlineData(double.NaN, ScoreFault.NotANumber)]
    [InlineData(double.PositiveInfinity, ScoreFault.NotANumber)]
    [InlineData(1.5, ScoreFault.OutOfRange)]
    [InlineData(-0.5, ScoreFault.OutOfRange)]
    [InlineData(1.0002, ScoreFault.OutOfRange)]
    public void A_failed_model_falls_back_to_the_default(double views, ScoreFault fault)
    {
        var model = new LinearModel("clicks", ["views"], ("p", [1, 0]));
        var shop = new Shop([Shop.Offer("a") with { Propensity = new PropensityOptions { Model = "clicks", Default = 0.125 } }], null,
            model);
        shop.Context.Features = [views, 0];
        var d = shop.Decide();
        Assert.Equal((Outcome.Served, 0.125, PropensitySource.Fallback, fault), (d.Outcome, d.P[0], d.Source[0], d.Fault[0]));
        shop.Context.Features = [1, 0];
        Assert.Equal((1.0, PropensitySource.Model, ScoreFault.None), (shop.Decide().P[0], d.Source[0], d.Fault[0]));
    }

    [Theory]
    [InlineData(1.00005, 1)]
    [InlineData(-0.00005, 0)]
    [InlineData(0.9999999, 0.9999999)]
    public void What_rounding_adds_to_a_probability_is_no_failure(double views, double probability)
    {
        var shop = new Shop([Shop.Offer("a") with { Propensity = new PropensityOptions { Model = "clicks", Default = 0.125 } }], null,
            new LinearModel("clicks", ["views"], ("p", [1, 0])));
        shop.Context.Features = [views, 0];
        var d = shop.Decide();
        Assert.Equal((PropensitySource.Model, ScoreFault.None), (d.Source[0], d.Fault[0]));
        Assert.Equal((float)probability, d.P[0]);
    }

    [Fact]
    public void Many_offers_are_ranked_as_a_sort_would()
    {
        var random = new Random(5);
        var offers = Enumerable.Range(0, 200)
            .Select(i => Shop.Offer($"o{random.Next():x8}{i}", FormattableString.Invariant($"{random.Next(40)}.0"))).ToArray();
        var shop = new Shop(offers);
        var d = shop.Decide();
        var expected = Enumerable.Range(0, offers.Length).OrderByDescending(i => d.Priority[i])
            .ThenBy(i => offers[i].Name, StringComparer.Ordinal).ToArray();
        Assert.Equal(expected, Enumerable.Range(0, offers.Length).OrderBy(i => d.Rank[i]));
    }

    [Fact]
    public void A_decision_allocates_nothing()
    {
        var model = new LinearModel("clicks", ["views", "revenue"], ("p", [0.01f, 0.001f, 0]));
        var offers = Enumerable.Range(0, 8)
            .Select(i => Shop.Offer($"o{i}", "features.revenue + 1.0") with
            {
                Eligible = "event.type == 'page_view'",
                Propensity = new PropensityOptions { Model = "clicks" }
            }).ToArray();
        CapOptions[] caps = [Once with { Max = 3 }, new CapOptions { Name = "all", Max = 50 }];
        var shop = new Shop(offers, new DecisionOptions { Caps = caps, DefaultOffer = "o1", Holdout = new HoldoutOptions { Share = 0.5 } },
            model);
        var i = 0L;
        for (; i < 200; i++) shop.Decide(i);
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (var end = i + 1_000; i < end; i++) shop.Decide(i * 10_000);
        }));
    }
}
