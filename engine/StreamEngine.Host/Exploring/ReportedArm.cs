using MathNet.Numerics.Distributions;
using StreamEngine.Decisions;

namespace StreamEngine.Host.Exploring;

/// <summary>An arm with the interval in which its mean reward lies with 95 %, by what is believed.</summary>
/// <param name="Arm">The arm.</param>
/// <param name="Low">The interval's lower end.</param>
/// <param name="High">Its upper end.</param>
internal sealed record ReportedArm(ArmSummary Arm, double Low, double High)
{
    private const double Tail = 0.025;

    /// <summary>Adds the interval.</summary>
    public static ReportedArm Of(ArmSummary arm) => new(arm, Quantile(arm, Tail), Quantile(arm, 1 - Tail));

    private static double Quantile(ArmSummary arm, double p) => arm switch
    {
        { Value: var (freedom, scale) } => StudentT.InvCDF(arm.PosteriorMean, scale, freedom, p),
        { Rate: ( <= 0, _) } => 0,
        { Rate: (_, <= 0) } => 1,
        { Rate: var (alpha, beta) } => Beta.InvCDF(alpha, beta, p),
        _ => double.NaN,
    };
}
