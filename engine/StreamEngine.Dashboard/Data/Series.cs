using StreamEngine.Runtime;

namespace StreamEngine.Dashboard.Data;

/// <summary>Makes lines and sums from samples.</summary>
internal static class Series
{
    /// <summary>The most points of a line: more would be closer than a screen's dots.</summary>
    public const int MostPoints = 150;

    /// <summary>How fast a counter grew, a second, between one sample and the next.</summary>
    public static Line Rate(string name, IReadOnlyList<Sample> samples, Func<ShardCounters, long> counter) =>
        RateOf(name, samples, s => counter(s.Totals));

    /// <summary>How fast a number that only grows grew, a second, between one sample and the next.</summary>
    public static Line RateOf(string name, IReadOnlyList<Sample> samples, Func<Sample, long> number)
    {
        var points = new List<Moment>();
        var step = Step(samples.Count);
        for (var i = step; i < samples.Count; i += step)
        {
            var seconds = (samples[i].At - samples[i - step].At).TotalSeconds;
            if (seconds > 0)
                points.Add(new Moment(samples[i].At.UtcDateTime,
                    (number(samples[i]) - number(samples[i - step])) / seconds));
        }
        return new Line(name, points);
    }

    /// <summary>A value over time; moments without one are left out.</summary>
    public static Line Of(string name, IReadOnlyList<Sample> samples, Func<Sample, double?> value)
    {
        var points = new List<Moment>();
        var step = Step(samples.Count);
        for (var i = 0; i < samples.Count; i += step)
            if (value(samples[i]) is { } v && double.IsFinite(v)) points.Add(new Moment(samples[i].At.UtcDateTime, v));
        return new Line(name, points);
    }

    /// <summary>How fast a counter grew over the last samples, a second; 0 where there are too few.</summary>
    public static double Now(IReadOnlyList<Sample> samples, Func<ShardCounters, long> counter, int over = 5) =>
        NowOf(samples, s => counter(s.Totals), over);

    /// <summary>How fast a number that only grows grew over the last samples, a second; 0 where there are too few.</summary>
    public static double NowOf(IReadOnlyList<Sample> samples, Func<Sample, long> number, int over = 5)
    {
        if (samples.Count < 2) return 0;
        var (from, to) = (samples[Math.Max(0, samples.Count - 1 - over)], samples[^1]);
        var seconds = (to.At - from.At).TotalSeconds;
        return seconds <= 0 ? 0 : (number(to) - number(from)) / seconds;
    }

    /// <summary>How much each of several counters grew between the first and the last sample, the most first; without those at 0 and
    /// what an enum has for none.</summary>
    public static IReadOnlyList<Growth> Grown(IReadOnlyList<Sample> samples, IReadOnlyList<string> names,
        Func<ShardCounters, long[]> counts)
    {
        if (samples.Count == 0) return [];
        var (from, to) = (counts(samples[0].Totals), counts(samples[^1].Totals));
        var grown = names.Select((name, i) => new Growth(name, i < to.Length ? to[i] - from[i] : 0, i < to.Length ? to[i] : 0))
            .Where(g => g is { Count: > 0, Name: not "none" }).OrderByDescending(g => g.Count).ToList();
        var all = grown.Sum(g => g.Count);
        return [.. grown.Select(g => g with { Share = (double)g.Count / all })];
    }

    private static int Step(int samples) => Math.Max(1, (samples + MostPoints - 1) / MostPoints);
}

/// <summary>How much a counter grew.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Count">By how much.</param>
/// <param name="Total">To how much, since the start.</param>
/// <param name="Share">Its share of what all grew by.</param>
public sealed record Growth(string Name, long Count, long Total, double Share = 0);
