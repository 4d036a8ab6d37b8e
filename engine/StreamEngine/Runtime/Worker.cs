using StreamEngine.Connectors;
using StreamEngine.Inference;
using StreamEngine.State;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>What a worker needs from its surroundings.</summary>
public sealed record WorkerSettings
{
    /// <summary>The compiled config.</summary>
    public required CompiledEngine Engine { get; init; }

    /// <summary>The log it reads and writes.</summary>
    public required ILog Log { get; init; }

    /// <summary>Stable id of group, node and worker.</summary>
    public required string InstanceId { get; init; }

    /// <summary>Opens the state store of a shard.</summary>
    public required Func<int, IStateStore> OpenStore { get; init; }

    /// <summary>Opens the checkpoint files of a shard; null where none are kept.</summary>
    public Func<int, Action<CheckpointEvent>, CheckpointFiles>? OpenCheckpoints { get; init; }

    /// <summary>The most bytes of profiles that a shard copies into one commit's slice of a checkpoint.</summary>
    public int SliceBytes { get; init; } = 256 << 10;

    /// <summary>The clock: of idleness and future bounds, and of the loop's own intervals.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Runs what may wait for the log outside the loop's thread (a restore's first questions). A simulation gives one that runs nothing by itself.</summary>
    public TaskScheduler Background { get; init; } = TaskScheduler.Default;

    /// <summary>Starts a task there.</summary>
    internal Task<T> InBackground<T>(Func<T> work) => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, Background);

    /// <summary>Told what happens outside the ordinary: rebalance, restore, abort.</summary>
    public Action<WorkerEvent> Report { get; init; } = _ => { };
}

/// <summary>Something worth a line in the log.</summary>
/// <param name="Warning">Whether somebody should look at it.</param>
/// <param name="Text">One sentence.</param>
public readonly record struct WorkerEvent(bool Warning, string Text);

/// <summary>
/// One thread with one consumer, one transactional producer and the shards it owns. One turn of the loop:
/// <code>
///  (1) restore   a slice of each shard that is being restored
///  (2) poll      a bounded batch; ownership changes are told here
///  (3) process   each shard its run of records: decode ... decide, emit into the interval's outputs (Shard)
///  (4) write     the new outputs into the open transaction
///  (5) commit    outputs, decisions and the offsets of every shard together, when the interval is over; then each shard copies a slice of its checkpoint
/// </code>
/// The loop polls only when it has room: an interval whose commit failed is kept (state can't be rolled back), and while it is larger than the
/// limit nothing is fetched. An aborted interval is sent again, byte for byte, without the outputs of shards that were lost.
/// </summary>
public sealed class Worker : IOwnership, IDisposable
{
    private readonly WorkerSettings _settings;
    private readonly CompiledEngine _engine;
    private readonly ILogWorker _log;
    private readonly RecordBatch _batch = new();
    private readonly OutputBuffer _outputs = new();
    private readonly Scorer _scorer;
    private readonly SortedDictionary<int, Shard> _shards = [];
    private readonly Dictionary<int, ShardRestore> _restoring = [];
    private readonly Dictionary<int, int> _assigned = [];
    private readonly int _sources, _partitions;
    private readonly EngineMetrics _metrics;

    private static readonly TimeSpan SlowTurn = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(30);

    private OffsetToCommit[] _offsets = [];
    private bool _open;          // a transaction is open
    private int _written;        // outputs already in the open transaction
    private bool _dirty;         // the interval has something to commit
    private bool _stale;         // the open transaction holds outputs of a lost shard, or the last one failed
    private bool _held;          // fetching is stopped because the interval is full
    private bool _silenced;      // a mark of silence was written in the interval
    private bool _broken;        // a step threw: state is ahead of what was written, and nothing may be committed on the way out
    private long _intervalStart;
    private long _lastTurn;      // when the turn before polled
    private long _turned;        // the same, or when it joined: for other threads
    private bool _slow;          // that was long ago

