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

    /// <summary>
    /// Pearson's chi-square test of the counts against the weights. An arm without weight takes no part; one that has customers all the
    /// same can't come of these weights.
    /// </summary>
    /// <param name="customers">The customers of each arm.</param>
    /// <param name="weights">The arms' shares, in any unit.</param>
    /// <returns>Chi-square, and how likely it is where nothing is broken.</returns>
    public static (double ChiSquare, double PValue) Check(IReadOnlyList<long> customers, IReadOnlyList<double> weights)
    {
        var (all, whole) = ((double)customers.Sum(), weights.Sum());
        if (all == 0) return (0, 1);
        if (customers.Zip(weights).Any(arm => arm.Second <= 0 && arm.First > 0)) return (double.PositiveInfinity, 0);
        var weighted = customers.Zip(weights).Where(arm => arm.Second > 0).ToList();
        if (weighted.Count < 2) return (0, 1);
        var chi = weighted.Sum(arm => Math.Pow(arm.First - all * arm.Second / whole, 2) / (all * arm.Second / whole));
        return (chi, 1 - ChiSquared.CDF(weighted.Count - 1, chi));
    }
}
