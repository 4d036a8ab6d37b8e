using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Events.Tables;
using StreamEngine.Runtime.Requests;
using StreamEngine.Telemetry;

namespace StreamEngine.Runtime;

/// <summary>
/// One thread with one consumer, one transactional producer and the shards it owns. One turn of the loop:
/// <code>
///  (1) restore   a slice of each shard that is being restored; what waited for a schema goes on once it is there
///  (2) poll      a bounded batch; ownership changes are told here
///  (-) switch    what is switched off is read once, here; where that is news, each shard logs it before it decides by it
///  (3) process   each shard its run of records: decode, admit, update, open decisions (Shard)
///  (4) serve     a bounded number of the requests that wait in the shards' inboxes
///  (5) decide    what events, timers and requests have opened, of all shards: one model run, then each in its order into the outputs
///                (DecisionBatch)
///  (6) write     the new outputs into the open transaction
///  (7) commit    outputs, decisions and the offsets of every shard together, when the interval is over or an answer waits for it; each
///                shard copies a slice of its checkpoint. The commit goes on beside the loop (Interval)
/// </code>
/// The loop polls only when it has room: while an interval whose commit failed is larger than the limit, nothing is fetched.
/// </summary>
public sealed class Worker : IOwnership, IDisposable
{
    private static readonly TimeSpan SlowTurn = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan IdlePoll = TimeSpan.FromMilliseconds(100);

    private readonly WorkerSettings _settings;
    private readonly CompiledEngine _engine;
    private readonly EngineMetrics _metrics;
    private readonly PartitionCounts _partitions;
    private readonly ILogWorker _log;
    private readonly RecordBatch _batch = new();
    private readonly DecisionBatch _decisions;
    private readonly LoopSignal _requested;
    private readonly List<ShardRequest> _served = [];
    private readonly OwnedShards _owned;
    private readonly Interval _interval;
    private readonly IntervalTrace _trace;
    private readonly SourceWatch _watch;

    private bool _broken;        // a step threw: state is ahead of what was written, and nothing may be committed on the way out
    private long _lastTurn;      // when the turn before polled
    private long _turned;        // the same, or when it joined: for other threads
    private bool _slow;          // that was long ago
    private bool _toldEvicted;
    private string? _awaited;    // why the ids of the outputs' schemas are not known
    private Switches? _switches; // that were read last
    private TableViews? _tables; // the same
    private SharedNumbers _shared = SharedNumbers.None; // the same

    /// <summary>Joins the group.</summary>
    /// <param name="settings">What it works on.</param>
    /// <param name="metrics">The engine's numbers.</param>
    /// <param name="partitions">Partitions of the topics.</param>
    public Worker(WorkerSettings settings, EngineMetrics metrics, PartitionCounts partitions)
    {
        _settings = settings;
        _engine = settings.Engine;
        _metrics = metrics;
        _partitions = partitions;
        _decisions = new DecisionBatch(_engine, settings.Report, metrics.Scores);
        _log = settings.Log.OpenWorker(new WorkerOptions
        {
            Group = _engine.Options.Name,
            InstanceId = settings.InstanceId,
            Sources = [.. _engine.Events.Sources.Select(s => s.Topic)],
            Outputs = _engine.Outputs.Names,
            Transactional = _engine.Options.Runtime.Delivery == Delivery.ExactlyOnce,
            First = _engine.Outputs.Decisions,
        });
        _requested = new LoopSignal(_log.Wake);
        _trace = new IntervalTrace(settings.Time, settings.InstanceId);
        _owned = new OwnedShards(settings, _log, metrics, _requested, _trace);
        _interval = new Interval(settings, _log, _owned, metrics, _trace);
        _watch = settings.Watch ?? new SourceWatch(_engine, settings.Time, settings.Report);
        _turned = settings.Time.GetTimestamp();
        Registry = new Outage("schema registry", settings.Time, settings.Report);
    }

    /// <summary>The shards that are live, by partition. Loop's thread only.</summary>
    public IReadOnlyDictionary<int, Shard> Shards => _owned.Live;