    /// <summary>Joins the group.</summary>
    /// <param name="settings">What it works on.</param>
    /// <param name="metrics">The engine's numbers.</param>
    /// <param name="partitions">Partitions of the sources.</param>
    public Worker(WorkerSettings settings, EngineMetrics metrics, int partitions)
    {
        _partitions = partitions;
        _settings = settings;
        _engine = settings.Engine;
        _metrics = metrics;
        _sources = _engine.Events.Sources.Count;
        _scorer = new Scorer(_engine.Policy.Models);
        _log = settings.Log.OpenWorker(new WorkerOptions
        {
            Group = _engine.Options.Name,
            InstanceId = settings.InstanceId,
            Sources = [.. _engine.Events.Sources.Select(s => s.Topic)],
            Outputs = _engine.Outputs.Names,
            Transactional = _engine.Options.Runtime.Delivery == Delivery.ExactlyOnce,
            First = _engine.Outputs.Decisions,
        });
        _outputs.MaxRecordBytes = _log.MaxOutputBytes;
        _turned = settings.Time.GetTimestamp();
    }

    /// <summary>The shards that are live, by partition. Loop's thread only.</summary>
    public IReadOnlyDictionary<int, Shard> Shards => _shards;

    /// <summary>Restore progress of shards that are not live yet, by partition, 0 to 1. Replaced as a whole, so any thread may read it.</summary>
    public IReadOnlyDictionary<int, double> Restoring { get; private set; } = new Dictionary<int, double>();

    /// <summary>How long ago the loop last came to its poll; any thread may ask.</summary>
    public TimeSpan SinceTurn => Elapsed(Volatile.Read(ref _turned));

