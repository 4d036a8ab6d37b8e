using System.Text;
using StreamEngine.Features;

namespace StreamEngine.Tests.Features;

/// <summary>
/// The oracle: keeps all events and computes every feature from the definitions in engine/docs/features.md, with nothing of the engine's
/// code.
/// </summary>
internal static class NaiveFeatures
{
    private const long Day = 86_400_000;

    /// <summary>The conditions that scenarios use.</summary>
    public static readonly Dictionary<string, Func<ShopEvent, bool>> Wheres = new()
    {
        ["event.type == 'purchase'"] = e => e.Type == "purchase",
        ["event.type in ['purchase', 'return']"] = e => e.Type is "purchase" or "return",
        ["event.quantity > 1"] = e => e.Quantity > 1,
    };

    /// <summary>The operands that scenarios use; null where the event doesn't have it.</summary>
    public static readonly Dictionary<string, Func<ShopEvent, decimal?>> Operands = new()
    {
        ["event.price"] = e => e.Price / 100m,
        ["event.value"] = e => (decimal?)e.Value,
        ["event.quantity"] = e => e.Quantity,
        ["event.type == 'return' ? -event.value : event.value * 2.0"] = e => (e.Type == "return" ? -1 : 2) * (decimal?)(e.Value ?? 0),
    };

    /// <summary>What different values are counted of; null where the event doesn't have it.</summary>
    public static readonly Dictionary<string, Func<ShopEvent, object?>> Values = new()
    {
        ["event.category"] = e => e.Category,
        ["event.type"] = e => e.Type,
        ["event.quantity"] = e => e.Quantity,
        ["event.price"] = e => e.Price,
        ["event.value"] = e => e.Value,
    };

    /// <summary>The texts that scenarios keep; null where the event doesn't have it.</summary>
    public static readonly Dictionary<string, Func<ShopEvent, string?>> Names = new()
    {
        ["event.category"] = e => e.Category,
        ["event.type"] = e => e.Type,
        ["event.category.upperAscii()"] = e =>
            string.Concat((e.Category ?? "").Select(c => char.IsAscii(c) ? char.ToUpperInvariant(c) : c)),
        ["string(event.quantity)"] = e => $"{e.Quantity ?? 0}",
    };

    /// <summary>How many numbers a feature has.</summary>
    public static int Width(FeatureOptions f) => f.Op switch
    {
        FeatureOperator.Rfm => 4,
        FeatureOperator.Top => (f.K ?? 3) + 1,
        _ => IsText(f) ? 0 : 1,
    };

    /// <summary>Whether a feature is a text alone.</summary>
    public static bool IsText(FeatureOptions f) =>
        f.Op is FeatureOperator.First or FeatureOperator.Last && Names.ContainsKey(f.Of!.Text);

    /// <summary>The text of the earliest or latest event.</summary>
    public static string Text(FeatureOptions f, IReadOnlyList<ShopEvent> events, long at)
    {
        var counted = Matching(f, events, at).Select(e => (e.Time, e.Id, Text: Names[f.Of!.Text](e))).Where(e => e.Text is not null)
            .OrderBy(e => e.Time).ThenBy(e => e.Id)
            .ThenBy(e => Convert.ToHexString(Encoding.UTF8.GetBytes(e.Text!)), StringComparer.Ordinal).ToList();
        return counted.Count == 0 ? "" : (f.Op == FeatureOperator.First ? counted[0] : counted[^1]).Text!;
    }

    /// <summary>What each name of a ranking weighs.</summary>
    public static Dictionary<string, double> Weights(FeatureOptions f, IReadOnlyList<ShopEvent> events, long at)
    {
        var weights = new Dictionary<string, double>();
        foreach (var e in Matching(f, events, at))
        {
            var weight = f.Weight is null ? 1 : (double?)Operands[f.Weight.Text](e);
            if (Names[f.Of!.Text](e) is not { Length: > 0 } name || weight is not > 0) continue;
            weights[name] = weights.GetValueOrDefault(name) + weight.Value * (f.HalfLife is null ? 1 : Weight(f, at - e.Time));
        }
        return weights;
    }

    private static IEnumerable<ShopEvent> Matching(FeatureOptions f, IReadOnlyList<ShopEvent> events, long at) =>
        Window(f.Window, events, at).Where(e => f.Where is null || Wheres[f.Where.Text](e));

    public static double[] Read(IReadOnlyList<FeatureOptions> features, IReadOnlyList<ShopEvent> events, long at) =>
        features.SelectMany(f => Read(f, events, at)).ToArray();

