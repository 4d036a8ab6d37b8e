namespace StreamEngine.Host.Evaluation;

/// <summary>Rows of about the same score: a place of the reliability table, or of the lift table.</summary>
/// <param name="Count">How many rows.</param>
/// <param name="Score">Their mean score.</param>
/// <param name="Rate">The share of them whose label is 1.</param>
internal sealed record ScoreBin(int Count, double Score, double Rate);

/// <summary>How good scores are, against the labels that came true.</summary>
/// <param name="Rows">How many rows.</param>
/// <param name="Positives">How many of their labels are 1.</param>
/// <param name="RocAuc">The chance that a row of label 1 has the higher score of two; a tie counts half.</param>
/// <param name="PrAuc">Average precision: the precision at each threshold, weighted by the recall that it adds.</param>
/// <param name="LogLoss">The mean logarithmic loss; NaN where a score is no probability.</param>
/// <param name="Brier">The mean squared difference of score and label; NaN where a score is no probability.</param>
/// <param name="Ece">Expected calibration error over bins of equal mass; NaN where a score is no probability.</param>
/// <param name="Bins">Bins of equal mass, the lowest scores first: the reliability table.</param>
internal sealed record ModelMetrics(int Rows, int Positives, double RocAuc, double PrAuc, double LogLoss, double Brier, double Ece,
    IReadOnlyList<ScoreBin> Bins)
{
    /// <summary>The smallest probability that a logarithm is taken of: a score of 0 for a label of 1 is bad, but not without end.</summary>
    private const double Least = 2.220446049250313e-16;

    /// <summary>The share of all labels that are 1.</summary>
    public double BaseRate => (double)Positives / Rows;

    /// <summary>Computes all of them.</summary>
    /// <param name="labels">0 or 1 for each row.</param>
    /// <param name="scores">The score of each row.</param>
    /// <param name="bins">How many bins of equal mass; ties stay in one bin, so there may be fewer.</param>
    public static ModelMetrics Of(IReadOnlyList<bool> labels, IReadOnlyList<double> scores, int bins)
    {
        var order = Enumerable.Range(0, scores.Count).OrderBy(i => scores[i]).ToArray();
        var (rocAuc, prAuc) = Areas(labels, scores, order);
        var table = EqualMass(scores, order, bins).Select(b => Bin(labels, scores, order.AsSpan(b))).ToArray();
        var isProbability = scores.All(s => s is >= 0 and <= 1);
        return new ModelMetrics(scores.Count, labels.Count(l => l), rocAuc, prAuc,
            isProbability ? Mean(scores.Count, i => -Math.Log(Math.Clamp(labels[i] ? scores[i] : 1 - scores[i], Least, 1 - Least)))
                : double.NaN,
            isProbability ? Mean(scores.Count, i => (scores[i] - (labels[i] ? 1 : 0)) * (scores[i] - (labels[i] ? 1 : 0))) : double.NaN,
            isProbability ? table.Sum(b => (double)b.Count / scores.Count * Math.Abs(b.Rate - b.Score)) : double.NaN, table);
    }

    /// <summary>
    /// Ranges of places in ascending order, as nearly equal as ties allow: rows of one score stay together, so that the result does not
    /// depend on the order in which they stand in a file.
    /// </summary>
    private static IEnumerable<Range> EqualMass(IReadOnlyList<double> scores, int[] order, int bins)
    {
        var start = 0;
        for (var bin = 1L; bin <= bins; bin++)
        {
            var end = (int)(bin * order.Length / bins);
            while (end > 0 && end < order.Length && scores[order[end]] == scores[order[end - 1]]) end++;
            if (end <= start) continue;
            yield return start..end;
            start = end;
        }
    }

    private static ScoreBin Bin(IReadOnlyList<bool> labels, IReadOnlyList<double> scores, ReadOnlySpan<int> rows)
    {
        var (sum, ones) = (0.0, 0);
        foreach (var row in rows)
        {
            sum += scores[row];
            ones += labels[row] ? 1 : 0;
        }
        return new ScoreBin(rows.Length, sum / rows.Length, (double)ones / rows.Length);
    }

    /// <summary>Both areas in one pass from the highest score down, a threshold at each score that occurs.</summary>
    private static (double Roc, double Pr) Areas(IReadOnlyList<bool> labels, IReadOnlyList<double> scores, int[] order)
    {
        var (positives, negatives) = ((double)labels.Count(l => l), (double)labels.Count(l => !l));
        var (truePositives, falsePositives, roc, pr) = (0.0, 0.0, 0.0, 0.0);
        for (var at = order.Length - 1; at >= 0;)
        {
            var (score, ones, zeros) = (scores[order[at]], 0, 0);
            for (; at >= 0 && scores[order[at]] == score; at--)
                if (labels[order[at]]) ones++;
                else zeros++;
            roc += zeros * (truePositives + ones / 2.0);
            truePositives += ones;
            falsePositives += zeros;
            pr += ones / positives * (truePositives / (truePositives + falsePositives));
        }
        return (roc / (positives * negatives), pr);
    }

    private static double Mean(int count, Func<int, double> of) => Enumerable.Range(0, count).Sum(of) / count;
}
