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

    public static double[] Read(IReadOnlyList<FeatureOptions> features, IReadOnlyList<ShopEvent> events, long at) =>
        features.SelectMany(f => Read(f, events, at)).ToArray();

    private static double[] Read(FeatureOptions f, IReadOnlyList<ShopEvent> events, long at)
    {
        var seen = Window(f.Window, events, at);
        if (f.Op == FeatureOperator.Duration)
            return [seen.Count == 0 ? f.Default : (seen.Max(e => e.Time) - seen.Min(e => e.Time)) / Unit(f, TimeUnit.Seconds)];

        var counted = seen
            .Where(e => f.Where is null || Wheres[f.Where.Text](e))
            .Select(e => (Event: e, Value: f.Of is null ? 0 : Operand(f, e)))
            .Where(x => x.Value is not null)
            .Select(x => (x.Event.Time, x.Event.Id, Value: x.Value!.Value))
            .OrderBy(x => x.Time).ThenBy(x => x.Id).ThenBy(x => x.Value)
            .ToList();
        if (f.Op == FeatureOperator.Rfm) return Rfm(f, counted, at);
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
            _ => throw new InvalidOperationException(),
        };
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
