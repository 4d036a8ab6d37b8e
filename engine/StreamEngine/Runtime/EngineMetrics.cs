using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.Inference;
using StreamEngine.Runtime.Requests;
using StreamEngine.Telemetry;

namespace StreamEngine.Runtime;

/// <summary>
/// All instruments of an engine in one place. Counters are read from the shards' plain numbers when somebody collects, so an event costs
/// nothing here.
/// </summary>
public sealed class EngineMetrics : IDisposable
{
    private readonly Meter _meter = EngineMeter.Create();
    private readonly CompiledEngine _engine;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<Shard, byte> _open = [];
    private readonly ShardCounters _closed;
    private readonly Histogram<double> _batch, _commit, _interval, _request, _switch;
    private readonly Counter<long> _commits, _batches, _fallbacks;
    private TableMetrics? _tables;

    /// <summary>Registers the instruments.</summary>
    /// <param name="engine">The compiled config.</param>
    /// <param name="time">The clock by which models' calls are timed; the system's where absent.</param>
    public EngineMetrics(CompiledEngine engine, TimeProvider? time = null)
    {
        (_engine, _time) = (engine, time ?? TimeProvider.System);
        Scores = new ScoreMetrics(_meter, [.. engine.Policy.Models.Select(m => m.Name)], _time);
        _closed = ShardCounters.Of(engine);
        var duration = new InstrumentAdvice<double> { HistogramBucketBoundaries = EngineMeter.DurationBounds };
        _batch = _meter.CreateHistogram("streamengine.batch.duration", "s", "From poll to the last output of a batch.", advice: duration);
        _commit = _meter.CreateHistogram("streamengine.commit.duration", "s", "How long a commit took.", advice: duration);
        _interval = _meter.CreateHistogram("streamengine.interval.duration", "s",
            "From an interval's first record to its confirmed commit: the longest that one of its decisions took.", advice: duration);
        _request = _meter.CreateHistogram("streamengine.request.duration", "s", "From a request to its answer, by kind and status.",
            advice: duration);
        _switch = _meter.CreateHistogram("streamengine.switch.delay", "s", "From when somebody switched something, by the clock there, "
            + "to the first turn of a worker that decides by it.", advice: duration);
        _commits = _meter.CreateCounter<long>("streamengine.commits", "{commit}", "Commits by outcome.");
        // Like the counters below: each outcome is there from the start, at 0.
        foreach (var outcome in Enum.GetValues<CommitOutcome>())
            if (outcome != CommitOutcome.Waiting) _commits.Add(0, OutcomeLabel(outcome));
        _batches = _meter.CreateCounter<long>("streamengine.batches", "{batch}", "Batches with records.");
        _fallbacks = _meter.CreateCounter<long>("streamengine.requests.fallbacks", "{request}",
            "Requests answered with the config's stand-in, as no decision could be had in time, by status.");
        foreach (var status in FallbackGateway.Causes)
            _fallbacks.Add(0, StatusLabel(status));
        Counter("streamengine.records", "{record}", "Records read.", c => c.Records);
        Counter("streamengine.bytes", "By", "Bytes of keys and values read.", c => c.Bytes);
        Counter("streamengine.events.admitted", "{event}", "Events applied to a profile.", c => c.Admitted);
        Counter("streamengine.features.values_not_added", "{value}", "Values too large to be added to a fixed-point sum.",
            c => c.ValuesNotAdded);
        Counter("streamengine.features.names_evicted", "{name}",
            "Texts of 'op: top' that took a slot of another one: while there are none, the weights are exact.", c => c.NamesEvicted);
        Counter("streamengine.duplicates.evicted", "{id}", "Ids of events and requests forgotten before their horizon.",
            c => c.DuplicatesEvicted);
        Counter("streamengine.placements.cut", "{decision}", "Placements longer than 1,024 bytes, cut.", c => c.PlacementsCut);
        Counter("streamengine.quiet_hours.zones_unknown", "{decision}",
            "Decisions in which quiet hours went by 'otherwise', as the customer's time zone was unknown or empty.", c => c.ZonesUnknown);
        Counter("streamengine.decisions", "{decision}", "Decisions made.", c => c.Decisions);
        Counter("streamengine.decisions.requested", "{decision}", "Decisions that requests asked for.", c => c.Requested);
        Counter("streamengine.decisions.reused", "{decision}", "Decisions that were logged and not committed, taken over as they were.",
            c => c.Reused);
        _meter.CreateObservableCounter("streamengine.expressions.errors", () => ExprFault.Total, "{error}",
            "Evaluation errors of expressions: each had a zero, or the nearest end of a range, as its value.");
        _meter.CreateObservableCounter("streamengine.scores.failed", () => Fallbacks(_engine, Totals())
            .Select(f => new Measurement<long>(f.Count, new("model", f.Model), new KeyValuePair<string, object?>("reason", f.Reason))),
            "{score}", "Scores replaced by an offer's default propensity, by model and reason.");
        _meter.CreateObservableCounter("streamengine.exploration.decisions", () => Explored(_engine, Totals()),
            "{decision}", "Decisions in placements that explore, by whether the best candidate was drawn or another one.");
        _meter.CreateObservableCounter("streamengine.experiments.decisions", () => Variations(_engine, Totals()),
            "{decision}", "Decisions by the variation of an experiment that the customer is in.");
        if (engine.Policy.IsSticky)
            _meter.CreateObservableCounter("streamengine.experiments.sticky", () => Sticky(_engine, Totals()), "{decision}",
                "Decisions in sticky experiments, by fate: assigned, kept, moved (kept, where the hash would say another one), blocked.");
        if (engine.Policy.Outcomes is not null) CreateOutcomes();
        if (engine.Policy.Deferred is not null) CreateDeferrals();
        if (engine.TableShapes.Count > 0) CreateTables();
        if (engine.Segments.Segments.Length > 0) CreateSegments();
        if (engine.Outputs.Shared >= 0) CreateShared();
        if (engine.Policy.Learns) ArmMetrics.Count(_meter, engine.Policy, Totals);
        Counter("streamengine.timers.fired", "{timer}", "Timers fired.", c => c.TimersFired);
        Counter("streamengine.records.restored", "{record}", "Records re-read while shards were restored.", c => c.Restored);
        Counter("streamengine.profiles.loaded", "{profile}", "Profiles loaded from checkpoints.", c => c.Loaded);
        Counter("streamengine.checkpoints", "{checkpoint}", "Checkpoints closed.", c => c.Checkpoints);
        Counter("streamengine.checkpoints.failed", "{checkpoint}", "Checkpoints that could not be written.", c => c.CheckpointsFailed);
        Counters("streamengine.records.wrong_partition", "{record}", "Records in a partition that their customer does not hash to, by "
            + "cause: no_key, other_key, other_hash.", "cause", Symbols<Misplacement>(), c => c.WrongPartition);
        Counter("streamengine.checkpoints.damaged", "{file}", "Checkpoint files that a restore found damaged; what they held was folded "
            + "again from the log.", c => c.CheckpointsDamaged);
        Counters("streamengine.records.rejected", "{record}", "Records rejected, by reason.", "reason", Reasons, c => c.Rejected);
        Counters("streamengine.decisions.outcomes", "{decision}", "Decisions by outcome.", "outcome", Symbols<Outcome>(), c => c.Outcomes);
        Counters("streamengine.candidates.dropped", "{candidate}", "Candidates dropped, by reason.", "reason", Symbols<DropReason>(), c =>
            c.Drops);
        Counters("streamengine.actions", "{action}", "Actions by offer.", "offer", [.. engine.Options.Offers.Select(o => o.Name)], c =>
            c.Actions);
        _meter.CreateObservableGauge("streamengine.timers.waiting", () =>
            _open.Keys.Sum(s => s.Counters.TimersWaiting), "{timer}", "Timers that wait.");
        _meter.CreateObservableGauge("streamengine.profiles", () => _open.Keys.Sum(s => s.Profiles), "{profile}", "Profiles held.");
        _meter.CreateObservableGauge("streamengine.state.memory", () =>
            _open.Keys.Sum(s => s.StateBytes), "By", "Memory of the state stores.");
        _meter.CreateObservableGauge("streamengine.shards", () => (long)_open.Count, "{shard}", "Shards owned.");
        _meter.CreateObservableGauge("streamengine.checkpoint.size", () =>
            _open.Keys.Sum(s => s.Counters.CheckpointBytes), "By", "Checkpoint files on the disk.");
        _meter.CreateObservableGauge("streamengine.checkpoint.time", () => _open.Keys.Where(s => s.Counters.CheckpointAt > 0)
            .Select(s =>
            new Measurement<double>(s.Counters.CheckpointAt / 1000.0, new KeyValuePair<string, object?>("partition", s.Partition))), "s",
            "When a partition's newest checkpoint began, seconds since 1970.");
        _meter.CreateObservableGauge("streamengine.lag", Lag, "{record}", "Offsets of a source's partition that are not committed yet (a "
            + "transactional producer's marker behind the last record counts as one); asked every 5 s.");
        _meter.CreateObservableGauge("streamengine.watermark", Watermarks, "s", "Event-time watermark per partition, seconds since 1970.");
    }