    /// <summary>Whether every shard of ours stands at or behind the given offsets, everything before them committed. Loop's thread only.</summary>
    /// <param name="ends">By source and partition, the offset past the last record.</param>
    /// <param name="reached">Called with the partition of each shard that does.</param>
    internal void Reached(long[][] ends, Action<int> reached)
    {
        foreach (var shard in _shards.Values)
        {
            var done = true;
            for (var source = 0; source < _sources && done; source++)
            {
                var end = ends[source][shard.Partition];
                // Markers and aborted records may stand behind the last record: the log's own position passes them.
                done = shard.Next(source) >= end || _log.Position(new TopicPartition(_engine.Events.Sources[source].Topic, shard.Partition)) >= end;
            }
            if (done) reached(shard.Partition);
        }
    }

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
                if (turned is not null && !_dirty && !turned(this)) break;
            }
            // A log that is away must not keep a stopped process alive for ever: what is not committed is made again after the next start.
            var patience = _settings.Time.GetTimestamp();
            while (_dirty && !TryCommit())
            {
                if (Elapsed(patience) > StopPatience) throw new LogException($"Stopped without a commit: the log did not take one for {StopPatience.TotalSeconds:0} s. Nothing is lost; the last events are processed again after the next start.");
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
        RestoreSlices();

        // (2) Poll: with room only.
        var full = _outputs.Bytes > _engine.Options.Runtime.MaxIntervalBytes.Bytes;
        if (full && _dirty && !TryCommit()) Hold();
        else if (_held) Release();
        _slow = _lastTurn != 0 && Elapsed(_lastTurn) > SlowTurn;
        Volatile.Write(ref _turned, _lastTurn = _settings.Time.GetTimestamp());
        _log.Poll(_batch, _engine.Options.Runtime.MaxPollRecords, PollTimeout(), this);
        if (_stale && _open) Abort();

        // (3) Process.
        var started = _settings.Time.GetTimestamp();
        ProcessBatch();
        AdvanceIdle();

        // (4) Write.
        if (_dirty) WriteOutputs();
        if (_batch.Count > 0) _metrics.BatchDone(_batch.Count, Elapsed(started));

        // (5) Commit.
        if (_dirty && Elapsed(_intervalStart) >= _engine.Options.Runtime.CommitInterval) TryCommit();
        else if (!_dirty) AdvanceCuts();
    }

    void IOwnership.Assigned(IReadOnlyList<TopicPartition> partitions)
    {
        foreach (var p in partitions) _assigned[p.Partition] = _assigned.GetValueOrDefault(p.Partition) + 1;
        foreach (var shard in partitions.Select(p => p.Partition).Distinct())
        {
            if (_assigned[shard] != _sources || _shards.ContainsKey(shard) || _restoring.ContainsKey(shard)) continue;
            var fresh = new Shard(_engine, shard, _settings.OpenStore(shard), _outputs, _scorer, _settings.Time, _partitions);
            ShardCheckpoints.Keep(fresh, _settings);
            _restoring[shard] = new ShardRestore(_settings, fresh);
            _metrics.ShardOpened(fresh);
        }
    }

    void IOwnership.Revoked(IReadOnlyList<TopicPartition> partitions)
    {
        for (var tries = 0; _dirty && !_broken && tries < 3 && !TryCommit(); tries++) { }
        Close(partitions, lost: _dirty);
    }

    void IOwnership.Lost(IReadOnlyList<TopicPartition> partitions) => Close(partitions, lost: true);

    /// <summary>Makes <see cref="Dispose"/> leave the group for good, so that others take over at once. Loop's thread only.</summary>
    internal void Leave() => _log.Leave();

    /// <summary>Leaves the group: what is done was committed by <see cref="Run"/>.</summary>
    public void Dispose()
    {
        _log.Dispose();
        foreach (var shard in _shards.Values.Concat(_restoring.Values.Select(r => r.Shard))) shard.Dispose();
        foreach (var restore in _restoring.Values) restore.Dispose();
        _scorer.Dispose();
    }

    private void RestoreSlices()
    {
        if (_restoring.Count == 0) return;
        foreach (var (partition, restore) in _restoring.ToArray())
        {
            if (!restore.Slice())
            {
                PublishRestoring();
                continue;
            }
            _restoring.Remove(partition);
            PublishRestoring();
            restore.Dispose();
            var shard = _shards[partition] = restore.Shard;
            if (restore.Tail is { } tail)
            {
                shard.CatchUp(tail);
                MarkDirty();
                _silenced = true;
            }
            for (var source = 0; source < _sources; source++)
                _log.Resume([new TopicPartition(_engine.Events.Sources[source].Topic, partition)], shard.Next(source));
            if (_held) _log.Pause(Partitions(partition));
        }
    }

    private void PublishRestoring() => Restoring = _restoring.ToDictionary(r => r.Key, r => r.Value.Progress);

    private void ProcessBatch()
    {
        var count = _batch.Count;
        for (var from = 0; from < count;)
        {
            var partition = _batch[from].Partition;
            var to = from + 1;
            while (to < count && _batch[to].Partition == partition) to++;
            if (_shards.TryGetValue(partition, out var shard))
            {
                MarkDirty();
                _metrics.FirstRecord();
                shard.Process(_batch, from, to);
            }
            from = to;
        }
    }

    private void AdvanceIdle()
    {
        // Idle is a partition that was asked and had nothing. While an interval waits, nothing is asked.
        if (_engine.Options.Time.IdleAfter <= TimeSpan.Zero && _sources == 1 || _held) return;
        // At least once, offsets don't tell on which side of a commit such a mark lies: with one in an interval, the next one tells that of the one before.
        if (_silenced && _engine.Options.Runtime.Delivery == Delivery.AtLeastOnce) return;
        foreach (var shard in _shards.Values)
        {
            // Where the loop itself stood still (a slow commit, a stopped process), the silence was ours.
            if (_slow) shard.NotIdle();
            else if (shard.AdvanceIdle())
            {
                MarkDirty();
                _silenced = true;
            }
        }
    }

    /// <summary>Nothing waits for a commit: checkpoints go on without one.</summary>
    private void AdvanceCuts()
    {
        foreach (var shard in _shards.Values)
            if (shard.CutNeedsCommit) MarkDirty();
            else shard.AdvanceCut();
    }

    private void MarkDirty()
    {
        if (_dirty) return;
        _dirty = true;
        _intervalStart = _settings.Time.GetTimestamp();
    }

    private void WriteOutputs()
    {
        if (!_open)
        {
            _log.Begin();
            _open = true;
            _written = 0;
        }
        if (_written == _outputs.Count) return;
        _log.Write(_outputs, _written, _outputs.Count);
        _written = _outputs.Count;
    }

    /// <summary>Commits the interval; false where it is still to be committed.</summary>
    private bool TryCommit()
    {
        if (_shards.Count == 0)
        {
            // Every shard is gone, and with them what they wrote: nothing may be committed for them.
            if (_open) Abort();
            Forget();
            return true;
        }
        foreach (var shard in _shards.Values) shard.Committing();
        WriteOutputs();
        var started = _settings.Time.GetTimestamp();
        var outcome = _log.Commit(Offsets());
        _open = false;
        _metrics.CommitDone(outcome, Elapsed(started), Elapsed(_intervalStart));
        switch (outcome)
        {
            case CommitOutcome.Committed:
                Forget();
                return true;
            case CommitOutcome.Waiting:
                _open = true;
                return false;
            case CommitOutcome.Aborted:
                Failed("The commit was aborted; what is still owned is sent again.");
                return false;
            default:
                Failed(outcome == CommitOutcome.Fenced ? "The producer was fenced or failed for good; it is rebuilt." : "The outcome of the commit is unknown; the producer is rebuilt and the log asked.");
                _log.Rebuild();
                if (_engine.Options.Runtime.Delivery == Delivery.AtLeastOnce || !IntervalInLog.Contains(_settings.Log, _engine, _outputs, _shards.Values)) return false;
                Forget();
                return true;
        }
    }

    private void Failed(string what)
    {
        _stale = false;
        _intervalStart = _settings.Time.GetTimestamp();
        _settings.Report(new WorkerEvent(true, what));
    }

    private void Forget()
    {
        _outputs.Clear();
        foreach (var shard in _shards.Values) shard.Committed();
        _dirty = _stale = _silenced = false;
        _written = 0;
    }

    private void Abort()
    {
        if (_log.Abort() is CommitOutcome.Fenced or CommitOutcome.Unknown) _log.Rebuild();
        _open = _stale = false;
    }

    private void Close(IReadOnlyList<TopicPartition> partitions, bool lost)
    {
        foreach (var p in partitions)
        {
            if (!_assigned.Remove(p.Partition)) continue;
            if (_restoring.Remove(p.Partition, out var restore))
            {
                restore.Shard.Dispose();
                restore.Dispose();
                _metrics.ShardClosed(restore.Shard);
            }
            if (!_shards.Remove(p.Partition, out var shard)) continue;
            if (lost && _dirty)
            {
                _outputs.Drop(s => s == p.Partition);
                _stale = true;
                // What is still queued must not follow the next owner's records; a transaction sees to that by itself.
                if (_open && _engine.Options.Runtime.Delivery == Delivery.AtLeastOnce) Abort();
                _settings.Report(new WorkerEvent(true, $"Shard {p.Partition} was lost before its interval was committed: its outputs are dropped, its next owner makes them again."));
            }
            shard.Dispose();
            _metrics.ShardClosed(shard);
        }
    }

    private void Hold()
    {
        if (_held) return;
        foreach (var shard in _shards.Keys) _log.Pause(Partitions(shard));
        _held = true;
    }

    private void Release()
    {
        foreach (var (partition, shard) in _shards)
        {
            _log.Resume(Partitions(partition));
            shard.NotIdle();
        }
        _held = false;
    }

    /// <summary>Lets ownership changes through while an interval waits for its commit.</summary>
    private void Serve()
    {
        Hold();
        _log.Poll(_batch, _engine.Options.Runtime.MaxPollRecords, TimeSpan.FromMilliseconds(50), this);
        if (_stale && _open) Abort();
        ProcessBatch();
    }

    private TimeSpan PollTimeout()
    {
        if (_restoring.Count > 0) return _restoring.Values.Any(r => !r.Waits) ? TimeSpan.Zero : TimeSpan.FromMilliseconds(5);
        if (_held) return TimeSpan.FromMilliseconds(50);
        var idle = TimeSpan.FromMilliseconds(100);
        if (!_dirty) return _shards.Values.Any(s => s.CutIsBusy) ? TimeSpan.FromMilliseconds(1) : idle;
        var left = _engine.Options.Runtime.CommitInterval - Elapsed(_intervalStart);
        return left <= TimeSpan.Zero ? TimeSpan.Zero : left < idle ? left : idle;
    }

    private ReadOnlySpan<OffsetToCommit> Offsets()
    {
        var needed = _shards.Count * _sources;
        if (_offsets.Length < needed) _offsets = new OffsetToCommit[needed];
        var n = 0;
        foreach (var shard in _shards.Values)
            for (var source = 0; source < _sources; source++) _offsets[n++] = new OffsetToCommit(source, shard.Partition, shard.Next(source));
        return _offsets.AsSpan(0, n);
    }

    private List<TopicPartition> Partitions(int partition) => [.. _engine.Events.Sources.Select(s => new TopicPartition(s.Topic, partition))];

    private TimeSpan Elapsed(long since) => _settings.Time.GetElapsedTime(since);
}
