using StreamEngine.Features;

namespace StreamEngine.Tests.Features;

/// <summary>
/// The twelve features of the job that engines are compared on: as configured, and by the reference's own arithmetic (one state, panes in
/// rings of doubles, everything for events in order of time).
/// </summary>
internal sealed class JobProfile
{
    private static readonly long[] PaneMs = [60_000, 300_000, 3_600_000, 3_600_000, 86_400_000];
    private static readonly int[] PaneCounts = [5, 12, 24, 24, 7];

    private readonly double[][] _cells = [.. PaneCounts.Select(n => new double[n])];
    private readonly long[] _newest = [.. PaneCounts.Select(_ => long.MinValue)];
    private long _sessionStart, _lastEvent = long.MinValue, _lastPurchase = long.MinValue, _sessionEvents, _frequency;
    private double _sessionCart, _revenue;

    /// <summary>The twelve as a config says them.</summary>
    public static IReadOnlyList<FeatureOptions> Options { get; } =
    [
        new() { Name = "events_5m", Op = FeatureOperator.Count, Window = Sliding("00:05", "00:01") },
        new() { Name = "views_1h", Op = FeatureOperator.Count, Where = "event.type == 'page_view'", Window = Sliding("01:00", "00:05") },
        new() { Name = "carts_24h", Op = FeatureOperator.Count, Where = "event.type == 'cart_add'", Window = Sliding("1.00:00", "01:00") },
        new() { Name = "revenue_24h", Op = FeatureOperator.Sum, Of = "event.value", Where = "event.type == 'purchase'",
            Window = Sliding("1.00:00", "01:00") },
        new() { Name = "views_7d", Op = FeatureOperator.Count, Where = "event.type == 'page_view'",
            Window = Sliding("7.00:00", "1.00:00") },
        new() { Name = "session_events", Op = FeatureOperator.Count, Window = Session },
        new() { Name = "session_seconds", Op = FeatureOperator.Duration, Window = Session },
        new()
        {
            Name = "session_cart_value",
            Op = FeatureOperator.Sum,
            Of = "event.type == 'cart_add' ? event.value : -event.value",
            Where = "event.type in ['cart_add', 'cart_remove']",
            Window = Session,
        },
        new() { Name = "recency_days", Op = FeatureOperator.TimeSince, Where = "event.type == 'purchase'", Unit = TimeUnit.Days,
            Default = -1 },
        new() { Name = "frequency", Op = FeatureOperator.Count, Where = "event.type == 'purchase'" },
        new() { Name = "monetary", Op = FeatureOperator.Mean, Of = "event.value", Where = "event.type == 'purchase'" },
        new() { Name = "since_last_s", Op = FeatureOperator.TimeSince, Previous = true, Default = -1 },
    ];

    /// <summary>The features after the last event.</summary>
    public double[] Features { get; } = new double[12];

    /// <summary>A customer's events in order of time: bursts, pauses of minutes, hours and weeks, ties.</summary>
    public static IEnumerable<ShopEvent> Events(int count, int seed)
    {
        var random = new Random(seed);
        string[] types = ["page_view", "page_view", "page_view", "search", "cart_add", "cart_add", "cart_remove", "purchase", "email_open"];
        long[] pauses = [0, 1, 900, 20_000, 70_000, 1_799_999, 1_800_000, 1_800_001, 4_000_000, 50_000_000, 700_000_000];
        var time = 1_700_000_000_000;
        for (var i = 0; i < count; i++)
        {
            time += random.Next(4) == 0 ? pauses[random.Next(pauses.Length)] : random.Next(30_000);
            yield return new ShopEvent(time, (ulong)random.NextInt64(), types[random.Next(types.Length)],
                Value: Math.Round(random.NextDouble() * 200, 2));
        }
    }

    public void Apply(ShopEvent e)
    {
        var t = e.Time;
        bool view = e.Type == "page_view", cart = e.Type == "cart_add", purchase = e.Type == "purchase";
        var value = e.Value!.Value;
        var since = _lastEvent == long.MinValue ? -1 : t - _lastEvent;
        if (_lastEvent == long.MinValue || since > 1_800_000) (_sessionStart, _sessionEvents, _sessionCart) = (t, 0, 0);
        _lastEvent = t;
        _sessionEvents++;
        if (cart) _sessionCart += value;
        else if (e.Type == "cart_remove") _sessionCart -= value;
        if (purchase)
        {
            _lastPurchase = t;
            _frequency++;
            _revenue += value;
        }
        Features[0] = Window(0, t, 1);
        Features[1] = Window(1, t, view ? 1 : 0);
        Features[2] = Window(2, t, cart ? 1 : 0);
        Features[3] = Window(3, t, purchase ? value : 0);
        Features[4] = Window(4, t, view ? 1 : 0);
        Features[5] = _sessionEvents;
        Features[6] = (t - _sessionStart) / 1000.0;
        Features[7] = _sessionCart;
        Features[8] = _lastPurchase == long.MinValue ? -1 : (t - _lastPurchase) / 86_400_000.0;
        Features[9] = _frequency;
        Features[10] = _frequency == 0 ? 0 : _revenue / _frequency;
        Features[11] = since < 0 ? -1 : since / 1000.0;
    }

    private double Window(int w, long t, double add)
    {
        var n = PaneCounts[w];
        var cells = _cells[w];
        var pane = t / PaneMs[w];
        if (_newest[w] == long.MinValue || pane - _newest[w] >= n) Array.Clear(cells);
        else for (var p = _newest[w] + 1; p <= pane; p++) cells[(int)(p % n)] = 0;
        _newest[w] = pane;
        var slot = (int)(pane % n);
        if (add != 0) cells[slot] += add;
        var sum = 0.0;
        for (var i = slot + 1; i < n; i++) sum += cells[i];
        for (var i = 0; i <= slot; i++) sum += cells[i];
        return sum;
    }

    private static WindowOptions Session => new() { Session = TimeSpan.FromMinutes(30) };

    private static WindowOptions Sliding(string size, string every) =>
        new() { Sliding = TimeSpan.Parse(size), Every = TimeSpan.Parse(every) };
}