    private void CreateOutcomes()
    {
        _meter.CreateObservableCounter("streamengine.outcomes", () => Outcomes(Totals()), "{event}",
            "Outcome events by kind and fate: matched, late, duplicate, unmatched, no_consent.");
        Counters("streamengine.outcomes.closed", "{decision}", "Decisions closed, by status: closed, displaced, withdrawn.", "status",
            [.. Symbols<OutcomeStatus>().Select((s, i) => i < (int)OutcomeStatus.Closed ? "none" : s)], c => c.DecisionsClosed);
        _meter.CreateObservableGauge("streamengine.outcomes.open", () => _open.Keys.Sum(s => s.Counters.OpenDecisions), "{decision}",
            "Decisions that wait for outcomes.");
    }

    private void CreateDeferrals()
    {
        Counters("streamengine.quiet_hours.deferrals", "{decision}", "Decisions that quiet hours let wait, by fate: deferred, decided, "
            + "replaced, displaced, expired, too_long.", "fate", Symbols<DeferralFate>(), c => c.Deferrals);
        _meter.CreateObservableGauge("streamengine.quiet_hours.waiting", () => _open.Keys.Sum(s => s.Counters.DeferredNow), "{decision}",
            "Decisions that wait for the end of quiet hours.");
    }

    private void CreateSegments()
    {
        _meter.CreateObservableCounter("streamengine.segments.changes", () => SegmentChanges(_engine, Totals()), "{change}",
            "Customers that entered or left, by segment and change: enter, leave.");
        _meter.CreateObservableGauge("streamengine.segments.members", () => _engine.Segments.Names.Select((name, i) =>
            new Measurement<long>(_open.Keys.Sum(s => s.Counters.Members[i]), new KeyValuePair<string, object?>("segment", name))),
            "{customer}", "Members by segment, of the shards owned.");
    }

