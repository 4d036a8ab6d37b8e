using MathNet.Numerics;
using MathNet.Numerics.Distributions;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Decisions.Learning;

/// <summary>What Thompson sampling draws: with which probability, by what, and that it does so again.</summary>
public sealed class ThompsonTests
{
    private static readonly ExplorationOptions Clicks =
        new() { Name = "home", Method = ExplorationMethod.Thompson, Reward = RewardKind.Click };

    private static readonly ExplorationOptions Money = new()
    {
        Name = "home",
        Method = ExplorationMethod.Thompson,
        Reward = RewardKind.Value,
        Prior = new PriorOptions { Deviation = 10 },
    };

    // The fourth does not pass its gate.
    private static readonly OfferOptions[] Offers =
        [Shop.Offer("a"), Shop.Offer("b"), Shop.Offer("c", "2.0"), Shop.Offer("no", "99.0") with { Eligible = "false" }];

    /// <summary>By offer: trials, and clicks or the sum of values.</summary>
    private static readonly (double Trials, double Sum)[] Seen = [(100, 12), (60, 9), (40, 2), (10, 10)];

    [Theory]
    [InlineData(RewardKind.Click)]
    [InlineData(RewardKind.Value)]
    public void What_is_drawn_is_as_frequent_as_the_logged_probabilities_say(RewardKind reward)
    {
        const int Draws = 20_000;
        var (shop, beliefs) = Make(reward == RewardKind.Click ? Clicks : Money);
        var (counts, logged) = (new int[4], Array.Empty<double>());
        for (var offset = 0; offset < Draws; offset++)
        {
            var d = Decide(shop, beliefs, offset);
            counts[d.Chosen]++;
            if (offset == 0) logged = [.. d.Probability];
            Assert.Equal(logged, d.Probability);
            Assert.Equal((Outcome.Served, d.Probability[d.Chosen], 0), (d.Outcome, d.SelectionProbability, d.Exploration));
            Assert.Equal(d.Chosen != d.Ranking[0], d.IsExplored);
        }
        Assert.Equal(1, logged.Sum(), 1e-12);
        Assert.All(logged[..3], p => Assert.True(p > 0.0005));
        Assert.Equal((0.0, 0), (logged[3], counts[3]));
        var squares = Enumerable.Range(0, 3).Sum(i => Math.Pow(counts[i] - Draws * logged[i], 2) / (Draws * logged[i]));
        Assert.True(1 - ChiSquared.CDF(2, squares) > 0.001, $"chi-square {squares}");
    }

    /// <summary>
    /// Over many seeds the share of each candidate is the probability that it is the best: that one beta number exceeds another, by the
    /// closed sum (E. Miller, <em>Formulas for Bayesian A/B testing</em>).
    /// </summary>
    [Fact]
    public void Over_many_seeds_the_share_is_the_probability_to_be_best()
    {
        const int Seeds = 60;
        var mean = Enumerable.Range(0, Seeds).Average(seed =>
        {
            var (shop, beliefs) = Make(Clicks with { Seed = $"{seed}" }, Offers[..2]);
            return Decide(shop, beliefs, 1).Probability[1];
        });
        // Beta(13, 89) and Beta(10, 52); and the one sample that either wins.
        var better = ProbabilityOfB(13, 89, 10, 52);
        Assert.InRange(better, 0.7, 0.75); // so that the formula itself is no surprise
        var expected = (ThompsonSampler.Samples * better + 0.5) / (ThompsonSampler.Samples + 1);
        Assert.InRange(mean, expected - 4 * Deviation(), expected + 4 * Deviation());

        double Deviation() => Math.Sqrt(better * (1 - better) / ThompsonSampler.Samples / Seeds);
    }

    [Fact]
    public void What_was_earned_stands_as_P_and_orders_the_candidates()
    {
        var (shop, beliefs) = Make(Clicks);
        var d = Decide(shop, beliefs, 1);
        Assert.Equal([13.0 / 102, 10.0 / 62, 3.0 / 42, 0], d.P, (x, y) => Math.Abs(x - y) < 1e-15);
        Assert.Equal([1.0, 1, 2, 0], d.V);
        Assert.Equal([3, 1, 2, 0], d.Rank);
        Assert.Equal([PropensitySource.Learned, PropensitySource.Learned, PropensitySource.Learned, PropensitySource.None], d.Source);
        for (var i = 0; i < 4; i++) Assert.Equal(Priority.Of(d.P[i], d.C[i], d.V[i], d.L[i]), d.Priority[i]);

        (shop, beliefs) = Make(Money);
        d = Decide(shop, beliefs, 1);
        // The prior is P x V, 0.5, and 1 of the third, with the weight of two decisions.
        Assert.Equal([13.0 / 102, 10.0 / 62, 4.0 / 42, 0], d.V, (x, y) => Math.Abs(x - y) < 1e-15);
        Assert.Equal([1.0, 1, 1, 0], d.P);
    }

