namespace StreamEngine.Decisions;

/// <summary>What arbitration orders candidates by.</summary>
public static class Priority
{
    /// <summary>
    /// P x C x V x L in double precision, multiplied from left to right: another order may differ in the last digit.
    /// </summary>
    public static double Of(double propensity, double context, double value, double levers) => propensity * context * value * levers;
}