    private void CreateShared()
    {
        Counter("streamengine.shared.written", "{number}", "Shared numbers written.", c => c.SharedWritten);
        Counter("streamengine.shared.marks", "{mark}", "Marks of shared numbers that decisions follow.", c => c.SharedMarks);
    }

    /// <summary>Measures the numbers that all shards share.</summary>
    internal void Watch(SharedBoard shared)
    {
        if (_engine.Policy.Learns) ArmMetrics.Watch(_meter, _engine.Policy, shared);
        _meter.CreateObservableGauge("streamengine.shared.version", () => shared.Current.Version, "{offset}",
            "One past the offset of the newest record of the topic of shared numbers that is decided by. All processes should have about "
            + "the same.");
        _meter.CreateObservableGauge("streamengine.shared.time", () => shared.Current.At is { } at
            ? new[] { new Measurement<double>(at.ToUnixTimeMilliseconds() / 1000.0) } : [], "s",
            "When that record was written, seconds since 1970; from the first one that came while the engine ran.");
        _meter.CreateObservableCounter("streamengine.shared.refused", () => shared.Refused, "{record}",
            "Records of the topic of shared numbers that were passed over, as they are none.");
        if (_engine.Policy.Budgets.Count == 0) return;
        Budget("amount", "What may be spent in the present period of a budget.", s => s.Amount);
        Budget("released", "What may be spent of it by now, as it is paced.", s => s.Released);
        Budget("granted", "What shards were granted of it by now.", s => s.Granted);
        Budget("spent", "What all shards have spent of it.", s => s.Spent);
        Budget("pace", "What was spent of what was released: below 1 where there are too few customers for it.", s => s.Pace);

        void Budget(string what, string description, Func<BudgetState, double> of) => _meter.CreateObservableGauge(
            $"streamengine.budget.{what}", () => BudgetState.Now(_engine.Policy, shared.Current, _time.GetUtcNow().ToUnixTimeMilliseconds())
                .Select(s => new Measurement<double>(of(s), new KeyValuePair<string, object?>("budget", s.Budget))), "{unit}", description);
    }

