using System.Text;

namespace StreamEngine.Tests.Simulation;

/// <summary>A timer of the simulated config, said a second time.</summary>
internal sealed record SimTimer(string Trigger, Func<SimEvent, bool> Start, Func<SimEvent, bool> Cancel, long After);

/// <summary>What the oracle knows of a customer: everything, unbounded, and computed from all of it each time.</summary>
internal sealed class SimCustomer(string id)
{
    private static readonly long Pane = (long)SimEngines.Pane.TotalMilliseconds, Gap = (long)SimEngines.SessionGap.TotalMilliseconds;

    private const double DrawnHalfLife = 30 * 60_000;

    public static readonly SimTimer[] Timers =
    [
        new("cart", e => e.Type == "cart_add", e => e.Type == "purchase", (long)SimEngines.CartAfter.TotalMilliseconds),
        new("bye", _ => true, _ => false, (long)SimEngines.SessionGap.TotalMilliseconds),
    ];

    private readonly List<SimEvent> _applied = [];
    private readonly Dictionary<string, long> _seen = [];
    private readonly long[] _started = [long.MinValue, long.MinValue], _cancelled = [long.MinValue, long.MinValue],
        _fired = [long.MinValue, long.MinValue];

    public string Id { get; } = id;

    /// <summary>The id's bytes, for the order of timers.</summary>
    public byte[] Key { get; } = Encoding.UTF8.GetBytes(id);

    /// <summary>The variation that the first decision in the experiment assigned.</summary>
    public string? Variation { get; set; }

    /// <summary>Decisions that wait for the end of quiet hours, the oldest first.</summary>
    public List<(string Trigger, string Placement, long Until)> Deferred { get; } = [];

    /// <summary>Offers shown, and when they were decided.</summary>
    public List<(string Offer, long At)> Shown { get; } = [];

    /// <summary>The newest event's time.</summary>
    public long Newest { get; private set; } = long.MinValue;

    private long _heard = long.MinValue;

    /// <summary>Whether the newest event consents; of two at one time, whether both do.</summary>
    public bool Consent { get; private set; }

    /// <summary>
    /// Whether an event came that is older than the newest by more than the lateness: with several sources the watermark follows the
    /// slowest, so that one is not late. A shard keeps sessions no longer than the lateness behind a customer's newest event, so what it
    /// counts then is not the whole.
    /// </summary>
    public bool IsTornApart { get; private set; }

    /// <summary>Applies an event; false for a repeat within the horizon.</summary>
    public bool Apply(SimEvent e)
    {
        var horizon = (long)SimEngines.DuplicateHorizon.TotalMilliseconds;
        if (_seen.TryGetValue(e.Id, out var seen) && seen >= Math.Max(Newest, e.Time) - horizon) return false;
        _seen[e.Id] = e.Time;
        IsTornApart |= Newest > long.MinValue && e.Time < Newest - (long)SimEngines.Lateness.TotalMilliseconds;
        _applied.Add(e);
        Newest = Math.Max(Newest, e.Time);
        Hear(e);
        for (var i = 0; i < Timers.Length; i++)
        {
            if (Timers[i].Cancel(e)) _cancelled[i] = Math.Max(_cancelled[i], e.Time);
            if (Timers[i].Start(e)) _started[i] = Math.Max(_started[i], e.Time);
        }
        return true;
    }

    /// <summary>Takes an event's word on consent, also where it is too late for all else.</summary>
    public void Hear(SimEvent e)
    {
        if (e.Time > _heard) (_heard, Consent) = (e.Time, e.Consent);
        else if (e.Time == _heard) Consent &= e.Consent;
    }

    /// <summary>When a timer is due; null where it is not armed.</summary>
    public long? Due(int timer) => _started[timer] > _cancelled[timer] && _started[timer] > _fired[timer]
        ? _started[timer] + Timers[timer].After : null;

    /// <summary>A decision waits: the newest of its trigger and placement, and no more than so many.</summary>
    public void Defer(string trigger, string placement, long until)
    {
        var same = Deferred.FindIndex(d => d.Trigger == trigger && d.Placement == placement);
        if (same >= 0) Deferred.RemoveAt(same);
        else if (Deferred.Count == SimEngines.MaxDeferred) Deferred.RemoveAt(0);
        Deferred.Add((trigger, placement, until));
    }

    /// <summary>A timer fired for its newest start.</summary>
    public void Fire(int timer) => _fired[timer] = _started[timer];

    /// <summary>
    /// The numbers of the feature vector as of a time: events_5m, revenue, session_events, recency, types (two weights and all), drawn (one
    /// and all), weight.
    /// </summary>
    public double[] Features(long now)
    {
        int recent = 0, session = 0;
        decimal revenue = 0, weight = 0;
        var bought = long.MinValue;
        foreach (var e in _applied)
        {
            if (now / Pane - e.Time / Pane < SimEngines.Panes) recent++;
            weight += e.Weight;
            if (e.Type != "purchase") continue;
            revenue += e.Value;
            bought = Math.Max(bought, e.Time);
        }
        var from = now;
        foreach (var e in _applied.OrderByDescending(e => e.Time))
        {
            if (from - e.Time > Gap) break;
            session++;
            from = e.Time;
        }
        var (types, drawn) = (Types(), Drawn(now));
        return [recent, (double)revenue, session, bought == long.MinValue ? -1 : (now - bought) / 1_000.0,
            types.FirstOrDefault().Count, types.ElementAtOrDefault(1).Count, _applied.Count, drawn.DefaultIfEmpty().Max(), drawn.Sum(),
            (double)weight];
    }

    /// <summary>How many events of each type there were, the most frequent first.</summary>
    public List<(string Type, int Count)> Types() => [.. _applied.GroupBy(e => e.Type).Select(g => (Type: g.Key, Count: g.Count()))
        .OrderByDescending(t => t.Count).ThenBy(t => t.Type, StringComparer.Ordinal)];

    /// <summary>The types of the newest events: of several at one time, the ids' hashes say which one is the latest.</summary>
    public IEnumerable<string> Latest() => _applied.Where(e => e.Time == Newest).Select(e => e.Type);

    private List<double> Drawn(long now) => [.. _applied.Where(e => e.Placement.Length > 0).GroupBy(e => e.Placement)
        .Select(g => g.Sum(e => (1 + (double)e.Value) * Math.Pow(0.5, (now - e.Time) / DrawnHalfLife)))];

    /// <summary>Whether a vector is the one expected: what could be counted of a session after it was torn apart is left open.</summary>
    public bool Agrees(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual) =>
        expected.Length == actual.Length
            && expected[..2].SequenceEqual(actual[..2]) && (IsTornApart || expected[2] == actual[2])
            && expected[3..7].SequenceEqual(actual[3..7]) && expected[9] == actual[9]
            // What decays is the same up to rounding.
            && Math.Abs(expected[7] - actual[7]) <= 1e-9 * expected[7] && Math.Abs(expected[8] - actual[8]) <= 1e-9 * expected[8];

    /// <summary>The cap that forbids an offer at a time; null where none does.</summary>
    public string? Capped(string offer, long now)
    {
        if (Shown.Count(s => s.At > now - SimEngines.DailyWindow.TotalMilliseconds) >= SimEngines.DailyCap) return "customer_cap:daily";
        return Shown.Count(s => s.Offer == offer && s.At > now - SimEngines.SameWindow.TotalMilliseconds) >= SimEngines.SameCap
            ? "offer_cap:same" : null;
    }
}