    /// <summary>Restore progress of shards that are not live yet, by partition, 0 to 1. Any thread may read it.</summary>
    public IReadOnlyDictionary<int, double> Restoring => _owned.Progress;

    /// <summary>Whether the schema registry is waited for; any thread may ask.</summary>
    public Outage Registry { get; }

    /// <summary>How long ago the loop last came to its poll; any thread may ask.</summary>
    public TimeSpan SinceTurn => Elapsed(Volatile.Read(ref _turned));

    /// <summary>
    /// Whether every shard of ours stands at or behind the given offsets, everything before them committed. Loop's thread only.
    /// </summary>
    /// <param name="ends">By source and partition, the offset past the last record.</param>
    /// <param name="reached">Called with the partition of each shard that does.</param>
    internal void Reached(long[][] ends, Action<int> reached) => _owned.Reached(ends, reached);

    /// <summary>Runs turns until told to stop, then commits and leaves.</summary>
    /// <param name="stop">Stops the loop at the end of a turn.</param>
    /// <param name="turned">Called after each turn on the loop's thread; false stops the loop too (drain).</param>
    public void Run(CancellationToken stop, Func<Worker, bool>? turned = null)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                Turn();
                if (turned is not null && (_interval.TakeCommitted() || _interval.IsEmpty) && !turned(this)) break;
            }
            // A log that is away must not keep a stopped process alive for ever: what is not committed is made again after the next start.
            var patience = _settings.Time.GetTimestamp();
            while (!_interval.IsEmpty && !_interval.TryCommit())
            {
                if (Elapsed(patience) > StopPatience)
                    throw new LogException($"Stopped without a commit: the log did not take one for {StopPatience.TotalSeconds:0} s. "
                        + "Nothing is lost; the last events are processed again after the next start.");
                Serve();
            }
        }
        catch
        {
            _broken = true;
            throw;
        }
    }

    /// <summary>One turn of the loop, as the class says.</summary>
    public void Turn()
    {
        // (1) Restore: in slices, so that this worker's other shards keep committing.
        //     Without the ids of the outputs' schemas no shard may come to write.
        _awaited = _engine.OutputIds?.Awaited();
        //     Without what is switched off none may come to decide.
        if (MayRestore) _owned.RestoreSlices(_interval);
        TellWaiting(_owned.StillWaiting());

        // (2) Poll: with room only.
        if (_interval.IsFull && !_interval.MakeRoom()) _owned.Hold();
        else _owned.Release();
        _slow = _lastTurn != 0 && Elapsed(_lastTurn) > SlowTurn;
        Volatile.Write(ref _turned, _lastTurn = _settings.Time.GetTimestamp());
        var polling = _trace.Now;
        Poll(PollTimeout());
        Switch();

        // (3) Process, (4) serve and (5) decide.
        var started = _settings.Time.GetTimestamp();
        var processing = _trace.Now;
        ProcessBatch();
        ServeRequests();
        if (IntervalTrace.IsOn) Trace(polling, processing);
        Decide();
        GatherNews();
        AdvanceIdle();

        // (6) Write.
        _interval.Write();
        if (_batch.Count > 0) _metrics.BatchDone(_batch.Count, Elapsed(started));

        // (7) Commit.
        if (_interval.IsDue) _interval.Seal();
        else if (_interval.IsEmpty) AdvanceCuts();
    }

    void IOwnership.Assigned(IReadOnlyList<TopicPartition> partitions) => _owned.Assign(partitions, partition =>
        new Shard(_engine, partition, _settings.OpenStore(partition), _interval.Outputs, _decisions, _settings.Time, _partitions)
        { Watch = _watch, Watches = _settings.Feed?.Of(partition) });

    void IOwnership.Revoked(IReadOnlyList<TopicPartition> partitions)
    {
        for (var tries = 0; !_interval.IsEmpty && !_broken && tries < 3 && !_interval.TryCommit(); tries++) { }
        Close(partitions, lost: !_interval.IsEmpty);
    }

    void IOwnership.Lost(IReadOnlyList<TopicPartition> partitions) => Close(partitions, lost: true);

    /// <summary>Makes <see cref="Dispose"/> leave the group for good, so that others take over at once. Loop's thread only.</summary>
    internal void Leave() => _log.Leave();

    /// <summary>Leaves the group: what is done was committed by <see cref="Run"/>.</summary>
    public void Dispose()
    {
        _log.Dispose();
        _owned.Dispose();
        _decisions.Dispose();
    }

    private void Poll(TimeSpan timeout)
    {
        _batch.KeepsTraceParents = IntervalTrace.IsOn;
        _log.Poll(_batch, _engine.Options.Runtime.MaxPollRecords, timeout, this);
        _interval.Settle();
    }

    private bool MayRestore => _awaited is null && _settings.Switches is not { IsReady: false }
        && _settings.Tables is not { IsReady: false } && _settings.Shared is not { IsReady: false };

    /// <summary>
    /// Nothing waits to be decided here: whatever is decided in this turn follows what is read now, and whatever is decoded in it looks up
    /// in the tables as they are now, and follows the shared numbers of now. Where no topic is followed any more, everything is on.
    /// </summary>
    private void Switch()
    {
        var switches = _settings.Switches?.Current ?? _engine.Policy.AllOn;
        if (_owned.Switch(switches)) _interval.Touch();
        var tables = _settings.Tables?.Current ?? TableViews.None;
        _owned.Follow(tables);
        if (!ReferenceEquals(_tables, tables) && tables.At is { } written) _metrics.Followed(_settings.Time.GetUtcNow() - written);
        _tables = tables;
        _shared = _settings.Shared?.Current ?? SharedNumbers.None;
        if (_settings.Shared is { } board && _owned.Renew(board.Generation)) _interval.Touch();
        if (_owned.Allocate(_shared)) _interval.Touch();
        if (ReferenceEquals(_switches, switches)) return;
        _switches = switches;
        if (switches.At is { } at) _metrics.Switched(_settings.Time.GetUtcNow() - at);
    }

    private void ProcessBatch()
    {
        var count = _batch.Count;
        for (var from = 0; from < count;)
        {
            var partition = _batch[from].Partition;
            var to = from + 1;
            while (to < count && _batch[to].Partition == partition) to++;
            // Where a shard waits, what the log had fetched already is read again once it goes on.
            if (_owned.Live.TryGetValue(partition, out var shard) && shard.WaitsFor is null)
            {
                _interval.Touch();
                _metrics.FirstRecord(_settings.Time);
                shard.Follow(_tables!);
                shard.Share(_shared);
                if (shard.Process(_batch, from, to) < to) _owned.Stall(shard);
                _watch.TakeMisplaced(shard);
                TellEvicted(shard);
            }
            from = to;
        }
    }

    private void TellEvicted(Shard shard)
    {
        if (_toldEvicted || shard.Counters.DuplicatesEvicted == 0) return;
        _toldEvicted = true;
        _settings.Report(new WorkerEvent(true, $"Shard {shard.Partition}: {_engine.Duplicates!.Evicting}"));
    }

    private void TellWaiting(IReadOnlyList<Shard> waiting)
    {
        if (_awaited is { Length: 0 }) return;
        if (_awaited is not null) Registry.Away(_awaited, "All shards wait for the ids of the outputs' schemas; nothing is lost.");
        else if (waiting.Count == 0) Registry.Back();
        else Registry.Away(waiting[0].WaitsFor!, $"{(waiting.Count == 1 ? "Shard" : "Shards")} "
            + $"{string.Join(", ", waiting.Select(s => s.Partition))} {(waiting.Count == 1 ? "waits" : "wait")} for a schema; nothing is "
            + "lost.");
    }

    /// <summary>While the interval waits for its commit nothing is served: what a request did would wait with it.</summary>
    private void ServeRequests()
    {
        if (!_requested.IsRaised || _owned.IsHeld || !_requested.Take()) return;
        if (_owned.Serve(_engine.Options.Requests.MaxPerTurn, _shared, _served.Add)) _requested.Keep();
        if (_served.Count == 0) return;
        _interval.Touch();
        foreach (var request in _served)
            if (_owned.Live.TryGetValue(request.Shard, out var shard)) TellEvicted(shard);
    }

    /// <summary>Decides what was opened; then the requests of the turn have their answers.</summary>
    private void Decide()
    {
        var began = _trace.Now;
        if (_decisions.Flush()) _trace.Step("decide", began);
        foreach (var request in _served)
            if (request.IsMade) _interval.Answer(request);
        _served.Clear();
    }

    /// <summary>What the turn did to customers that somebody watches is told once it is committed.</summary>
    private void GatherNews()
    {
        if (_settings.Feed is null) return;
        foreach (var shard in _owned.Live.Values)
            if (shard.Watches!.HasNews) shard.Watches.Gather(shard, _interval.Tell);
    }

    /// <summary>What the turn did so far goes into the interval's trace.</summary>
    private void Trace(DateTimeOffset polling, DateTimeOffset processing)
    {
        if (_interval.IsEmpty) return;
        _trace.Begin(polling);
        if (_batch.Count > 0) _trace.Step("poll", polling, processing);
        _trace.Step("process", processing);
        for (var i = 0; i < _batch.TraceParents.Count && _trace.TakesLinks; i++) _trace.Link(_batch.TraceParents[i]);
        foreach (var request in _served) _trace.Link(request.Trace);
    }

    private void AdvanceIdle()
    {
        // Idle is a partition that was asked and had nothing. While an interval waits, nothing is asked.
        if (_engine.Options.Time.IdleAfter <= TimeSpan.Zero && _engine.Events.Sources.Count == 1 || _owned.IsHeld) return;
        // At least once, offsets don't tell on which side of a commit such a mark lies: with one in an interval, the next one tells that of
        // the one before.
        if (_interval.IsSilenced && _engine.Options.Runtime.Delivery == Delivery.AtLeastOnce) return;
        foreach (var shard in _owned.Live.Values)
        {
            // Where the loop itself stood still (a slow commit, a stopped process), or the shard waits, the silence was ours.
            if (_slow || shard.WaitsFor is not null) shard.NotIdle();
            else if (shard.AdvanceIdle(_shared)) _interval.TouchBySilence();
        }
    }

    /// <summary>Nothing waits for a commit: checkpoints go on without one.</summary>
    private void AdvanceCuts()
    {
        foreach (var shard in _owned.Live.Values)
            if (shard.CutNeedsCommit) _interval.Touch();
            else shard.AdvanceCut();
    }

    private void Close(IReadOnlyList<TopicPartition> partitions, bool lost) => _owned.Close(partitions, shard =>
    {
        if (!lost || _interval.IsEmpty) return;
        _interval.Drop(shard.Partition);
        _settings.Report(new WorkerEvent(true,
            $"Shard {shard.Partition} was lost before its interval was committed: its outputs are dropped, its next owner makes them "
                + "again."));
    });

    /// <summary>Lets ownership changes through while an interval waits for its commit.</summary>
    private void Serve()
    {
        _owned.Hold();
        Poll(TimeSpan.FromMilliseconds(50));
        Switch();
        ProcessBatch();
        Decide();
        GatherNews();
    }

    private TimeSpan PollTimeout()
    {
        if (_owned.AnyRestoring) return MayRestore && _owned.AnyRestoreHasWork ? TimeSpan.Zero : TimeSpan.FromMilliseconds(5);
        if (_owned.IsHeld) return TimeSpan.FromMilliseconds(50);
        if (_requested.IsRaised) return TimeSpan.Zero;
        if (_interval.IsCommitting) return IdlePoll; // the log wakes us at its end
        if (_interval.IsEmpty) return _owned.Live.Values.Any(s => s.CutIsBusy) ? TimeSpan.FromMilliseconds(1) : IdlePoll;
        var left = _interval.Left;
        return left <= TimeSpan.Zero ? TimeSpan.Zero : left < IdlePoll ? left : IdlePoll;
    }

    private TimeSpan Elapsed(long since) => _settings.Time.GetElapsedTime(since);
}
