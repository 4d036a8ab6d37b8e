using StreamEngine.SystemTests.Shop;

namespace StreamEngine.SystemTests.Oracle;

/// <summary>The job's twelve features, computed from all applied events of a customer each time: slow and plain.</summary>
internal sealed class Vector(double[] values)
{
    /// <summary>The names in the order of the vector.</summary>
    public static readonly string[] Names =
    [
        "events_5m", "views_1h", "carts_24h", "revenue_24h", "views_7d", "session_events", "session_seconds",
        "session_cart_value", "recency_days", "frequency", "monetary", "since_last_s",
    ];

    private const long Second = 1_000, Minute = 60 * Second, Hour = 60 * Minute, Day = 24 * Hour, SessionGap = 30 * Minute;

    /// <summary>The values in order.</summary>
    public double[] Values { get; } = values;

    /// <summary>A feature by name.</summary>
    public double this[string name] => Values[Array.IndexOf(Names, name)];

    /// <summary>The features of these events, in any order, as of a time not before the newest.</summary>
    public static Vector Of(IReadOnlyList<ShopEvent> applied, long now)
    {
        var byTime = applied.OrderBy(e => e.Time).ToArray();
        var session = Session(byTime, now);
        var purchases = byTime.Where(e => e.Type == "purchase").ToArray();
        return new Vector(
        [
            Panes(byTime, now, Minute, 5).Count(),
            Panes(byTime, now, 5 * Minute, 12).Count(e => e.Type == "page_view"),
            Panes(byTime, now, Hour, 24).Count(e => e.Type == "cart_add"),
            Panes(purchases, now, Hour, 24).Sum(e => e.Value),
            Panes(byTime, now, Day, 7).Count(e => e.Type == "page_view"),
            session.Length,
            session.Length == 0 ? 0 : (session[^1].Time - session[0].Time) / 1_000.0,
            session.Sum(e => e.Type == "cart_add" ? e.Value : e.Type == "cart_remove" ? -e.Value : 0),
            purchases.Length == 0 ? -1 : (now - purchases[^1].Time) / (double)Day,
            purchases.Length,
            purchases.Length == 0 ? 0 : purchases.Sum(e => e.Value) / purchases.Length,
            byTime.Length < 2 ? -1 : (now - byTime[^2].Time) / 1_000.0,
        ]);
    }

    /// <summary>Whether both agree: to 1e-9, relative above 1. Returns the first feature that does not.</summary>
    public string? Difference(IReadOnlyList<double> other)
    {
        if (other.Count != Values.Length) return $"{other.Count} features, not {Values.Length}";
        for (var i = 0; i < Values.Length; i++)
            if (!(Math.Abs(Values[i] - other[i]) <= 1e-9 * Math.Max(1, Math.Abs(Values[i]))))
                return $"{Names[i]} is {other[i]:R}, expected {Values[i]:R}";
        return null;
    }

    /// <summary>The events of the pane of now and of the panes before it.</summary>
    private static IEnumerable<ShopEvent> Panes(IEnumerable<ShopEvent> events, long now, long width, int panes) =>
        events.Where(e => now / width - e.Time / width < panes);

    /// <summary>The events of the session that is open at a time.</summary>
    private static ShopEvent[] Session(ShopEvent[] byTime, long now)
    {
        if (byTime.Length == 0 || now - byTime[^1].Time > SessionGap) return [];
        var first = byTime.Length - 1;
        while (first > 0 && byTime[first].Time - byTime[first - 1].Time <= SessionGap) first--;
        return byTime[first..];
    }
}
