using StreamEngine.SystemTests.Shop;

namespace StreamEngine.SystemTests.Oracle;

/// <summary>A record of a log.</summary>
internal readonly record struct LogRecord(long Offset, long Timestamp, byte[] Key, byte[] Value);

/// <summary>
/// One partition's events folded again from the first to the last, in the order that the documentation gives: decode, admit, watermark,
/// timers that are due, then the event; then what was asked for before the next record. Each decision that must be there is looked up by
/// its cause in the log of decisions and compared; what was served in fact counts against the caps that follow.
/// </summary>
internal sealed class PartitionFold(JobDefinition job, string topic, int partition, Report report, Func<string, Ask?>? asked = null)
{
    private readonly Dictionary<string, Customer> _customers = [];
    private readonly DecisionCheck _check = new(job);
    private readonly Dictionary<(long, long), DecisionRecord> _logged = [];
    private readonly HashSet<(long, long)> _expected = [];
    private readonly HashSet<string> _requests = [];
    private readonly Dictionary<long, long> _lastRequested = []; // by offset, the ordinal
    private long? _watermark;

    /// <summary>Records that must be dead letters: offset and reason.</summary>
    public List<(long Offset, string Reason)> DeadLetters { get; } = [];

    /// <summary>Records that must be in the late topic.</summary>
    public List<LogRecord> Late { get; } = [];

    /// <summary>Served decisions.</summary>
    public List<DecisionRecord> Served { get; } = [];

    /// <summary>Folds all events and checks the decisions against them.</summary>
    public void Run(IEnumerable<LogRecord> events, IReadOnlyList<DecisionRecord> decisions)
    {
        Index(decisions);
        Requested(-1);
        foreach (var record in events)
        {
            Apply(record);
            Requested(record.Offset);
        }
        foreach (var (cause, decision) in _logged)
            if (!_expected.Contains(cause)) report.Unexpected($"{At(cause)}: {decision.Kind} of {decision.Customer} by {decision.Trigger}");
    }

    private void Index(IReadOnlyList<DecisionRecord> decisions)
    {
        var last = (-1L, -1L);
        foreach (var decision in decisions)
        {
            report.Checked++;
            if (!_logged.TryAdd(decision.Cause, decision))
                report.Doubled($"{At(decision.Cause)}: log offsets {_logged[decision.Cause].LogOffset} and {decision.LogOffset}");
            else if (decision.Cause.CompareTo(last) < 0) report.Wrong($"{At(decision.Cause)}: logged after {At(last)}");
            last = decision.Cause;
            var id = $"{job.Name}/{topic}/{partition}/{decision.Cause.Offset}/{decision.Cause.Ordinal}";
            if (decision.Topic != topic || decision.Partition != partition || decision.DecisionId != id)
                report.Wrong($"{At(decision.Cause)}: has id {decision.DecisionId}");
            if (decision.Origin == "request")
                _lastRequested[decision.Cause.Offset] = Math.Max(decision.Cause.Ordinal,
                    _lastRequested.GetValueOrDefault(decision.Cause.Offset));
        }
    }

    private void Apply(LogRecord record)
    {
        report.Events++;
        var e = ShopEvent.Decode(record.Value, out var reason);
        if (e is not null) reason = Refusal(e);
        if (reason.Length > 0)
        {
            report.Saw($"records {reason}");
            if (reason == "late") Late.Add(record);
            else DeadLetters.Add((record.Offset, reason));
            if (reason is "future-time" or "unknown-schema") Marked(record.Offset);
            if (reason is "no-consent" or "late" && _customers.TryGetValue(e!.Customer, out var known)) known.Hear(e);
            return;
        }

        var ordinal = 0;
        _watermark = Math.Max(_watermark ?? long.MinValue, e!.Time);
        FireTimers(record.Offset, ref ordinal);
        if (!_customers.TryGetValue(e.Customer, out var customer)) _customers[e.Customer] = customer = new Customer(e.Customer, job);
        var unknown = customer.Unknown;
        if (!customer.Apply(e))
        {
            report.Saw("records duplicate");
            DeadLetters.Add((record.Offset, "duplicate"));
            return;
        }
        if (e.Type != "page_view" || e.Placement.Length == 0) return;
        var at = Math.Max(e.Time, customer.Newest);
        Expect((record.Offset, ordinal), "placed_view", e.Id, e.Time,
            new Situation(customer, customer.Features(at), at, e.Placement, e.Consent.Intersect(customer.Consent).ToArray(), unknown));
    }