    private static double[] Read(FeatureOptions f, IReadOnlyList<ShopEvent> events, long at)
    {
        if (IsText(f)) return [];
        if (f.Op == FeatureOperator.Top)
        {
            var ranked = Weights(f, events, at).Values.OrderDescending().ToList();
            return [.. Enumerable.Range(0, f.K ?? 3).Select(i => i < ranked.Count ? ranked[i] : f.Default), ranked.Sum()];
        }
        var seen = Window(f.Window, events, at);
        if (f.Op == FeatureOperator.Duration)
            return [seen.Count == 0 ? f.Default : (seen.Max(e => e.Time) - seen.Min(e => e.Time)) / Unit(f, TimeUnit.Seconds)];

        var counted = seen
            .Where(e => f.Where is null || Wheres[f.Where.Text](e))
            .Select(e => (Event: e, Value: f.Of is null || f.Op == FeatureOperator.Distinct ? 0 : Operand(f, e)))
            .Where(x => x.Value is not null)
            .Select(x => (x.Event.Time, x.Event.Id, Value: x.Value!.Value))
            .OrderBy(x => x.Time).ThenBy(x => x.Id).ThenBy(x => x.Value)
            .ToList();
        if (f.Op == FeatureOperator.Distinct)
        {
            var values = seen.Where(e => f.Where is null || Wheres[f.Where.Text](e)).Select(Values[f.Of!.Text]).OfType<object>().Distinct();
            return [values.Any() ? values.Count() : f.Default];
        }
        if (f.Op == FeatureOperator.Rfm) return Rfm(f, counted, at);
        if (f.Op == FeatureOperator.Rate) return [Rate(f, counted.Sum(x => f.Of is null ? 1 : x.Value), seen.Count(Wheres[f.Per!.Text]))];
        if (counted.Count == 0) return [f.Default];
        return f.Op switch
        {
            FeatureOperator.Count => [counted.Count],
            FeatureOperator.Sum => [(double)counted.Sum(x => x.Value)],
            FeatureOperator.Mean => [(double)(counted.Sum(x => x.Value) / counted.Count)],
            FeatureOperator.Min => [(double)counted.Min(x => x.Value)],
            FeatureOperator.Max => [(double)counted.Max(x => x.Value)],
            FeatureOperator.First => [(double)counted[0].Value],
            FeatureOperator.Last => [(double)counted[^1].Value],
            FeatureOperator.TimeSince when f.Previous =>
                [counted.Count < 2 ? f.Default : (at - counted[^2].Time) / Unit(f, TimeUnit.Seconds)],
            FeatureOperator.TimeSince => [(at - counted[^1].Time) / Unit(f, TimeUnit.Seconds)],
            FeatureOperator.RepeatMonetary => [RepeatMonetary(f, counted)],
            FeatureOperator.Variance => [Variance(f, counted)],
            FeatureOperator.Stddev => [counted.Count < 2 ? f.Default : Math.Sqrt(Variance(f, counted))],
            FeatureOperator.Trend => [Trend(f, counted, at)],
            FeatureOperator.DecayedSum => [counted.Sum(x => (f.Of is null ? 1 : (double)x.Value) * Weight(f, at - x.Time))],
            FeatureOperator.DecayedMean => [counted.Sum(x => (double)x.Value * Weight(f, counted[^1].Time - x.Time))
                / counted.Sum(x => Weight(f, counted[^1].Time - x.Time))],
            FeatureOperator.Quantile =>
                [(double)counted.Select(x => x.Value).Order().ElementAt((int)Math.Floor(f.Quantile!.Value * (counted.Count - 1)))],
            FeatureOperator.Streak => [Streak(counted.Select(x => Floor(x.Time, Day)).ToHashSet(), Floor(at, Day))],
            _ => throw new InvalidOperationException(),
        };
    }

    private static double RepeatMonetary(FeatureOptions f, List<(long Time, ulong Id, decimal Value)> purchases)
    {
        var days = purchases.GroupBy(p => Floor(p.Time, Day)).OrderBy(g => g.Key).Select(g => g.Sum(p => p.Value)).ToList();
        return days.Count < 2 ? f.Default : (double)days.Skip(1).Average();
    }

    private static double Variance(FeatureOptions f, List<(long Time, ulong Id, decimal Value)> counted)
    {
        if (counted.Count < 2) return f.Default;
        var mean = counted.Average(x => x.Value);
        return (double)(counted.Sum(x => (x.Value - mean) * (x.Value - mean)) / (counted.Count - 1));
    }

