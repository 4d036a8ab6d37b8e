namespace StreamEngine.Decisions;

/// <summary>Scores of models as propensities.</summary>
public static class Propensities
{
    /// <summary>By how much a sum of floats, such as a forest's votes, may miss 0 or 1 and still be meant as it.</summary>
    private const float Rounding = 1e-4f;

    /// <summary>Whether a score is a propensity: from 0 to 1, or outside by what rounding adds.</summary>
    public static bool IsOne(float score) => score is > -Rounding and < 1 + Rounding;

    /// <summary>The propensity that a score is.</summary>
    public static double Of(float score) => score is >= 0 and <= 1 ? score : score < 0.5f ? 0 : 1;
}