    [Fact]
    public void The_offers_own_propensity_may_be_what_is_believed()
    {
        var options = Clicks with { Prior = new PriorOptions { Weight = 50 } };
        var (shop, beliefs) = Make(options);
        Assert.Equal((50 * 0.5 + 12) / 150, Decide(shop, beliefs, 1).P[0], 1e-15);
        Assert.Equal(0.5, Decide(shop, new ArmBeliefs(shop.Policy), 1).P[0]);
        // A model's score is believed for the customer at hand: each decision draws anew, by fewer samples.
        var model = new LinearModel("m", ["views"], [("a", [0.1f, 0])]);
        var scored = Shop.Offer("s") with { Propensity = new PropensityOptions { Model = "m" } };
        shop = new Shop([scored, Offers[1]], new DecisionOptions { Exploration = [options] }, model);
        shop.Scorer.Score(shop.Context.Features, Shop.Features.Length, 1);
        var d = Decide(shop, new ArmBeliefs(shop.Policy), 1);
        Assert.Equal(0.3, d.P[0], 1e-6);
        Assert.Equal(0, d.Probability[0] * 2 * (ThompsonSampler.SamplesOfScores + 1) % 1);
        Assert.InRange(d.Probability[0], 0.001, 0.1); // Beta(15, 35) is seldom above Beta(25, 25)
        shop.Context.Features[0] = 6;
        shop.Scorer.Score(shop.Context.Features, Shop.Features.Length, 1);
        Assert.InRange(Decide(shop, new ArmBeliefs(shop.Policy), 2).Probability[0], 0.7, 0.999);
    }

    /// <summary>
    /// A decision is the same whatever was decided before it, by whichever worker: its numbers follow from the seed, its position and what
    /// is known of the arms alone.
    /// </summary>
    [Fact]
    public void A_decision_depends_on_its_position_the_seed_and_the_numbers_alone()
    {
        foreach (var options in new[] { Clicks, Money, Clicks with { Prior = new PriorOptions { Weight = 5 } } })
        {
            var (shop, beliefs) = Make(options);
            var (again, _) = Make(options);
            var other = Beliefs(again, [(5, 1), (500, 9), (7, 7), (0, 0)]);
            var all = Enumerable.Range(0, 200).Select(i => One(shop, beliefs, i)).ToArray();
            for (var offset = 200; offset-- > 0;)
            {
                One(again, other, offset);
                Assert.Equal(all[offset], One(again, beliefs, offset));
            }
            var (seeded, same) = Make(options with { Seed = "another" });
            Assert.NotEqual(all, Enumerable.Range(0, 200).Select(i => One(seeded, same, i)));
        }

        static (int, double) One(Shop shop, ArmBeliefs beliefs, long offset) =>
            Decide(shop, beliefs, offset) is var d ? (d.Chosen, d.SelectionProbability) : default;
    }

    /// <summary>An arm that nobody has tried for long is known less: all arms are as of the newest reward of the placement.</summary>
    [Fact]
    public void Arms_that_are_not_tried_are_forgotten_with_the_others_rewards()
    {
        var shop = new Shop(Offers, new DecisionOptions { Exploration = [Clicks with { HalfLife = TimeSpan.FromDays(1) }] });
        var beliefs = new ArmBeliefs(shop.Policy);
        const double Day = 86_400_000;
        var numbers = new Dictionary<string, double[]>
        {
            ["arm/click/home/a"] = [80, 40, 40, 10 * Day, Day],
            ["arm/click/home/b"] = [16, 8, 8, 13 * Day, Day],
        };
        beliefs.Take(name => numbers.GetValueOrDefault(name));
        Assert.Equal((10.0, 5.0), (Math.Round(beliefs.Of(0, 0).Trials, 9), Math.Round(beliefs.Of(0, 0).Sum, 9)));
        Assert.Equal((16.0, 0.0), (beliefs.Of(0, 1).Trials, beliefs.Of(0, 2).Trials));
    }

    /// <summary>What was counted with another half-life, or with none, is forgotten by the one that the config has now.</summary>
    [Theory]
    [InlineData(0, 1, 10)]
    [InlineData(100, 1, 10)]
    [InlineData(1, 3, 40)]
    [InlineData(1, 0, 80)]
    public void Another_half_life_reaches_arms_that_earn_nothing_any_more(int counted, int now, double trials)
    {
        const double Day = 86_400_000;
        var shop = new Shop(Offers, new DecisionOptions
        {
            Exploration = [Clicks with { HalfLife = now == 0 ? null : TimeSpan.FromDays(now) }],
        });
        var beliefs = new ArmBeliefs(shop.Policy);
        var numbers = new Dictionary<string, double[]>
        {
            ["arm/click/home/a"] = [80, 40, 40, 10 * Day, counted * Day],
            ["arm/click/home/b"] = [16, 8, 8, 13 * Day, now * Day],
        };
        beliefs.Take(name => numbers.GetValueOrDefault(name));
        Assert.Equal((trials, 16.0), (Math.Round(beliefs.Of(0, 0).Trials, 9), beliefs.Of(0, 1).Trials));
    }

