using System.Globalization;

namespace StreamEngine.Tests.Decisions.Outcomes;

/// <summary>
/// Outcomes written a second time, without panes, slots or heaps: lists of everything, searched from the start. It is told the events in
/// the order of the log and, behind each, the decisions that it caused.
/// </summary>
internal sealed class NaiveOutcomes(long lateness, int mostOpen)
{
    private static readonly string[] Kinds = ["impression", "click", "conversion", "refund", "reject"];
    private static readonly Dictionary<string, (string Kind, long Minutes)> Types = new()
    {
        ["seen"] = ("impression", 10),
        ["clicked"] = ("click", 20),
        ["bought"] = ("conversion", 60),
        ["refunded"] = ("refund", 60),
        ["rejected"] = ("reject", 30),
    };

    private const long Minute = 60_000, Longest = 60 * Minute;
    private const int MostEarly = 4;

    private readonly List<Open> _open = [];
    private readonly List<(string Customer, string Decision, string Type, long Time, double Value, string EventHash)> _early = [];
    private readonly HashSet<string> _ids = [];
    private readonly Dictionary<string, (long Time, bool Yes)> _consent = [];
    private long _watermark = long.MinValue;

    /// <summary>The records, as <see cref="OutcomeShop.Line"/> tells them.</summary>
    public List<string> Lines { get; } = [];

    /// <summary>The outcomes that counted, in the order of the log.</summary>
    public List<(string Kind, Served Of, long Time)> Counted { get; } = [];

    /// <summary>Events by what became of them.</summary>
    public SortedDictionary<string, int> Fates { get; } = [];

    public sealed record Shop(string Id, string Customer, string Type, long Time, string Decision, string Offer, string Placement,
        double Value, bool Consents);

    public sealed record Served(string Id, string Customer, long DecidedAt, string Offer, string Placement);

    /// <summary>An event, and what it caused.</summary>
    public void Apply(Shop e, string eventHash, IEnumerable<Served> decisions)
    {
        if (_watermark == long.MinValue || e.Time >= _watermark - lateness)
        {
            _watermark = Math.Max(_watermark, e.Time);
            CloseOver();
            if (_ids.Add(e.Id)) Admitted(e, eventHash);
        }
        else if (_consent.ContainsKey(e.Customer)) Heard(e);
        foreach (var d in decisions)
        {
            var of = _open.Where(o => o.Of.Customer == d.Customer).ToList();
            if (of.Count == mostOpen) Close(of[0], "displaced", d.DecidedAt);
            var open = new Open(d);
            _open.Add(open);
            foreach (var early in _early.Where(x => x.Customer == d.Customer && x.Decision == d.Id).ToList())
            {
                _early.Remove(early);
                Join(open, early.Type, "decision_id", early.Time, early.Value, early.EventHash);
            }
        }
    }

    /// <summary>The newest word on consent, this one taken in.</summary>
    private (long Time, bool Yes) Heard(Shop e)
    {
        (long Time, bool Yes) word = _consent.GetValueOrDefault(e.Customer, (long.MinValue, false));
        if (e.Time > word.Time) word = (e.Time, e.Consents);
        else if (e.Time == word.Time) word = (e.Time, word.Yes && e.Consents);
        return _consent[e.Customer] = word;
    }

    private void Admitted(Shop e, string eventHash)
    {
        var word = Heard(e);
        if (!Types.TryGetValue(e.Type, out var type)) return;
        if (!e.Consents || !word.Yes)
        {
            Count("no_consent");
            return;
        }
        if (e.Decision.Length == 0)
        {
            var last = e.Type != "bought" ? null : _open.LastOrDefault(o => o.Of.Customer == e.Customer
                && (e.Offer.Length == 0 || o.Of.Offer == e.Offer) && (e.Placement.Length == 0 || o.Of.Placement == e.Placement)
                && e.Time >= o.Of.DecidedAt && e.Time <= o.Of.DecidedAt + type.Minutes * Minute);
            if (last is null) Count("unmatched");
            else Join(last, e.Type, "last_decision", e.Time, e.Value, e.Id);
        }
        else if (_open.Find(o => o.Of.Id == e.Decision && o.Of.Customer == e.Customer) is { } named)
            Join(named, e.Type, "decision_id", e.Time, e.Value, e.Id);
        else
        {
            Count("unmatched");
            if (!e.Decision.StartsWith("scenario/shop/0/", StringComparison.Ordinal)) return;
            var own = _early.Where(x => x.Customer == e.Customer).ToList();
            if (own.Count == MostEarly) _early.Remove(own[0]);
            _early.Add((e.Customer, e.Decision, e.Type, e.Time, e.Value, eventHash));
        }
    }

    private void Join(Open open, string eventType, string by, long time, double value, string eventId)
    {
        var (kind, minutes) = Types[eventType];
        var late = time > open.Of.DecidedAt + minutes * Minute;
        if (!(late ? open.Late : open.Seen).Add(kind))
        {
            Count("duplicate");
            return;
        }
        if (!late && kind == "conversion") open.Value += value;
        if (!late && kind == "refund") open.Value -= value;
        if (!late) Counted.Add((kind, open.Of, time));
        Count(late ? "late" : "matched");
        Say($"{open.Of.Id}/{kind}{(late ? "/late" : "")}", late ? "late" : "counted", by, open.Of.Customer, eventId, time, value, open);
    }

    private void CloseOver()
    {
        foreach (var customer in _open.Where(o => o.Of.DecidedAt + Longest + lateness < _watermark)
            .OrderBy(o => o.Of.DecidedAt).ThenBy(o => o.Of.Customer, StringComparer.Ordinal).ToList())
            Close(customer, _consent[customer.Of.Customer].Yes ? "closed" : "withdrawn", customer.Of.DecidedAt + Longest);
    }

    private void Close(Open open, string status, long time)
    {
        _open.Remove(open);
        Count(status);
        Say($"{open.Of.Id}/closed", status, "none", status == "withdrawn" ? "" : open.Of.Customer, "", time, open.Value, open);
    }

    private void Say(string id, string status, string by, string customer, string eventId, long time, double value, Open open) =>
        Lines.Add(string.Create(CultureInfo.InvariantCulture,
            $"{id} {status} {by} {customer} {eventId} {time} {value} [{string.Join(' ', Kinds.Where(open.Seen.Contains))}]"));

    private void Count(string fate) => Fates[fate] = Fates.GetValueOrDefault(fate) + 1;

    private sealed class Open(Served of)
    {
        public Served Of { get; } = of;

        public HashSet<string> Seen { get; } = [];

        public HashSet<string> Late { get; } = [];

        public double Value;
    }
}
