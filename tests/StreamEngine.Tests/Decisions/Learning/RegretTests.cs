using System.Globalization;
using StreamEngine.Decisions;
using Xunit;

namespace StreamEngine.Tests.Decisions.Learning;

/// <summary>
/// A simulated shop whose true click rates are known: what is lost against always showing the best offer, by policy. All policies learn
/// from their own decisions alone; a click is known only some decisions later, as it is behind its window, and numbers are shared now and
/// then. The short form holds the order of the policies; the long one measures the table of exploration.md.
/// </summary>
public sealed class RegretTests
{
    /// <summary>A file: the table is then measured over 200 shops of 20,000 decisions, and written there.</summary>
    private const string Long = "STREAMENGINE_TEST_REGRET";

    private const int Arms = 8, Delay = 200, Refresh = 50;
    private const double Second = 1_000;

    /// <summary>A way to choose, given the decision of a placement that learns.</summary>
    private delegate int Policy(Decision decision, Random random);

    private static readonly (string Name, TimeSpan? HalfLife, Policy Choose)[] Policies =
    [
        ("random", null, (d, random) => d.Ranking[random.Next(Arms)]),
        ("greedy", null, (d, _) => d.Ranking[0]),
        ("epsilon_greedy 0.1", null, (d, random) => d.Ranking[random.NextDouble() < 0.1 ? random.Next(Arms) : 0]),
        ("thompson", null, (d, _) => d.Chosen),
        ("thompson, half_life 2000 s", TimeSpan.FromSeconds(2_000), (d, _) => d.Chosen),
    ];

    [Fact]
    public void Thompson_loses_less_than_the_others()
    {
        var file = Environment.GetEnvironmentVariable(Long);
        var (shops, decisions) = file is null ? (2, 2_000) : (200, 20_000);
        var lines = new List<string> { $"clicks lost per 1,000 decisions, {shops} shops of {decisions} decisions" };
        foreach (var moves in file is null ? new[] { false } : [false, true])
        {
            var lost = Policies.Select(p => Enumerable.Range(0, shops).Select(s => Lost(p, s, decisions, moves)).ToArray()).ToArray();
            for (var i = 0; i < Policies.Length; i++)
                lines.Add(string.Create(CultureInfo.InvariantCulture, $"{(moves ? "moving" : "steady")} | {Policies[i].Name} | "
                    + $"{1_000 * lost[i].Average():0.00} | {1_000 * Deviation(lost[i]) / Math.Sqrt(shops):0.00}"));
            var means = lost.Select(l => l.Average()).ToArray();
            var thompson = moves ? means[4] : means[3];
            Assert.True(thompson < means[0] * 0.6, string.Join('\n', lines));
            Assert.True(thompson < means[1] && thompson < means[2], string.Join('\n', lines));
            if (moves) Assert.True(means[4] < means[3], string.Join('\n', lines));
        }
        if (file is not null) File.WriteAllLines(file, lines);
    }

    /// <summary>What a policy loses per decision in one shop.</summary>
    private static double Lost((string Name, TimeSpan? HalfLife, Policy Choose) policy, int seed, int decisions, bool moves)
    {
        var truth = new Random(seed);
        var rates = Enumerable.Range(0, Arms).Select(_ => 0.02 + 0.1 * truth.NextDouble()).ToArray();
        var random = new Random(1_000 + seed);
        var offers = Enumerable.Range(0, Arms).Select(i => Shop.Offer($"offer{i}")).ToArray();
        var shop = new Shop(offers, new DecisionOptions
        {
            Exploration =
            [
                new ExplorationOptions
                {
                    Name = "home",
                    Method = ExplorationMethod.Thompson,
                    Reward = RewardKind.Click,
                    HalfLife = policy.HalfLife,
                    Seed = $"{seed}",
                },
            ],
        });
        var names = offers.Select(o => ArmNames.Of(RewardKind.Click, "home", o.Name)).ToArray();
        var beliefs = new ArmBeliefs(shop.Policy);
        var tallies = new ArmTally[Arms];
        var waiting = new Queue<(int Arm, bool Clicked, double At)>();
        var (lost, numbers) = (0.0, new double[ArmTally.Numbers]);
        for (var i = 0; i < decisions; i++)
        {
            if (moves && i == decisions / 2) truth.Shuffle(rates);
            if (waiting.Count > Delay)
            {
                var (arm, clicked, at) = waiting.Dequeue();
                tallies[arm].Add(clicked ? 1 : 0, at, policy.HalfLife?.TotalMilliseconds ?? 0);
            }
            if (i % Refresh == 0) beliefs.Take(Find);
            var request = shop.Request() with { Offset = i };
            shop.Funnel.Decide(request, shop.Context, shop.Scorer, 0, shop.Profile, shop.Policy.AllOn, shop.Result, beliefs: beliefs);
            var chosen = policy.Choose(shop.Result, random);
            waiting.Enqueue((chosen, random.NextDouble() < rates[chosen], i * Second));
            lost += rates.Max() - rates[chosen];
        }
        return lost / decisions;

        ReadOnlySpan<double> Find(string name)
        {
            tallies[Array.IndexOf(names, name)].Write(numbers);
            return numbers;
        }
    }

    private static double Deviation(double[] numbers) =>
        Math.Sqrt(numbers.Sum(n => Math.Pow(n - numbers.Average(), 2)) / Math.Max(1, numbers.Length - 1));
}
