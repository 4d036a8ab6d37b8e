using StreamEngine.Decisions;
using Xunit;

namespace StreamEngine.Tests.Decisions.Learning;

/// <summary>What is believed of arms against closed forms, and how their tallies forget and add up.</summary>
public sealed class ArmPosteriorTests
{
    private const double Day = 86_400_000;

    [Fact]
    public void A_rate_has_the_beta_distribution_of_prior_and_counts()
    {
        var rule = Rates(mean: 0.5, weight: 2);
        var posterior = ArmPosterior.Of(rule, 0.5, Tally(10, 3));
        Assert.Equal((true, 4.0, 8.0, 1.0 / 3), (posterior.IsBeta, posterior.A, posterior.B, posterior.Mean));
        Assert.Equal((1.0, 1.0, 0.5), Shapes(ArmPosterior.Of(rule, 0.5, default)));
        // The offer's own propensity with the weight of 20 decisions.
        Assert.Equal((20 * 0.05 + 3, 20 * 0.95 + 7, 4.0 / 30), Shapes(ArmPosterior.Of(Rates(null, 20), 0.05, Tally(10, 3))));

        static (double, double, double) Shapes(ArmPosterior p) => (p.A, p.B, p.Mean);
    }

    /// <summary>
    /// The normal-inverse-gamma posterior as a textbook has it (Murphy 2007, equations 85 to 89), written with its own four parameters.
    /// </summary>
    [Fact]
    public void A_value_has_the_t_distribution_of_the_normal_inverse_gamma_posterior()
    {
        double[] values = [0, 0, 12.5, 0, 30, -5, 0, 8.25];
        var (m0, k0, deviation) = (2.0, 4.0, 15.0);
        var (a0, b0) = (k0 / 2, k0 * deviation * deviation / 2);
        double n = values.Length, average = values.Average();
        var kn = k0 + n;
        var an = a0 + n / 2;
        var bn = b0 + 0.5 * values.Sum(v => (v - average) * (v - average)) + k0 * n * (average - m0) * (average - m0) / (2 * kn);
        var posterior = ArmPosterior.Of(Values(m0, k0, deviation), m0, Tally(n, values.Sum(), values.Sum(v => v * v)));
        Assert.Equal((false, 2 * an), (posterior.IsBeta, posterior.A));
        Assert.Equal((k0 * m0 + n * average) / kn, posterior.Mean, 1e-12);
        Assert.Equal(Math.Sqrt(bn / (an * kn)), posterior.Scale, 1e-12);
        Assert.Equal(deviation / 2, ArmPosterior.Of(Values(m0, k0, deviation), m0, default).Scale, 1e-12);
    }

    /// <summary>
    /// With a flat prior and much data, the 95 % interval of values is that of Student's t test: the mean, and 1.96 standard errors.
    /// </summary>
    [Fact]
    public void With_much_data_the_prior_does_not_matter()
    {
        var random = new Random(4);
        var values = Enumerable.Range(0, 20_000).Select(_ => random.NextDouble() < 0.1 ? random.NextDouble() * 50 : 0).ToArray();
        var posterior = ArmPosterior.Of(Values(null, 2, 10), 5, Tally(values.Length, values.Sum(), values.Sum(v => v * v)));
        var average = values.Average();
        var error = Math.Sqrt(values.Sum(v => (v - average) * (v - average)) / values.Length / values.Length);
        Assert.Equal(average, posterior.Mean, 0.001);
        Assert.Equal(1, posterior.Scale / error, 0.001);
    }

    [Fact]
    public void A_tally_halves_with_each_half_life()
    {
        var tally = default(ArmTally);
        tally.Add(1, 100 * Day, 7 * Day);
        tally.Add(0, 100 * Day, 7 * Day);
        Assert.Equal((1.0, 0.5), Near(tally.Forget(107 * Day)));
        Assert.Equal((0.25, 0.125), Near(tally.Forget(121 * Day)));
        Assert.Equal(tally, tally.Forget(99 * Day));
        tally.Add(1, 107 * Day, 7 * Day);
        Assert.Equal((2.0, 1.5), Near(tally));
        tally.Add(1, 100 * Day, 7 * Day); // late, and worth as much as if it had come in time
        Assert.Equal((2.5, 2.0), Near(tally));
        Assert.Equal(107 * Day, tally.AsOf);
        var forGood = default(ArmTally);
        forGood.Add(1, Day, 0);
        Assert.Equal((1.0, 1.0), Near(forGood.Forget(1_000 * Day)));

        static (double, double) Near(ArmTally t) => (Math.Round(t.Trials, 12), Math.Round(t.Sum, 12));
    }

    /// <summary>However rewards are dealt to shards, and in whatever order they come, the merged tally is that of all of them.</summary>
    [Fact]
    public void Shards_add_up_to_the_tally_of_all_in_any_order()
    {
        var random = new Random(2);
        for (var round = 0; round < 200; round++)
        {
            var halfLife = round % 3 == 0 ? 0 : Day;
            var rewards = Enumerable.Range(0, 40).Select(_ => (Reward: random.NextDouble() * 20 - 2, At: random.NextDouble() * 30 * Day,
                Shard: random.Next(4))).ToArray();
            var newest = rewards.Max(r => r.At);
            double Weight(double at) => halfLife == 0 ? 1 : Math.Pow(2, -(newest - at) / halfLife);
            var shards = new ArmTally[4];
            foreach (var (reward, at, shard) in rewards) shards[shard].Add(reward, at, halfLife);
            random.Shuffle(shards);
            var all = default(ArmTally);
            foreach (var shard in shards) all.Merge(shard);
            Assert.Equal(newest, all.AsOf);
            Assert.Equal(rewards.Sum(r => Weight(r.At)), all.Trials, 1e-9);
            Assert.Equal(rewards.Sum(r => Weight(r.At) * r.Reward), all.Sum, 1e-9);
            Assert.Equal(rewards.Sum(r => Weight(r.At) * r.Reward * r.Reward), all.Squares, 1e-8);
            var numbers = new double[ArmTally.Numbers];
            all.Write(numbers);
            Assert.Equal(all, ArmTally.Read(numbers));
        }
        Assert.Equal(default, ArmTally.Read([]));
    }

    /// <summary>Of two half-lives, while a config changes from node to node, the one of the newer rewards holds.</summary>
    [Fact]
    public void Another_half_life_takes_over()
    {
        var (old, young) = (default(ArmTally), default(ArmTally));
        old.Add(1, 0, Day);
        young.Add(1, Day, 2 * Day);
        old.Merge(young);
        Assert.Equal((2 * Day, Day, Math.Round(1 + Math.Sqrt(0.5), 12)), (old.HalfLife, old.AsOf, Math.Round(old.Trials, 12)));
    }

    internal static ThompsonRule Rates(double? mean, double weight) => new(RewardKind.Click, mean, weight, 0, 0, 0);

    internal static ThompsonRule Values(double? mean, double weight, double deviation) =>
        new(RewardKind.Value, mean, weight, deviation, 0, 0);

    private static ArmTally Tally(double trials, double sum, double? squares = null) =>
        new() { Trials = trials, Sum = sum, Squares = squares ?? sum, AsOf = 1 };
}
