namespace StreamEngine.SystemTests.Oracle;

/// <summary>The formula of the job's models (perf/job/make_model.py), in double.</summary>
internal static class Logistic
{
    /// <summary>p of offer k: 1 / (1 + exp(-z)), z = b_k + sum of w_ki log1p(max(f_i, 0)).</summary>
    public static double P(int variant, int offer, Vector features)
    {
        var z = -2 - 0.1 * offer;
        for (var i = 0; i < features.Values.Length; i++)
        {
            var weight = (((12 * offer + i) * 37 + 11 * variant) % 101 - 50) / 200.0;
            z += weight * Math.Log(1 + Math.Max(features.Values[i], 0));
        }
        return 1 / (1 + Math.Exp(-z));
    }
}