    /// <summary>
    /// Decisions by request have the position of the record before them, behind all that it caused. What they are made from is known; when
    /// they were asked for is taken from the log.
    /// </summary>
    private void Requested(long offset)
    {
        for (var ordinal = 0L; ordinal <= _lastRequested.GetValueOrDefault(offset, -1); ordinal++)
        {
            if (_expected.Contains((offset, ordinal))) continue;
            if (!_logged.TryGetValue((offset, ordinal), out var actual)) report.Lost($"{At((offset, ordinal))}: what is before a request");
            if (actual?.Origin != "request") continue;
            if (!_requests.Add(actual.EventId)) report.Doubled($"{At(actual.Cause)}: request {actual.EventId}");
            if (asked?.Invoke(actual.EventId) is not { } ask)
            {
                report.Unexpected($"{At(actual.Cause)}: nobody asked for {actual.EventId}");
                _expected.Add(actual.Cause);
                continue;
            }
            if (!_customers.TryGetValue(ask.Customer, out var customer))
                _customers[ask.Customer] = customer = new Customer(ask.Customer, job);
            var at = Math.Max(actual.EventTime, customer.Newest);
            Expect(actual.Cause, "", ask.Id, actual.EventTime,
                new Situation(customer, customer.Features(at), at, ask.Placement, customer.Consent, customer.Unknown));
        }
    }

    private string Refusal(ShopEvent e)
    {
        if (e.Time < job.Earliest) return "too-old";
        if (e.Time - job.MaxFuture > TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()) return "future-time";
        if (job.Requires is not null && !e.Consent.Contains(job.Requires)) return "no-consent";
        return _watermark is { } watermark && e.Time < watermark - job.Lateness ? "late" : "";
    }

    /// <summary>Fires what is due by the watermark, in the order of due time, then customer id, then timer.</summary>
    private void FireTimers(long offset, ref int ordinal)
    {
        if (job.Timers.Length == 0) return;
        var due = new List<(long Due, Customer Customer, int Timer)>();
        foreach (var customer in _customers.Values)
            for (var timer = 0; timer < job.Timers.Length; timer++)
                if (customer.Due(timer) is { } at && at < _watermark) due.Add((at, customer, timer));
        due.Sort((a, b) => a.Due != b.Due ? a.Due.CompareTo(b.Due)
            : a.Customer.Key.AsSpan().SequenceCompareTo(b.Customer.Key) is var order and not 0 ? order : a.Timer.CompareTo(b.Timer));
        foreach (var (at, customer, timer) in due)
        {
            customer.Fire(timer);
            var now = Math.Max(at, customer.Newest);
            var definition = job.Timers[timer];
            Expect((offset, ordinal++), definition.Trigger, at.ToString("x16"), at,
                new Situation(customer, customer.Features(now), now, definition.Placement, customer.Consent, false));
        }
    }

    private void Expect((long Offset, long Ordinal) cause, string trigger, string eventId, long eventTime, Situation s)
    {
        _expected.Add(cause);
        if (!_logged.TryGetValue(cause, out var actual))
        {
            report.Lost($"{At(cause)}: decision of {s.Customer.Id} by {trigger}");
            return;
        }
        var difference = actual.Kind != "decision" ? $"is a {actual.Kind}"
            : actual.Customer != s.Customer.Id || actual.Trigger != trigger
            ? $"is of {actual.Customer} by {actual.Trigger}, expected {s.Customer.Id} by {trigger}"
            : actual.EventId != eventId || actual.EventTime != eventTime
            ? $"event {actual.EventId} of {actual.EventTime}, expected {eventId} of {eventTime}"
            : actual.DecidedAt != s.DecidedAt ? $"decided at {actual.DecidedAt}, expected {s.DecidedAt}"
            : actual.Watermark != (_watermark ?? long.MinValue) ? $"watermark {actual.Watermark}, expected {_watermark}"
            : _check.Difference(s, actual);
        if (difference is not null) report.Wrong($"{At(cause)} {s.Customer.Id} by {trigger}: {difference}");
        report.Saw(trigger.Length > 0 ? $"by {trigger}" : "by request");
        report.Saw($"outcome {actual.Outcome}");
        report.Saw($"model version {actual.Version(job.Model)}");
        if (actual.IsDefault) report.Saw("default offers");
        foreach (var drop in actual.Candidates.Select(c => c.Drop).Where(d => d.Contains("_cap"))) report.Saw($"drops by {drop}");
        if (actual.Outcome != "served") return;
        s.Customer.Shown.Add((actual.Offer!, actual.DecidedAt));
        Served.Add(actual);
    }

    /// <summary>A refusal by the clock, or by what the registry knew, must be marked in the log, or a restart could judge anew.</summary>
    private void Marked(long offset)
    {
        _expected.Add((offset, 0));
        if (!_logged.TryGetValue((offset, 0), out var mark)) report.Lost($"{At((offset, 0))}: mark of a refusal");
        else if (mark.Kind != "refused") report.Wrong($"{At((offset, 0))}: {mark.Kind}, expected a mark of refusal");
    }

    private string At((long Offset, long Ordinal) cause) => $"{partition}/{cause.Offset}/{cause.Ordinal}";
}
