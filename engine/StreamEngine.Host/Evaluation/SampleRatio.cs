using MathNet.Numerics.Distributions;

namespace StreamEngine.Host.Evaluation;

/// <summary>
/// The check for a sample ratio mismatch: whether the customers of the arms are as many as the weights say. Where they are not, something
/// in the assignment or in the counting is broken, and no lift of that experiment means anything.
/// </summary>
internal static class SampleRatio
{
    /// <summary>Below that p-value an experiment is not to be believed.</summary>
    public const double Alarm = 0.001;

    /// <summary>Pearson's chi-square test of the counts against the weights.</summary>
    /// <param name="customers">The customers of each arm.</param>
    /// <param name="weights">The arms' shares, in any unit.</param>
    /// <returns>Chi-square, and how likely it is where nothing is broken.</returns>
    public static (double ChiSquare, double PValue) Check(IReadOnlyList<long> customers, IReadOnlyList<double> weights)
    {
        var (all, whole) = ((double)customers.Sum(), weights.Sum());
        if (all == 0) return (0, 1);
        var chi = customers.Zip(weights, (n, weight) => (n - all * weight / whole) * (n - all * weight / whole) / (all * weight / whole))
            .Sum();
        return (chi, 1 - ChiSquared.CDF(customers.Count - 1, chi));
    }
}
