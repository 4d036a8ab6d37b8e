namespace StreamEngine.Decisions;

/// <summary>GrowthBook's bucket ranges: which buckets belong to which variation, by weights and coverage.</summary>
public static class BucketRanges
{
    /// <summary>
    /// The ranges, each with its end outside. Each variation's range begins where its weight begins, so that a larger coverage adds
    /// customers and moves none. Weights that do not fit (another number of them, or a sum that is not near 1) are equal ones.
    /// </summary>
    /// <param name="variations">How many variations there are.</param>
    /// <param name="coverage">The share of all buckets that is used; below 0 it is 0, above 1 it is 1.</param>
    /// <param name="weights">The variations' shares; null for equal ones.</param>
    public static (double From, double To)[] Of(int variations, double coverage, IReadOnlyList<double>? weights)
    {
        coverage = Math.Clamp(coverage, 0, 1);
        if (weights is null || weights.Count != variations || weights.Sum() is < 0.99 or > 1.01)
            weights = [.. Enumerable.Repeat(1.0 / variations, variations)];
        var ranges = new (double, double)[variations];
        var start = 0.0;
        for (var i = 0; i < variations; i++)
        {
            ranges[i] = (start, start + coverage * weights[i]);
            start += weights[i];
        }
        return ranges;
    }

    /// <summary>The variation that a bucket belongs to; -1 for none.</summary>
    public static int Choose(double bucket, ReadOnlySpan<(double From, double To)> ranges)
    {
        for (var i = 0; i < ranges.Length; i++)
            if (bucket >= ranges[i].From && bucket < ranges[i].To) return i;
        return -1;
    }
}
