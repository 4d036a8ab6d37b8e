using StreamEngine.Testing.Simulation;

namespace StreamEngine.Tests.Simulation;

/// <summary>
/// A shard's fold, a second time and in the plain: all of a partition's events, in the order that the decision log tells, and after each
/// what it must have caused. What was chosen is taken from the log once it is the right choice for the propensities logged; everything else
/// is computed.
/// </summary>
internal sealed class SimOracle(int partition, string[] topics, SimAsks asks, SimSwitches switches, SimTables tables,
    SimBudgets? budgets, SimArms? arms, List<(long Offset, SimRecord Record)>[] events)
{
    private readonly SortedDictionary<string, SimCustomer> _customers = new(StringComparer.Ordinal);
    private readonly Queue<SimExpected> _expected = new();
    private readonly int[] _next = new int[topics.Length];
    private readonly HashSet<string> _ids = [];
    private readonly long[] _newest = [.. topics.Select(_ => long.MinValue)];
    private long _watermark = long.MinValue;
    private (long Version, string Sum) _table = (0, new string('0', 16));

    /// <summary>What the newest mark says to be off: a decision behind it was made by that.</summary>
    public HashSet<string> Off { get; private set; } = [];

    /// <summary>Marks of other rows in the table.</summary>
    public int Followed { get; private set; }

    /// <summary>Marks of what is off.</summary>
    public int Switched { get; private set; }

    public IEnumerable<SimCustomer> Customers => _customers.Values;

    /// <summary>Decisions that showed something: their ids and offers.</summary>
    public List<(string Id, string Customer, string Offer)> Served { get; } = [];

    public List<(string Topic, long Offset, string Reason)> DeadLetters { get; } = [];

    public List<byte[]> Late { get; } = [];

    public int Decisions { get; private set; }

    /// <summary>Decisions that showed another candidate than the best one.</summary>
    public int Explored { get; private set; }

    /// <summary>Decisions that wait, or did, for the end of quiet hours.</summary>
    public int Deferred { get; private set; }

    /// <summary>Those of them that were made anew.</summary>
    public int MadeAnew { get; private set; }

    /// <summary>Decisions that requests asked for.</summary>
    public List<SimDecision> Requested { get; } = [];

    /// <summary>Entries by the position that they name.</summary>
    private readonly Dictionary<(string, long), int> _at = [];

    /// <summary>Folds everything; throws at the first difference.</summary>
    public void Fold(IEnumerable<SimDecision> log)
    {
        foreach (var entry in log)
        {
            if (!_ids.Add(entry.Id)) throw new SimFailure($"logged twice: {entry}");
            if (entry.Id != $"sim/{entry.Topic}/{partition}/{entry.Offset}/{entry.Ordinal}")
                throw new SimFailure($"another cause than its id: {entry}");
            var source = Array.IndexOf(topics, entry.Topic);
            var ordinal = _at[(entry.Topic, entry.Offset)] = _at.GetValueOrDefault((entry.Topic, entry.Offset), -1) + 1;
            Advance(source, entry.Kind == "refused" ? entry.Offset - 1 : entry.Offset);
            if (entry.Origin == "request") Asked(entry, ordinal);
            if (entry.Kind == "decision") Decided(entry);
            else Marked(entry, source);
        }
        if (Enumerable.Range(0, topics.Length).Count(s => _next[s] < events[s].Count) > 1)
            throw new SimFailure($"shard {partition}: the log does not tell which source came first");
        for (var source = 0; source < topics.Length; source++) Advance(source, long.MaxValue);
        Missing();
    }

    private void Advance(int source, long through)
    {
        for (; _next[source] < events[source].Count && events[source][_next[source]].Offset <= through; _next[source]++)
        {
            Missing();
            Apply(source, events[source][_next[source]]);
        }
    }

    private void Missing()
    {
        if (_expected.TryPeek(out var lost)) throw new SimFailure($"lost: {lost}");
    }

    /// <summary>A request stands behind everything that the record before it caused.</summary>
    private void Asked(SimDecision entry, int ordinal)
    {
        Missing();
        Requested.Add(entry);
        var ask = asks.Find(entry.EventId) ?? throw new SimFailure($"nobody asked for: {entry}");
        if (!_customers.TryGetValue(ask.Customer, out var customer)) _customers[ask.Customer] = customer = new SimCustomer(ask.Customer);
        var at = Math.Max(ask.Time, customer.Newest);
        _expected.Enqueue(new SimExpected(customer, entry.Topic, entry.Offset, ordinal, "", ask.Placement, ask.Time, at, _watermark,
            customer.Features(at), customer.Types().FirstOrDefault().Type ?? "", customer.Consent, Off, MayWait: false));
    }

    private void Decided(SimDecision entry)
    {
        Decisions++;
        if (!_expected.TryDequeue(out var expected)) throw new SimFailure($"nothing caused: {entry}");
        var draw = SimDraw.Of(Array.IndexOf(topics, entry.Topic), partition, entry.Offset, entry.Ordinal);
        if (expected.Difference(entry, draw, budgets, arms) is { } difference)
            throw new SimFailure($"{difference}\n  expected {expected}\n  logged   {entry}");
        expected.Customer.Variation ??= entry.Variation;
        if (entry.Variation != (entry.Outcome is "no_consent" or "switched_off" ? null : expected.Customer.Variation))
            throw new SimFailure($"in variation {entry.Variation}, once in {expected.Customer.Variation}: {entry}");
        if (entry.DeferredUntil is { } until)
        {
            expected.Customer.Defer(entry.Trigger, entry.Placement, until);
            Deferred++;
        }
        if (entry.Offer is not { } offer) return;
        Explored += entry.Candidates.Single(c => c.Offer == offer).Rank > 1 ? 1 : 0;
        expected.Customer.Shown.Add((offer, entry.DecidedAt));
        Served.Add((entry.Id, entry.Customer, offer));
        budgets?.Show(offer, entry.DecidedAt);
    }

    /// <summary>Whether an entry of a mark says that a segment is told from there on.</summary>
    public static bool IsSegment(string entry) => entry.StartsWith("segment:", StringComparison.Ordinal);

    private void Marked(SimDecision entry, int source)
    {
        Missing();
        switch (entry.Kind)
        {
            case "watermark":
                if (entry.Watermark <= _watermark) throw new SimFailure($"the watermark goes back: {entry}");
                _watermark = entry.Watermark;
                for (var i = 0; i < _newest.Length; i++) _newest[i] = Math.Max(_newest[i], _watermark);
                Fire(source, entry.Offset, entry.Ordinal + 1);
                break;
            case "switches":
                var (version, off) = entry.Switches!.Value;
                var table = entry.Table;
                if (off.SetEquals(Off) && table.Sum == _table.Sum) throw new SimFailure($"switches nothing: {entry}");
                if ((switches.Fault(version, [.. off.Where(o => !IsSegment(o))]) ?? tables.FaultOf(table.Version)) is { } fault)
                    throw new SimFailure($"{fault}: {entry}");
                if (Off.Except(off).Any(IsSegment)) throw new SimFailure($"a segment is told no more: {entry}");
                if (!off.SetEquals(Off)) Switched++;
                if (table.Sum != _table.Sum) Followed++;
                (Off, _table) = (off, table);
                break;
            case "shared":
                if (budgets is null && arms is null) throw new SimFailure($"nothing is shared: {entry}");
                budgets?.Mark(entry);
                arms?.Mark(entry);
                break;
            case "refused":
                if (_next[source] == events[source].Count || events[source][_next[source]].Offset != entry.Offset)
                    throw new SimFailure($"refused, but no record: {entry}");
                DeadLetters.Add((topics[source], entry.Offset, "future-time"));
                _next[source]++;
                break;
        }
    }

    private void Apply(int source, (long Offset, SimRecord Record) input)
    {
        var e = SimEvent.Parse(input.Record.Value!);
        if (e is null)
        {
            DeadLetters.Add((topics[source], input.Offset, "malformed"));
            return;
        }
        if (_watermark > long.MinValue && e.Time < _watermark - (long)SimEngines.Lateness.TotalMilliseconds)
        {
            Late.Add(input.Record.Value!);
            if (_customers.TryGetValue(e.Customer, out var known)) known.Hear(e);
            return;
        }
        _newest[source] = Math.Max(_newest[source], e.Time);
        _watermark = Math.Max(_watermark, _newest.Min());
        var ordinal = Fire(source, input.Offset, 0);
        if (!_customers.TryGetValue(e.Customer, out var customer)) _customers[e.Customer] = customer = new SimCustomer(e.Customer);
        if (!customer.Apply(e with { Weight = tables.Weight(e.Type, _table.Version) }))
        {
            DeadLetters.Add((topics[source], input.Offset, "duplicate"));
            return;
        }
        if (e.Type != "page_view" || e.Placement.Length == 0) return;
        var at = Math.Max(e.Time, customer.Newest);
        _expected.Enqueue(new SimExpected(customer, topics[source], input.Offset, ordinal, "view", e.Placement, e.Time, at, _watermark,
            customer.Features(at), customer.Types().FirstOrDefault().Type ?? "", e.Consent && customer.Consent, Off));
    }

    /// <summary>
    /// Makes anew what waited for quiet hours that the watermark has passed, in the order of their ends and customers.
    /// </summary>
    private int MakeAnew(int source, long offset, int ordinal)
    {
        var over = _customers.Values.SelectMany(c => c.Deferred.Select(d => (Customer: c, Entry: d))).Where(d => d.Entry.Until < _watermark)
            .OrderBy(d => d.Entry.Until).ThenBy(d => d.Customer.Id, StringComparer.Ordinal).ToList();
        foreach (var (customer, entry) in over)
        {
            customer.Deferred.Remove(entry);
            var now = Math.Max(entry.Until, customer.Newest);
            _expected.Enqueue(new SimExpected(customer, topics[source], offset, ordinal++, entry.Trigger, entry.Placement, entry.Until,
                now, _watermark, customer.Features(now), customer.Types().FirstOrDefault().Type ?? "", customer.Consent, Off,
                MayWait: false));
            MadeAnew++;
        }
        return ordinal;
    }

    /// <summary>Fires what is due by the watermark in the order of due time, customer and timer; returns the next ordinal.</summary>
    private int Fire(int source, long offset, int ordinal)
    {
        ordinal = MakeAnew(source, offset, ordinal);
        var due = new List<(long Due, SimCustomer Customer, int Timer)>();
        foreach (var customer in _customers.Values)
            for (var timer = 0; timer < SimCustomer.Timers.Length; timer++)
                if (customer.Due(timer) is { } at && at < _watermark) due.Add((at, customer, timer));
        due.Sort((a, b) => a.Due != b.Due ? a.Due.CompareTo(b.Due)
            : a.Customer.Key.AsSpan().SequenceCompareTo(b.Customer.Key) is var order and not 0 ? order : a.Timer.CompareTo(b.Timer));
        foreach (var (at, customer, timer) in due)
        {
            customer.Fire(timer);
            var now = Math.Max(at, customer.Newest);
            _expected.Enqueue(new SimExpected(customer, topics[source], offset, ordinal++, SimCustomer.Timers[timer].Trigger, "email", at,
                now, _watermark, customer.Features(now), customer.Types().FirstOrDefault().Type ?? "", customer.Consent, Off));
        }
        return ordinal;
    }
}
