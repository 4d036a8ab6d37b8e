using MathNet.Numerics.Distributions;
using StreamEngine.Decisions;
using Xunit;

namespace StreamEngine.Tests.Decisions.Learning;

/// <summary>Random variates against published numbers and against the distribution functions of MathNet.Numerics.</summary>
public sealed class VariatesTests
{
    private const int Draws = 20_000;

    /// <summary>The first numbers of SplitMix64 with the seed 1234567, as its reference program prints them.</summary>
    [Fact]
    public void The_bits_are_those_of_SplitMix64()
    {
        var variates = new Variates(1_234_567);
        Assert.Equal([6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821],
            Enumerable.Range(0, 5).Select(_ => variates.Next()));
    }

    [Fact]
    public void Logarithm_and_exponential_are_right_to_the_last_digits()
    {
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var x = Math.Exp(random.NextDouble() * 1_300 - 650);
            Assert.InRange(Math.Abs(PortableMath.Log(x) - Math.Log(x)), 0, 4e-16 * Math.Max(1, Math.Abs(Math.Log(x))));
            var near = 1 + (random.NextDouble() - 0.5) * 1e-3;
            Assert.InRange(Math.Abs(PortableMath.Log(near) - Math.Log(near)), 0, 1e-15 * Math.Abs(Math.Log(near)));
            var y = random.NextDouble() * 1_400 - 700;
            Assert.InRange(Math.Abs(PortableMath.Exp(y) / Math.Exp(y) - 1), 0, 3e-15 + Math.Abs(y) * 3e-16);
        }
        Assert.Equal((0, 1, 0, double.PositiveInfinity),
            (PortableMath.Log(1), PortableMath.Exp(0), PortableMath.Exp(-1_000), PortableMath.Exp(1_000)));
    }

    public static TheoryData<string> Distributions => [.. Known.Keys];

    private static readonly Dictionary<string, (Func<Variates, double[]> Draw, Func<double, double> Cdf)> Known = new()
    {
        ["uniform"] = (v => Many(ref v, static (ref Variates u) => u.Uniform()), x => x),
        ["normal"] = (v => Many(ref v, static (ref Variates u) => u.Normal()), x => Normal.CDF(0, 1, x)),
        // Of smaller shapes MathNet's function is 0 where much of the distribution is, below 1e-15.
        ["gamma 0.3"] = (v => Many(ref v, static (ref Variates u) => u.Gamma(0.3)), x => Gamma.CDF(0.3, 1, x)),
        ["gamma 1"] = (v => Many(ref v, static (ref Variates u) => u.Gamma(1)), x => Gamma.CDF(1, 1, x)),
        ["gamma 3.7"] = (v => Many(ref v, static (ref Variates u) => u.Gamma(3.7)), x => Gamma.CDF(3.7, 1, x)),
        ["gamma 2500"] = (v => Many(ref v, static (ref Variates u) => u.Gamma(2_500)), x => Gamma.CDF(2_500, 1, x)),
        ["beta 1 1"] = (v => Many(ref v, static (ref Variates u) => u.Beta(1, 1)), x => Beta.CDF(1, 1, x)),
        ["beta 0.2 19.8"] = (v => Many(ref v, static (ref Variates u) => u.Beta(0.2, 19.8)), x => Beta.CDF(0.2, 19.8, x)),
        ["beta 3 97"] = (v => Many(ref v, static (ref Variates u) => u.Beta(3, 97)), x => Beta.CDF(3, 97, x)),
        ["beta 500 9500"] = (v => Many(ref v, static (ref Variates u) => u.Beta(500, 9_500)), x => Beta.CDF(500, 9_500, x)),
        ["t 2"] = (v => Many(ref v, static (ref Variates u) => u.StudentT(2)), x => StudentT.CDF(0, 1, 2, x)),
        ["t 30"] = (v => Many(ref v, static (ref Variates u) => u.StudentT(30)), x => StudentT.CDF(0, 1, 30, x)),
    };

    /// <summary>
    /// The Kolmogorov-Smirnov distance of 20,000 draws; of a right generator it passes the bound with one key in a thousand, and these keys
    /// are fixed.
    /// </summary>
    [Theory]
    [MemberData(nameof(Distributions))]
    public void Draws_are_of_their_distribution(string name)
    {
        var (draw, cdf) = Known[name];
        var draws = draw(new Variates(20_261_130)).Order().ToArray();
        var distance = 0.0;
        for (var i = 0; i < Draws; i++)
        {
            var p = cdf(draws[i]);
            distance = Math.Max(distance, Math.Max(p - (double)i / Draws, (i + 1.0) / Draws - p));
        }
        Assert.InRange(distance * Math.Sqrt(Draws), 0, 1.95);
    }

    [Fact]
    public void Shapes_at_their_ends_are_certain_or_a_coin()
    {
        var variates = new Variates(3);
        Assert.Equal((0.0, 1.0), (variates.Beta(0, 5), variates.Beta(5, 0)));
        var ones = 0;
        for (var i = 0; i < 1_000; i++)
        {
            var x = variates.Beta(0.0002, 0.0006);
            Assert.InRange(x, 0, 1);
            if (x > 0.5) ones++;
        }
        Assert.InRange(ones, 190, 310); // a quarter, by six standard deviations
    }

    private delegate double One(ref Variates variates);

    private static double[] Many(ref Variates variates, One one)
    {
        var all = new double[Draws];
        for (var i = 0; i < Draws; i++) all[i] = one(ref variates);
        return all;
    }
}
