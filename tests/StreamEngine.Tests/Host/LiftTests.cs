using StreamEngine.Host.Evaluation;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>The statistics of experiments, against the figures that GrowthBook publishes with its own (gbstats' tests).</summary>
public sealed class LiftTests
{
    private static readonly ArmSums Control = new() { Count = 3_407, Sum = 1396.87, Squares = 52377.9767 };
    private static readonly ArmSums Arm = new() { Count = 3_461, Sum = 2422.7, Squares = 134698.29 };
    private static readonly ArmSums Smaller = Control with { Count = 3_000 };

    [Fact]
    public void A_fixed_interval_is_that_of_Welchs_test()
    {
        Same((0.70732, 0.37879, -0.03526, 1.44989, 0.06191), Lift.Fixed(Control, Arm));
        Same((0.29, 0.12478, 0.04538, 0.53462, 0.02016), Lift.Fixed(Control, Arm, isRelative: false));
        Same((0.06667, 0.2717, -0.47767, 0.61101, 0.80707), Lift.Fixed(ArmSums.Share(28, 14), ArmSums.Share(30, 16)));
    }

    [Fact]
    public void A_sequential_interval_is_wider_and_the_published_one()
    {
        Same((0.50336, 0.33341, -0.55844, 1.56516, 1), Lift.Sequential(Smaller, Arm, tuning: 1_000));
        Same((0.50386, 0.03386, 0.40098, 0.60675, 0), Lift.Sequential(ArmSums.Share(3_000, 1_396), ArmSums.Share(3_461, 2_422)));
    }

    [Fact]
    public void CUPED_takes_out_what_the_time_before_explains()
    {
        var control = Smaller with { Before = 16.87, BeforeSquares = 527.9767, Products = 12_525 };
        var arm = Arm with { Before = 22.7, BeforeSquares = 1348.29, Products = 3_333 };
        Same((0.50236, 0.3093, -0.43745, 1.44217, 1), Lift.Sequential(control, arm, theta: 0.5));

        // The best coefficient leaves no larger variance than any other.
        var theta = Lift.Theta(control, arm);
        var least = Lift.Fixed(control, arm, isRelative: false, theta: theta).StandardError;
        foreach (var other in new[] { 0, theta / 2, theta * 1.5 })
            Assert.True(Lift.Fixed(control, arm, isRelative: false, theta: other).StandardError > least * 0.999, $"theta {other}");
    }

    [Fact]
    public void The_p_value_says_alpha_where_the_interval_ends_at_zero()
    {
        var wide = Lift.Sequential(Smaller, Arm, alpha: 0.05);
        var half = (wide.High - wide.Low) / 2;
        // An arm whose mean is moved so that the difference is just the half width.
        var sum = (Smaller.Mean + half * Smaller.Mean) * Arm.Count;
        var moved = Lift.Sequential(Smaller, Arm with { Sum = sum }, alpha: 0.05, isRelative: false);
        Assert.Equal(moved.Low > 0, moved.PValue < 0.05);
        Assert.Equal(wide.IsSignificant, wide.PValue < 0.05);
    }

    [Fact]
    public void Experiments_without_an_effect_find_one_no_more_often_than_stated()
    {
        // A/A: 2,000 experiments of which both arms are drawn alike; a fixed test may find 5 percent, a sequential one that is looked at
        // ten times may find 5 percent in all.
        var random = new Random(11);
        var (found, everFound) = (0, 0);
        for (var experiment = 0; experiment < 2_000; experiment++)
        {
            var (a, b, looked) = (0L, 0L, false);
            for (var look = 1; look <= 10; look++)
            {
                for (var i = 0; i < 200; i++)
                {
                    a += random.NextDouble() < 0.3 ? 1 : 0;
                    b += random.NextDouble() < 0.3 ? 1 : 0;
                }
                looked |= Lift.Sequential(ArmSums.Share(200 * look, a), ArmSums.Share(200 * look, b), tuning: 2_000).IsSignificant;
            }
            if (Lift.Fixed(ArmSums.Share(2_000, a), ArmSums.Share(2_000, b)).IsSignificant) found++;
            if (looked) everFound++;
        }
        Assert.InRange(found, 65, 135); // 100 expected, three and a half standard deviations to each side
        Assert.InRange(everFound, 0, 135);
    }

    [Fact]
    public void A_sample_ratio_mismatch_is_found()
    {
        // scipy.stats.chisquare([4900, 5100]) and chisquare([500, 300, 230], [515, 309, 206])
        var (chi, p) = SampleRatio.Check([4_900, 5_100], [0.5, 0.5]);
        Assert.Equal((4.0, 0.04550), (Math.Round(chi, 5), Math.Round(p, 5)));
        (chi, p) = SampleRatio.Check([500, 300, 230], [0.5, 0.3, 0.2]);
        Assert.Equal((3.49515, 0.17420), (Math.Round(chi, 5), Math.Round(p, 5)));
        Assert.True(SampleRatio.Check([50_000, 51_500], [1, 1]).PValue < SampleRatio.Alarm);
        Assert.Equal((0, 1), SampleRatio.Check([0, 0], [1, 1]));
    }

    [Fact]
    public void An_arm_without_weight_takes_no_part_in_the_sample_ratio()
    {
        Assert.Equal(SampleRatio.Check([4_900, 5_100], [1, 1]), SampleRatio.Check([4_900, 0, 5_100], [1, 0, 1]));
        Assert.Equal((0, 1), SampleRatio.Check([100, 0], [1, 0]));
        Assert.Equal(0, SampleRatio.Check([4_900, 1, 5_100], [1, 0, 1]).PValue);
    }

    [Fact]
    public void Of_two_means_below_zero_the_greater_one_is_more()
    {
        var bad = new ArmSums { Count = 100, Sum = -1_000, Squares = 20_000 };
        var good = new ArmSums { Count = 100, Sum = 500, Squares = 12_000 };
        var lift = Lift.Fixed(bad, good);
        Assert.Equal(1.5, lift.Estimate, 12);
        Assert.True(lift.Low > 0 && lift.IsSignificant);
        Assert.True(Lift.Sequential(bad, good).Estimate > 0);
    }

    private static void Same((double Estimate, double Error, double Low, double High, double P) expected, Lift actual) =>
        Assert.Equal(expected, (Round(actual.Estimate), Round(actual.StandardError), Round(actual.Low), Round(actual.High),
            Round(actual.PValue)));

    private static double Round(double value) => Math.Round(value, 5);
}