    private static IEnumerable<Measurement<long>> SegmentChanges(CompiledEngine engine, ShardCounters totals) =>
        engine.Segments.Names.SelectMany((name, i) => new[] { "enter", "leave" }.Select((change, c) => new Measurement<long>(
            totals.SegmentChanges[2 * i + c], new("segment", name), new KeyValuePair<string, object?>("change", change))));

    private void CreateTables()
    {
        Counters("streamengine.lookups.missed", "{lookup}", "Keys of admitted events, and of their items, that were in no row, by table.",
            "table", [.. _engine.TableShapes.Select(t => t.Name)], c => c.LookupsMissed);
        _tables = new TableMetrics(_meter, _engine);
    }

    /// <summary>Measures the tables that are topics.</summary>
    internal void Watch(TableBoard tables) => _tables!.Board = tables;

    /// <summary>A worker looks up in newer tables from now on.</summary>
    internal void Followed(TimeSpan delay) => _tables!.Followed(delay);

    private static IEnumerable<Measurement<long>> Outcomes(ShardCounters totals)
    {
        foreach (var kind in Enum.GetValues<OutcomeKind>().Skip(1))
            foreach (var fate in Enum.GetValues<OutcomeFate>())
                yield return new Measurement<long>(totals.OutcomeEvents[(int)kind * ShardCounters.Fates + (int)fate],
                    new("kind", Spelling.Snake($"{kind}")), new KeyValuePair<string, object?>("fate", Spelling.Snake($"{fate}")));
    }

    private static IEnumerable<Measurement<long>> Sticky(CompiledEngine engine, ShardCounters totals) =>
        engine.Policy.Experiments.SelectMany((e, i) => Symbols<StickyFate>().Select((fate, f) => (Experiment: e, Fate: fate, At: (i, f))))
            .Where(s => s.Experiment.Sticky is not null && s.At.f > 0).Select(s => new Measurement<long>(
                totals.Sticky[s.At.i * ShardCounters.StickyFates + s.At.f], new("experiment", s.Experiment.Name),
                new KeyValuePair<string, object?>("fate", s.Fate)));

    private static IEnumerable<Measurement<long>> Explored(CompiledEngine engine, ShardCounters totals) =>
        engine.Policy.Explorations.SelectMany((e, i) => new[] { "best", "other" }.Select((choice, c) => new Measurement<long>(
            totals.Explored[2 * i + c], new("placement", e.Name), new KeyValuePair<string, object?>("choice", choice))));

    private static IEnumerable<Measurement<long>> Variations(CompiledEngine engine, ShardCounters totals) =>
        engine.Policy.Experiments.SelectMany(e => e.Variations.Select(v => new Measurement<long>(totals.Variations[v.Number],
            new("experiment", e.Name), new KeyValuePair<string, object?>("variation", v.Name))));

    /// <summary>Reject reasons as the dead letter spells them, indexed by <see cref="RejectReason"/>.</summary>
    public static IReadOnlyList<string> Reasons { get; } = Names<RejectReason>();

    /// <summary>Counts and times the models' calls.</summary>
    public ScoreMetrics Scores { get; }

    /// <summary>When and at how much CPU time of the process the first record was processed; null before.</summary>
    public (long Timestamp, TimeSpan Cpu, long Allocated)? First { get; private set; }

    /// <summary>A record is about to be processed: remembers the first.</summary>
    internal void FirstRecord(TimeProvider time)
    {
        if (First is null)
            First = (time.GetTimestamp(), Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes());
    }

