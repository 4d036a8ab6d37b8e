using MathNet.Numerics.Distributions;

namespace StreamEngine.Host.Evaluation;

/// <summary>By how much an arm of an experiment differs from the control.</summary>
/// <param name="Estimate">
/// The difference of the means; relative to the size of the control's mean where it was asked for so, so that it is above 0 where the arm's
/// mean is the greater one, also where both are below 0 (refunds).
/// </param>
/// <param name="StandardError">Its standard error.</param>
/// <param name="Low">Where the interval begins.</param>
/// <param name="High">Where the interval ends.</param>
/// <param name="PValue">How likely a difference of that size is where there is none.</param>
internal sealed record Lift(double Estimate, double StandardError, double Low, double High, double PValue)
{
    /// <summary>For how many customers a sequential interval is made as narrow as it gets, where nothing else is said.</summary>
    public const double UsualTuning = 5_000;

    /// <summary>
    /// Whether the interval is on one side of 0. Where it is not, nothing was found, which does not mean that there is no difference.
    /// </summary>
    public bool IsSignificant => Low > 0 || High < 0;

    /// <summary>
    /// Welch's t-test with its interval: right where the number of customers was fixed before, and looked at once.
    /// </summary>
    /// <param name="control">The control.</param>
    /// <param name="arm">The arm that is compared with it.</param>
    /// <param name="alpha">How often a difference may be found where there is none.</param>
    /// <param name="isRelative">Whether the difference is told as a part of the control's mean (delta method).</param>
    /// <param name="theta">CUPED's coefficient (<see cref="Theta"/>); 0 for no reduction.</param>
    public static Lift Fixed(ArmSums control, ArmSums arm, double alpha = 0.05, bool isRelative = true, double theta = 0)
    {
        var (estimate, error) = Difference(control, arm, isRelative, theta);
        var (a, b) = (Variance(control, theta) / control.Count, Variance(arm, theta) / arm.Count);
        var freedom = (a + b) * (a + b) / (a * a / (control.Count - 1) + b * b / (arm.Count - 1));
        var half = StudentT.InvCDF(0, 1, freedom, 1 - alpha / 2) * error;
        return new Lift(estimate, error, estimate - half, estimate + half,
            2 * StudentT.CDF(0, 1, freedom, -Math.Abs(estimate) / error));
    }

    /// <summary>
    /// An interval that holds however often it is looked at, and whenever the experiment is stopped: the asymptotic confidence sequence of
    /// Waudby-Smith and others (2023), equation 9. It is wider than the fixed one.
    /// </summary>
    /// <param name="control">The control.</param>
    /// <param name="arm">The arm that is compared with it.</param>
    /// <param name="alpha">How often a difference may be found where there is none.</param>
    /// <param name="isRelative">Whether the difference is told as a part of the control's mean.</param>
    /// <param name="theta">CUPED's coefficient; 0 for no reduction.</param>
    /// <param name="tuning">The number of customers for which the interval is made narrow.</param>
    public static Lift Sequential(ArmSums control, ArmSums arm, double alpha = 0.05, bool isRelative = true, double theta = 0,
        double tuning = UsualTuning)
    {
        var (estimate, error) = Difference(control, arm, isRelative, theta);
        double count = control.Count + arm.Count;
        var mixing = count * (-2 * Math.Log(alpha) + Math.Log(-2 * Math.Log(alpha) + 1)) / tuning; // n times rho squared
        var half = error * Math.Sqrt(2 * (mixing + 1) / mixing * Math.Log(Math.Sqrt(mixing + 1) / alpha));
        // The p-value is the alpha at which the interval ends just at 0, with the mixing left as it is.
        var p = Math.Sqrt(mixing + 1) * Math.Exp(-estimate * estimate / (error * error) * mixing / (2 * (mixing + 1)));
        return new Lift(estimate, error, estimate - half, estimate + half, Math.Min(1, p));
    }

    /// <summary>
    /// CUPED's coefficient over both arms: how much of the outcome the measure from before explains; 0 where it explains nothing.
    /// </summary>
    public static double Theta(ArmSums control, ArmSums arm)
    {
        var before = control.VarianceBefore * (control.Count - 1) + arm.VarianceBefore * (arm.Count - 1);
        return before > 0 ? (control.Covariance * (control.Count - 1) + arm.Covariance * (arm.Count - 1)) / before : 0;
    }

    private static (double Estimate, double Error) Difference(ArmSums control, ArmSums arm, bool isRelative, double theta)
    {
        var difference = arm.Mean - theta * arm.MeanBefore - (control.Mean - theta * control.MeanBefore);
        var (a, b) = (Variance(control, theta) / control.Count, Variance(arm, theta) / arm.Count);
        if (!isRelative) return (difference, Math.Sqrt(a + b));
        var ratio = arm.Mean / control.Mean;
        return (difference / Math.Abs(control.Mean), Math.Sqrt(b + a * ratio * ratio) / Math.Abs(control.Mean));
    }

    private static double Variance(ArmSums arm, double theta) => theta == 0 ? arm.Variance
        : arm.Variance + theta * theta * arm.VarianceBefore - 2 * theta * arm.Covariance;
}
