using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Decisions;

public sealed class PolicyTests
{
    private static readonly TriggerOptions View = new() { Name = "view", When = "event.type == 'page_view'" };

    [Fact]
    public void The_first_trigger_that_matches_opens_the_decision()
    {
        TriggerOptions[] triggers =
        [
            new() { Name = "cart", Timer = "cart", Placement = "'email'" },
            new() { Name = "checkout", When = "event.type == 'page_view' && event.placement == 'checkout'", Placement = "event.placement" },
            View with { Placement = "'any'" },
        ];
        var shop = new Shop([Shop.Offer("a")], new DecisionOptions { Triggers = triggers });
        Assert.Equal(2, shop.Policy.MatchTrigger(shop.Context));
        shop.Set("page_view", "checkout");
        Assert.Equal(1, shop.Policy.MatchTrigger(shop.Context));
        Assert.Equal("checkout"u8, shop.Policy.Placement(1, shop.Context));
        shop.Set("purchase", "checkout");
        Assert.Equal(-1, shop.Policy.MatchTrigger(shop.Context));
        Assert.Equal((0, -1), (shop.Policy.TimerTrigger(0), shop.Policy.TimerTrigger(1)));
        Assert.Equal("email"u8, shop.Policy.Placement(0, shop.Context));
    }

    [Fact]
    public void An_offer_is_found_by_its_name()
    {
        var policy = new Shop([Shop.Offer("a"), Shop.Offer("grün")]).Policy;
        Assert.Equal((0, 1, -1), (policy.OfferIndex("a"u8), policy.OfferIndex("grün"u8), policy.OfferIndex("gone"u8)));
    }

    [Fact]
    public void Every_mistake_is_told_at_once_with_its_line()
    {
        var options = new DecisionOptions
        {
            Node = At(1, "decisions"),
            Purpose = "marketting",
            DefaultOffer = "summr",
            Holdout = new HoldoutOptions { Node = At(2, "decisions.holdout"), Share = 1.5 },
            Triggers =
            [
                View with { Node = At(3, "decisions.triggers.view"), Timer = "cart" },
                new() { Name = "none", Node = At(4, "decisions.triggers.none") },
                new() { Name = "timer", Node = At(5, "decisions.triggers.timer"), Timer = "crat" },
                new() { Name = "timer", Node = At(6, "decisions.triggers.timer"), Timer = "cart" },
            ],
            Caps =
            [
                new() { Name = "c", Node = At(7, "decisions.caps.c"), Offers = ["wintr"] },
                new() { Name = "zero", Node = At(8, "decisions.caps.zero"), Window = TimeSpan.Zero },
                new() { Name = "huge", Node = At(9, "decisions.caps.huge"), Max = 1_000, Per = LimitScope.Offer,
                    Window = TimeSpan.FromDays(1) },
            ],
        };
        var offers = new List<OfferOptions>
        {
            Shop.Offer("summer") with { Node = At(20, "offers.summer"),
                Propensity = new() { Node = At(21, "offers.summer.propensity"), Model = "clikcs" } },
            Shop.Offer("winter") with { Node = At(22, "offers.winter"),
                Propensity = new() { Node = At(23, "offers.winter.propensity"), Model = "clicks", Output = "buy" } },
            Shop.Offer("winter") with { Node = At(24, "offers.winter"),
                Attributes = new Dictionary<string, string> { ["name"] = "x", ["a b"] = "1" } },
            Shop.Offer("bad") with { Eligible = new ExprText { Text = "features.viws > 1.0", Node = At(25, "offers.bad.eligible") },
                Propensity = new() { Node = At(26, "offers.bad.propensity"), Output = "p" } },
        };
        for (var i = 0; i < 10; i++) offers.Add(Shop.Offer($"more-{i}"));
        var errors = new ConfigErrors();
        new Shop([Shop.Offer("x")]).Compile(options, offers, errors, new LinearModel("clicks", ["views", "page"], ("p", [0, 0, 0])));
        (int Line, string Says)[] expected =
        [
            (1, "Did you mean 'marketing'?"), (1, "Did you mean 'summer'?"), (2, "no share"), (3, "both 'when' and 'timer'"),
                (4, "neither"),
            (5, "Did you mean 'cart'?"), (6, "trigger timer is declared twice"), (6, "timer cart opens another trigger"),
                (7, "Did you mean 'winter'?"), (8, "holds nothing"), (9, "bytes in every profile"),
            (21, "Did you mean 'clicks'?"), (23, "'page', which is no feature"), (23, "no output 'buy'"),
                (24, "offer winter is declared twice"),
            (24, "offer.name"), (24, "'a b'"), (25, "features.views"), (26, "an output but no model"),
        ];
        foreach (var (line, says) in expected)
            Assert.True(errors.All.Any(e => e.At.Line == line && e.ToString().Contains(says)),
                $"line {line}: {says} is missing in:\n{string.Join('\n', errors.All)}");
        Assert.Equal(expected.Length, errors.All.Count);
    }

    [Fact]
    public void A_model_that_could_not_be_loaded_is_told_once()
    {
        var errors = new ConfigErrors();
        errors.Add(At(1, "models.clicks"), "path", "has no folder", "");
        var offer = Shop.Offer("a") with { Propensity = new() { Model = "clicks" } };
        new Shop([Shop.Offer("x")]).Compile(new DecisionOptions(), [offer], errors);
        Assert.Single(errors.All);
    }

    [Fact]
    public void Features_are_not_in_a_triggers_scope()
    {
        var errors = new ConfigErrors();
        new Shop([Shop.Offer("x")])
            .Compile(new DecisionOptions { Triggers = [View with { When = "features.views > 1.0" }] }, [Shop.Offer("a")], errors);
        Assert.Contains("not in scope", Assert.Single(errors.All).Message);
    }

    private static ConfigNode At(int line, string path) => new(new ConfigLocation("shop.yaml", line, 1, path));
}