    /// <summary>A name may have a slash in it: two arms must not share their numbers for that.</summary>
    [Fact]
    public void No_two_arms_have_one_name()
    {
        (string Placement, string Offer)[] arms = [("a", "b/c"), ("a/b", "c"), ("a%2Fb", "c"), ("a", "b%2Fc"), ("a", "b%252Fc")];
        Assert.Equal(arms.Length, arms.Select(a => ArmNames.Of(RewardKind.Click, a.Placement, a.Offer)).Distinct().Count());
        Assert.Equal("arm/click/home/Frühling 20", ArmNames.Of(RewardKind.Click, "home", "Frühling 20"));
    }

    [Fact]
    public void Other_placements_and_the_default_offer_are_not_drawn()
    {
        var shop = new Shop(Offers, new DecisionOptions { Exploration = [Clicks], DefaultOffer = "c" });
        var beliefs = Beliefs(shop, Seen);
        var request = shop.Request() with { ColdStart = true };
        shop.Funnel.Decide(request, shop.Context, shop.Scorer, 0, shop.Profile, shop.Policy.AllOn, shop.Result, beliefs: beliefs);
        Assert.Equal((2, 1.0, true, -1), (shop.Result.Chosen, shop.Result.SelectionProbability, shop.Result.IsDefault,
            shop.Result.Exploration));
        shop.Set("page_view", "product");
        var d = Decide(shop, beliefs, 3);
        Assert.Equal((2, 1.0, 0.5, PropensitySource.Fixed), (d.Chosen, d.SelectionProbability, d.P[0], d.Source[0]));
    }