    /// <summary>A batch was processed.</summary>
    public void BatchDone(int records, TimeSpan took)
    {
        _batches.Add(1);
        _batch.Record(took.TotalSeconds);
    }

    /// <summary>A commit ended.</summary>
    public void CommitDone(CommitOutcome outcome, TimeSpan took, TimeSpan interval)
    {
        _commits.Add(1, OutcomeLabel(outcome));
        _commit.Record(took.TotalSeconds);
        if (outcome == CommitOutcome.Committed) _interval.Record(interval.TotalSeconds);
    }

    private static KeyValuePair<string, object?> OutcomeLabel(CommitOutcome outcome) =>
        new("outcome", Spelling.Kebab(outcome.ToString()));

    /// <summary>A request was answered.</summary>
    public void RequestDone(string kind, RequestStatus status, TimeSpan took) => _request.Record(
        took.TotalSeconds, new KeyValuePair<string, object?>("kind", kind), StatusLabel(status));

    /// <summary>A request was answered with the config's stand-in.</summary>
    internal void FellBack(RequestStatus status) => _fallbacks.Add(1, StatusLabel(status));

    private static KeyValuePair<string, object?> StatusLabel(RequestStatus status) => new("status", Spelling.Snake(status.ToString()));

    /// <summary>A worker's decisions follow a switch from now on.</summary>
    internal void Switched(TimeSpan delay) => _switch.Record(Math.Max(0, delay.TotalSeconds));

    /// <summary>Measures what is switched off.</summary>
    internal void Watch(SwitchBoard switches)
    {
        _meter.CreateObservableGauge("streamengine.switches.off", () => Enum.GetValues<SwitchKind>()
            .Select(kind => new Measurement<int>(switches.Current.Off.Count(t => t.Kind == kind),
                new KeyValuePair<string, object?>("kind", SwitchTarget.Word(kind)))), "{switch}",
            "What is switched off of what the config has, by kind: all, offer, channel, model.");
        _meter.CreateObservableGauge("streamengine.switches.version", () => switches.Current.Version, "{offset}",
            "The offset of the newest record of the control topic that is known; -1 for none. All processes should have the same.");
        _meter.CreateObservableCounter("streamengine.switches.heard", () => new[]
        {
            new Measurement<long>(switches.HeardByTopic, new KeyValuePair<string, object?>("way", "topic")),
            new Measurement<long>(switches.HeardByCluster, new KeyValuePair<string, object?>("way", "cluster")),
        }, "{switch}", "Switches since the first reading of the control topic, by the way on which they came first.");
    }

    /// <summary>Measures when the workers' loops last moved.</summary>
    internal void Watch(Func<IEnumerable<WorkerTurn>> workers) =>
        _meter.CreateObservableGauge("streamengine.worker.since_turn", () => workers()
            .Select(w => new Measurement<double>(w.Since.TotalSeconds, new KeyValuePair<string, object?>("worker", w.Worker))), "s",
            "The time since a worker's loop last came to its poll: it stands still where that grows.");

    /// <summary>Measures for how long something that the loops depend on has been away.</summary>
    internal void Watch(Func<IEnumerable<Outage>> dependencies) =>
        _meter.CreateObservableGauge("streamengine.dependency.away", () => dependencies()
            .GroupBy(d => d.Label)
            .Select(d => new Measurement<double>(d.Max(o => o.Lasts ?? TimeSpan.Zero).TotalSeconds,
                new KeyValuePair<string, object?>("dependency", d.Key))), "s",
            "For how long a dependency has not answered while it was needed (schema-registry, log); 0 while it answers.");

    /// <summary>Measures who is watched.</summary>
    internal void Watch(CustomerFeed feed)
    {
        _meter.CreateObservableGauge("streamengine.customers.watched", () => feed.Customers, "{customer}",
            "Customers that somebody watches live in this process.");
        _meter.CreateObservableCounter("streamengine.customers.updates", () => feed.Told, "{update}",
            "Updates told to those who watch customers.");
    }

    /// <summary>Partitions of the shards that are open, in order.</summary>
    internal IReadOnlyList<int> Owned => [.. _open.Keys.Select(s => s.Partition).Order()];

