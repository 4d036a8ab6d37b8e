namespace StreamEngine.Host.Evaluation;

/// <summary>How well scores find those whom a treatment moves, from rows some of which were treated at random.</summary>
internal static class UpliftMetrics
{
    /// <summary>
    /// The Qini area per customer: what targeting from the highest score down gains over targeting at random. The curve has for each
    /// score the share of customers at or above it, and Y(treated) - Y(control) N(treated) / N(control) of them, per customer of all
    /// (Radcliffe 2007).
    /// </summary>
    public static double Qini(IReadOnlyList<bool> labels, IReadOnlyList<double> scores, IReadOnlyList<bool> treated)
    {
        var order = Enumerable.Range(0, scores.Count).OrderByDescending(i => scores[i]).ToArray();
        var (nt, nc, yt, yc) = (0.0, 0.0, 0.0, 0.0);
        var (area, lastShare, lastGain) = (0.0, 0.0, 0.0);
        for (var at = 0; at < order.Length;)
        {
            for (var score = scores[order[at]]; at < order.Length && scores[order[at]] == score; at++)
            {
                var (row, y) = (order[at], labels[order[at]] ? 1 : 0);
                if (treated[row]) (nt, yt) = (nt + 1, yt + y);
                else (nc, yc) = (nc + 1, yc + y);
            }
            var (share, gain) = ((double)at / order.Length, (yt - (nc > 0 ? yc * nt / nc : 0)) / order.Length);
            area += (share - lastShare) * (lastGain + gain) / 2;
            (lastShare, lastGain) = (share, gain);
        }
        return area - lastGain / 2;
    }

    /// <summary>
    /// The uplift among the highest scores: the treated's rate less that of the others; NaN where one of the two is empty.
    /// </summary>
    /// <param name="labels">The outcome of each row.</param>
    /// <param name="scores">The score of each row.</param>
    /// <param name="treated">Whether a row was treated.</param>
    /// <param name="share">The share of rows that are taken; rows that tie with the last one are taken too.</param>
    public static double At(IReadOnlyList<bool> labels, IReadOnlyList<double> scores, IReadOnlyList<bool> treated, double share)
    {
        var last = Math.Clamp((int)Math.Ceiling(share * scores.Count - 1e-9), 1, scores.Count);
        var threshold = scores.OrderDescending().ElementAt(last - 1);
        return Rate(true) - Rate(false);

        double Rate(bool of)
        {
            var rows = Enumerable.Range(0, scores.Count).Where(i => scores[i] >= threshold && treated[i] == of).ToArray();
            return rows.Length == 0 ? double.NaN : rows.Count(i => labels[i]) / (double)rows.Length;
        }
    }
}