    [Theory]
    [InlineData(RewardKind.Click)]
    [InlineData(RewardKind.Value)]
    public void A_decision_that_learns_allocates_nothing(RewardKind reward)
    {
        var (shop, beliefs) = Make(reward == RewardKind.Click ? Clicks : Money);
        var request = shop.Request();
        var numbers = new double[ArmTally.Numbers];
        ArmBeliefs.NumberOf find = _ => numbers;
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (var i = 0; i < 50; i++)
            {
                (numbers[0], numbers[1], numbers[2]) = (100 + i, i, i);
                beliefs.Take(find);
                shop.Funnel.Decide(request, shop.Context, shop.Scorer, 0, shop.Profile, shop.Policy.AllOn, shop.Result, beliefs: beliefs);
            }
        }));
    }

    [Fact]
    public void Every_mistake_is_told_at_once()
    {
        var errors = new ConfigErrors();
        OfferOptions[] offers = [Shop.Offer("a") with { Placements = ["1", "2", "3", "4", "5", "6", "7", "8", "9"] }];
        var thompson = new ExplorationOptions { Method = ExplorationMethod.Thompson, Reward = RewardKind.Click };
        new Shop(offers) { Outcomes = new OutcomeOptions { Events = [Shop.OutcomeEvent(OutcomeKind.Click)] } }.Compile(new DecisionOptions
        {
            Exploration =
            [
                thompson with { Name = "1", Reward = null, Epsilon = 0.1 },
                thompson with { Name = "2", Reward = RewardKind.Impression },
                thompson with { Name = "3", Prior = new PriorOptions { Alpha = 1 } },
                thompson with { Name = "4", Prior = new PriorOptions { Alpha = 1, Beta = 1, Weight = 3, Deviation = 1 } },
                thompson with { Name = "5", Prior = new PriorOptions { Alpha = -1, Beta = 1 }, HalfLife = TimeSpan.Zero },
                thompson with { Name = "6", Reward = RewardKind.Value, Prior = new PriorOptions { Alpha = 1, Mean = double.NaN } },
                new() { Name = "7", Epsilon = 0.1, Reward = RewardKind.Click, HalfLife = TimeSpan.FromDays(1), Prior = new PriorOptions() },
            ],
        }, offers, errors);
        string[] expected =
        [
            "thompson has no reward", "thompson has no epsilon", "no event under 'outcomes' is an impression", "the prior is not whole",
            "the prior is given twice", "the prior of a reward that comes or not has no deviation", "-1 is no alpha",
            "forgets everything at once", "no event under 'outcomes' is a conversion", "the prior of values has no alpha", "NaN is no mean",
            "the prior of values has no deviation", "epsilon_greedy has no reward", "epsilon_greedy has no prior",
            "epsilon_greedy has no half_life",
        ];
        foreach (var text in expected) Assert.Contains(errors.All, e => e.Message.Contains(text, StringComparison.Ordinal));
        Assert.Equal(expected.Length, errors.All.Count);
        errors = new ConfigErrors();
        new Shop(offers) { Outcomes = null }.Compile(new DecisionOptions { Exploration = [thompson with { Name = "1" }] }, offers, errors);
        Assert.Contains("nothing is learnt where no event is an outcome", Assert.Single(errors.All).Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// What is learnt takes the place of P, and of V where it is a value: what a variation tries there would be without effect.
    /// </summary>
    [Theory]
    [InlineData(RewardKind.Click, 1.0, null, null, "propensity")]
    [InlineData(RewardKind.Click, null, null, null, "propensity")]
    [InlineData(RewardKind.Click, null, 20.0, null, "")]
    [InlineData(RewardKind.Value, null, null, 5.0, "propensity value")]
    [InlineData(RewardKind.Value, null, null, null, "")]
    public void A_variation_that_would_be_without_effect_is_a_mistake(RewardKind reward, double? shape, double? weight, double? mean,
        string mistaken)
    {
        var prior = new PriorOptions
        {
            Alpha = shape,
            Beta = shape,
            Weight = weight,
            Mean = mean,
            Deviation = reward == RewardKind.Value ? 10 : null,
        };
        var isDefault = shape is null && weight is null && reward == RewardKind.Click;
        OfferOptions[] offers = [Shop.Offer("a") with { Placements = ["home", "email"] }, Shop.Offer("b") with { Placements = ["email"] }];
        var options = new DecisionOptions
        {
            Exploration = [Clicks with { Reward = reward, Prior = isDefault ? null : prior }],
            Experiments =
            [
                new ExperimentOptions
                {
                    Name = "try",
                    Variations =
                    [
                        new VariationOptions { Name = "control" },
                        new VariationOptions
                        {
                            Name = "other",
                            Propensities = [.. "ab".Select(o => new ExperimentPropensityOptions { Name = $"{o}", Default = 0.9 })],
                            Values = [.. "ab".Select(o => new ExperimentTermOptions { Name = $"{o}", Is = "7.0" })],
                            Contexts = [new ExperimentTermOptions { Name = "a", Is = "2.0" }],
                        },
                    ],
                },
            ],
        };
        var errors = new ConfigErrors();
        new Shop(Offers)
        {
            Outcomes = new OutcomeOptions { Events = [Shop.OutcomeEvent(OutcomeKind.Click), Shop.OutcomeEvent(OutcomeKind.Conversion)] },
        }.Compile(options, offers, errors);
        Assert.Equal(mistaken.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(term => $"another {term} of a is without effect in placement home, which learns what offers earn"),
            errors.All.Select(e => e.Message));
        Assert.All(errors.All, e => Assert.Contains("prior", e.Remedy, StringComparison.Ordinal));
    }

    /// <summary>The probability that a number of Beta(c, d) exceeds one of Beta(a, b), for whole c.</summary>
    internal static double ProbabilityOfB(double a, double b, int c, double d) => Enumerable.Range(0, c).Sum(i =>
        Math.Exp(SpecialFunctions.BetaLn(a + i, b + d) - Math.Log(d + i) - SpecialFunctions.BetaLn(1 + i, d)
            - SpecialFunctions.BetaLn(a, b)));

    private static (Shop Shop, ArmBeliefs Beliefs) Make(ExplorationOptions exploration, OfferOptions[]? offers = null)
    {
        var shop = new Shop(offers ?? Offers, new DecisionOptions { Exploration = [exploration] });
        return (shop, Beliefs(shop, Seen));
    }

    private static ArmBeliefs Beliefs(Shop shop, (double Trials, double Sum)[] seen)
    {
        var beliefs = new ArmBeliefs(shop.Policy);
        var exploration = shop.Policy.Explorations[0];
        var names = shop.Policy.Offers.Select(o => ArmNames.Of(exploration.Thompson!.Reward, exploration.Name, o.Name)).ToArray();
        var numbers = seen.Select(s => new[] { s.Trials, s.Sum, s.Sum, 1, 0 }).ToArray();
        beliefs.Take(name => Array.IndexOf(names, name) is var i and >= 0 ? numbers[i] : null);
        return beliefs;
    }

    private static Decision Decide(Shop shop, ArmBeliefs beliefs, long offset)
    {
        var request = shop.Request() with { Offset = offset };
        shop.Funnel.Decide(request, shop.Context, shop.Scorer, 0, shop.Profile, shop.Policy.AllOn, shop.Result, beliefs: beliefs);
        return shop.Result;
    }
}