    private static double Rate(FeatureOptions f, decimal above, int below)
    {
        var weight = f.PriorWeight ?? 0;
        return below + weight == 0 ? f.Default : ((double)above + (f.Prior ?? 0) * weight) / (below + weight);
    }

    private static double Weight(FeatureOptions f, long age) => Math.Pow(0.5, age / f.HalfLife!.Value.TotalMilliseconds);

    /// <summary>The slope of the least-squares line as textbooks write it, through the panes before that of now.</summary>
    private static double Trend(FeatureOptions f, List<(long Time, ulong Id, decimal Value)> counted, long at)
    {
        var every = (long)f.Window!.Every!.Value.TotalMilliseconds;
        var panes = (int)(f.Window.Sliding!.Value / f.Window.Every.Value);
        var points = Enumerable.Range(1 - panes, panes - 1).Select(x => (X: (decimal)x,
            Events: counted.Where(e => Floor(e.Time, every) == Floor(at, every) + x).ToList())).ToList();
        if (points.All(p => p.Events.Count == 0)) return f.Default;
        var y = points.Select(p => p.Events.Sum(e => f.Of is null ? 1 : e.Value)).ToList();
        decimal n = points.Count, x = points.Sum(p => p.X), xx = points.Sum(p => p.X * p.X);
        var xy = points.Zip(y).Sum(p => p.First.X * p.Second);
        return (double)((n * xy - x * y.Sum()) / (n * xx - x * x)) * Unit(f, TimeUnit.Days) / every;
    }

    private static double Streak(HashSet<long> days, long today)
    {
        var last = days.Contains(today) ? today : today - 1;
        var length = 0;
        while (days.Contains(last - length)) length++;
        return length;
    }

    private static double[] Rfm(FeatureOptions f, List<(long Time, ulong Id, decimal Value)> purchases, long at)
    {
        if (purchases.Count == 0) return [f.Default, 0, 0, f.Default];
        var times = f.SameDayMerge ? purchases.Select(p => Floor(p.Time, Day)).Distinct().Count() : purchases.Count;
        var unit = Unit(f, TimeUnit.Days);
        return [(at - purchases[^1].Time) / unit, times, (double)(purchases.Sum(p => p.Value) / times), (at - purchases[0].Time) / unit];
    }

    private static List<ShopEvent> Window(WindowOptions? window, IReadOnlyList<ShopEvent> events, long at)
    {
        if (window?.Sliding is { } size)
            return Panes(events, at, (long)window.Every!.Value.TotalMilliseconds, (long)(size / window.Every.Value));
        if (window?.Tumbling is { } tumbling) return Panes(events, at, (long)tumbling.TotalMilliseconds, 1);
        if (window?.Calendar is { } unit)
        {
            var zone = TimeZoneInfo.FindSystemTimeZoneById(window.Zone ?? "UTC");
            long Number(long time) =>
                CalendarTests.Number(unit, TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(time), zone).DateTime);
            return events.Where(e => Number(e.Time) > Number(at) - (window.Last ?? 1) && Number(e.Time) <= Number(at)).ToList();
        }
        if (window?.Session is { } gap) return Session(events, at, (long)gap.TotalMilliseconds);
        return [.. events];
    }

    private static List<ShopEvent> Panes(IReadOnlyList<ShopEvent> events, long at, long width, long panes)
    {
        var now = Floor(at, width);
        return events.Where(e => Floor(e.Time, width) > now - panes && Floor(e.Time, width) <= now).ToList();
    }

    private static List<ShopEvent> Session(IReadOnlyList<ShopEvent> events, long at, long gap)
    {
        var session = new List<ShopEvent>();
        foreach (var e in events.OrderBy(e => e.Time))
        {
            if (session.Count > 0 && e.Time - session[^1].Time > gap) session.Clear();
            session.Add(e);
        }
        return session.Count > 0 && at - session[^1].Time <= gap ? session : [];
    }

    private static decimal? Operand(FeatureOptions f, ShopEvent e)
    {
        var value = Operands[f.Of!.Text](e);
        return f.Scale is { } digits && value is { } exact ? Math.Round(exact, digits) : value;
    }

    private static double Unit(FeatureOptions f, TimeUnit otherwise) => (f.Unit ?? otherwise) switch
    {
        TimeUnit.Seconds => 1_000,
        TimeUnit.Minutes => 60_000,
        TimeUnit.Hours => 3_600_000,
        _ => Day,
    };

    private static long Floor(long a, long b) => a / b - (a % b < 0 ? 1 : 0);
}
