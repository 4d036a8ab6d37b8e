using MathNet.Numerics.Distributions;

namespace StreamEngine.Host.Evaluation.OffPolicy;

/// <summary>A logged decision, as far as estimators need it.</summary>
/// <param name="Customer">Whose it is: decisions of one customer are not independent of each other.</param>
/// <param name="Logged">The probability with which the logged offer was chosen.</param>
/// <param name="Target">The probability with which the evaluated policy chooses the same offer.</param>
/// <param name="Reward">What came of it.</param>
/// <param name="Model">What the reward model says of the logged offer.</param>
/// <param name="Expected">The same of the evaluated policy's choice: the sum over candidates of its probability times the model.</param>
internal readonly record struct Sample(string Customer, double Logged, double Target, double Reward, double Model, double Expected)
{
    /// <summary>The importance weight.</summary>
    public double Weight => Target / Logged;
}

/// <summary>An estimate of the reward per decision, with its interval.</summary>
internal sealed record Estimate(string Name, double Value, double Error, double Low, double High);

/// <summary>
/// Estimators of what another policy would have earned per decision. IPS: mean of w r (Horvitz and Thompson 1952). Clipped IPS: mean of
/// min(w, limit) r (Ionides 2008). SNIPS: sum of w r / sum of w (Swaminathan and Joachims 2015). DM: mean of the model's expectation. DR:
/// mean of the expectation + w (r - model) (Dudik, Langford and Li 2011). Intervals are normal, by each estimator's influence function,
/// which for SNIPS is the delta method (Owen, Monte Carlo theory, methods and examples, chapter 9), summed up by customer first.
/// </summary>
internal static class Estimators
{
    /// <summary>All estimates, the logged policy's own mean first.</summary>
    /// <param name="samples">The decisions; one or more.</param>
    /// <param name="clip">The largest weight of clipped IPS.</param>
    /// <param name="alpha">How often an interval may miss.</param>
    public static IReadOnlyList<Estimate> All(IReadOnlyList<Sample> samples, double clip, double alpha)
    {
        var weights = samples.Sum(s => s.Weight) / samples.Count;
        var ratio = weights > 0 ? samples.Sum(s => s.Weight * s.Reward) / samples.Count / weights : double.NaN;
        return
        [
            Mean("logged", s => s.Reward),
            Mean("ips", s => s.Weight * s.Reward),
            Mean("clipped_ips", s => Math.Min(s.Weight, clip) * s.Reward),
            Of("snips", ratio, s => s.Weight * (s.Reward - ratio) / weights),
            Mean("dm", s => s.Expected),
            Mean("dr", s => s.Expected + s.Weight * (s.Reward - s.Model)),
            Mean("mean_weight", s => s.Weight),
        ];

        Estimate Mean(string name, Func<Sample, double> term)
        {
            var mean = samples.Sum(term) / samples.Count;
            return Of(name, mean, s => term(s) - mean);
        }

        Estimate Of(string name, double value, Func<Sample, double> influence)
        {
            var sums = new Dictionary<string, double>();
            foreach (var s in samples) sums[s.Customer] = sums.GetValueOrDefault(s.Customer) + influence(s);
            double count = sums.Count;
            var error = count < 2 ? double.NaN
                : Math.Sqrt(sums.Values.Sum(x => x * x) * count / (count - 1)) / samples.Count;
            var half = Normal.InvCDF(0, 1, 1 - alpha / 2) * error;
            return new Estimate(name, value, error, value - half, value + half);
        }
    }

    /// <summary>
    /// As how many decisions of the evaluated policy the logged ones count: (sum of w) squared / sum of w squared (Kong 1992).
    /// </summary>
    public static double EffectiveSize(IReadOnlyList<Sample> samples)
    {
        var (sum, squares) = (samples.Sum(s => s.Weight), samples.Sum(s => s.Weight * s.Weight));
        return squares > 0 ? sum * sum / squares : 0;
    }
}