    /// <summary>A shard came.</summary>
    public void ShardOpened(Shard shard) => _open[shard] = 0;

    /// <summary>A shard went: its counts stay in the totals.</summary>
    public void ShardClosed(Shard shard)
    {
        if (!_open.TryRemove(shard, out _)) return;
        lock (_closed) _closed.Add(shard.Counters);
    }

    /// <summary>The totals of all shards, open and closed.</summary>
    public ShardCounters Totals()
    {
        var sum = ShardCounters.Of(_engine);
        lock (_closed) sum.Add(_closed);
        foreach (var shard in _open.Keys) sum.Add(shard.Counters);
        return sum;
    }

    /// <summary>How often an offer's default stood in for a model's score, for each model and reason; also where it never did.</summary>
    public static IEnumerable<(string Model, string Reason, long Count)> Fallbacks(CompiledEngine engine, ShardCounters counts)
    {
        for (var i = 0; i < counts.Fallbacks.Length; i++)
            if ((ScoreFault)(i % ShardCounters.Faults) is not ScoreFault.None and var fault)
                yield return (engine.Policy.Models[i / ShardCounters.Faults].Name, Spelling.Snake($"{fault}"), counts.Fallbacks[i]);
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private void Counter(string name, string unit, string what, Func<ShardCounters, long> value) =>
        _meter.CreateObservableCounter(name, () => value(Totals()), unit, what);

    private void Counters(string name, string unit, string what, string label, IReadOnlyList<string> labels,
        Func<ShardCounters, long[]> values) =>
        _meter.CreateObservableCounter(name, () =>
        {
            var all = values(Totals());
            var measured = new List<Measurement<long>>();
            // From the start, also those that never happened: a rate or an alert needs the 0.
            for (var i = 0; i < labels.Count && i < all.Length; i++)
                if (labels[i] != "none") measured.Add(new Measurement<long>(all[i], new KeyValuePair<string, object?>(label, labels[i])));
            return measured;
        }, unit, what);

    /// <summary>Whether the instrument is one of this engine's.</summary>
    public bool Owns(Instrument instrument) => instrument.Meter == _meter;

    /// <summary>The shards that are open now.</summary>
    internal IReadOnlyList<Shard> Open => [.. _open.Keys];

    /// <summary>Records of each open shard's sources that are not committed yet, by partition.</summary>
    internal IReadOnlyDictionary<int, long> Lags
    {
        get
        {
            var lags = new Dictionary<int, long>();
            foreach (var shard in _open.Keys)
            {
                var (ends, committed) = (shard.Counters.Ends, shard.Counters.Committed);
                lags[shard.Partition] = ends.Zip(committed, (end, done) => Math.Max(0, end - done)).Sum();
            }
            return lags;
        }
    }

    /// <summary>The committed offsets of each open shard's sources, by partition; none where they are not known yet.</summary>
    internal IReadOnlyDictionary<int, IReadOnlyList<long>> Positions =>
        _open.Keys.ToDictionary(s => s.Partition, s => (IReadOnlyList<long>)s.Counters.Committed);

    private IEnumerable<Measurement<long>> Lag()
    {
        foreach (var shard in _open.Keys)
        {
            var (ends, committed) = (shard.Counters.Ends, shard.Counters.Committed);
            for (var source = 0; source < Math.Min(ends.Length, committed.Length); source++)
                yield return new Measurement<long>(Math.Max(0, ends[source] - committed[source]),
                    new("topic", _engine.Events.Sources[source].Topic), new("partition", shard.Partition));
        }
    }

    private IEnumerable<Measurement<double>> Watermarks()
    {
        foreach (var shard in _open.Keys)
            if (shard.Counters.Watermark != long.MinValue)
                yield return new Measurement<double>(shard.Counters.Watermark / 1000.0,
                    new KeyValuePair<string, object?>("partition", shard.Partition));
    }

    /// <summary>As the decision record spells them.</summary>
    private static string[] Symbols<T>() where T : struct, Enum => [.. Enum.GetNames<T>().Select(Spelling.Snake)];

    private static string[] Names<T>() where T : struct, Enum => [.. Enum.GetNames<T>().Select(Spelling.Kebab)];
}
