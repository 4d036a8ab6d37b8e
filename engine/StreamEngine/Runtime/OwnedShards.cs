using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Events.Tables;
using StreamEngine.Runtime.Requests;
using StreamEngine.Telemetry;

namespace StreamEngine.Runtime;

/// <summary>
/// The shards that a worker owns: those that are live, and those that are being restored, in slices between polls. Knows which partitions
/// were assigned, what is committed for them, and whether they are fetched.
/// </summary>
internal sealed class OwnedShards(WorkerSettings settings, ILogWorker log, EngineMetrics metrics, LoopSignal requested, IntervalTrace trace)
    : IDisposable
{
    private readonly CompiledEngine _engine = settings.Engine;
    private readonly int _sources = settings.Engine.Events.Sources.Count;
    private readonly SortedDictionary<int, Shard> _live = [];
    private readonly Dictionary<int, ShardRestore> _restoring = [];
    private readonly Dictionary<int, int> _assigned = [];   // by partition, of how many sources
    private readonly SortedDictionary<int, ShardInbox> _inboxes = [];
    private OffsetToCommit[] _offsets = [];
    private long _generation;       // of the topic of shared numbers that live shards write to
    private Switches? _switches;    // that every live shard follows; null where one is new
    private TableViews _tables = TableViews.None;

    /// <summary>The live shards, by partition.</summary>
    public IReadOnlyDictionary<int, Shard> Live => _live;

    /// <summary>How many shards are live.</summary>
    public int Count => _live.Count;

    /// <summary>Whether some shard is being restored.</summary>
    public bool AnyRestoring => _restoring.Count > 0;

    /// <summary>Whether some restore has work to do, and not only an answer to wait for.</summary>
    public bool AnyRestoreHasWork => _restoring.Values.Any(r => !r.Waits);

    /// <summary>Restore progress by partition, 0 to 1. Replaced as a whole, so any thread may read it.</summary>
    public IReadOnlyDictionary<int, double> Progress { get; private set; } = new Dictionary<int, double>();

    /// <summary>Whether fetching is stopped because the interval is full.</summary>
    public bool IsHeld { get; private set; }

    /// <summary>Partitions came: a shard whose partition came of every source begins its restore.</summary>
    /// <param name="partitions">What came.</param>
    /// <param name="open">Makes a shard for a partition.</param>
    public void Assign(IReadOnlyList<TopicPartition> partitions, Func<int, Shard> open)
    {
        foreach (var p in partitions) _assigned[p.Partition] = _assigned.GetValueOrDefault(p.Partition) + 1;
        foreach (var partition in partitions.Select(p => p.Partition).Distinct())
        {
            if (_assigned[partition] != _sources || _live.ContainsKey(partition) || _restoring.ContainsKey(partition)) continue;
            var fresh = open(partition);
            fresh.Watches?.Begin();
            ShardCheckpoints.Keep(fresh, settings);
            _restoring[partition] = new ShardRestore(settings, fresh);
            metrics.ShardOpened(fresh);
            if (settings.Directory is null) continue;
            settings.Directory.Add(_inboxes[partition] = new ShardInbox(partition, _engine.Options.Requests.Inbox, requested));
        }
        PublishProgress();
    }

    /// <summary>Partitions are going or gone: their shards are closed.</summary>
    /// <param name="partitions">What goes.</param>
    /// <param name="gone">Told of each live shard, before it is closed.</param>
    public void Close(IReadOnlyList<TopicPartition> partitions, Action<Shard> gone)
    {
        foreach (var p in partitions)
        {
            if (!_assigned.Remove(p.Partition)) continue;
            CloseInbox(p.Partition);
            if (_restoring.Remove(p.Partition, out var restore))
            {
                restore.Shard.Dispose();
                restore.Dispose();
                metrics.ShardClosed(restore.Shard);
                PublishProgress();
            }
            if (!_live.Remove(p.Partition, out var shard)) continue;
            gone(shard);
            shard.Dispose();
            metrics.ShardClosed(shard);
        }
    }

    /// <summary>A slice of each restore; a shard that is done goes live and is fetched from where it stands.</summary>
    /// <param name="interval">Takes what a shard that goes on behind a predecessor writes.</param>
    public void RestoreSlices(Interval interval)
    {
        if (_restoring.Count == 0) return;
        foreach (var (partition, restore) in _restoring.ToArray())
        {
            if (restore.Slice())
            {
                _restoring.Remove(partition);
                restore.Dispose();
                GoLive(restore, interval);
            }
            PublishProgress();
        }
    }

    /// <summary>A shard has a record that must wait: its partitions are not fetched until it goes on.</summary>
    public void Stall(Shard shard) => log.Pause(Partitions(shard.Partition));

    /// <summary>Lets shards that waited go on where they stand, and returns those that still wait.</summary>
    public IReadOnlyList<Shard> StillWaiting()
    {
        List<Shard>? waiting = null;
        foreach (var shard in _live.Values)
        {
            if (shard.WaitsFor is null) continue;
            if (!shard.GoesOn())
            {
                (waiting ??= []).Add(shard);
                continue;
            }
            Fetch(shard);
            shard.NotIdle();
        }
        foreach (var restore in _restoring.Values)
            if (restore.Shard.WaitsFor is not null) (waiting ??= []).Add(restore.Shard);
        return waiting ?? (IReadOnlyList<Shard>)[];
    }

    /// <summary>The live shards' decisions follow these switches from now on; true where something was written.</summary>
    public bool Switch(Switches switches)
    {
        if (ReferenceEquals(_switches, switches)) return false;
        _switches = switches;
        var wrote = false;
        foreach (var shard in _live.Values) wrote |= shard.Switch(switches);
        return wrote;
    }

    /// <summary>What is decoded from now on looks up in these tables; each shard logs that once it has something to decode.</summary>
    public void Follow(TableViews tables)
    {
        if (ReferenceEquals(_tables, tables)) return;
        _tables = tables;
        foreach (var shard in _live.Values) shard.Forget(tables);
    }

    /// <summary>Live shards write all that they add to the shared numbers again where their topic was made anew; true where any does.
    /// </summary>
    public bool Renew(long generation)
    {
        if (generation == _generation) return false;
        _generation = generation;
        var wrote = false;
        foreach (var shard in _live.Values) wrote |= shard.Renew(generation);
        return wrote;
    }

    /// <summary>Grants all shards what they may spend of budgets, where a live shard has to; true where any grant was raised.</summary>
    public bool Allocate(SharedNumbers numbers) => _live.TryGetValue(BudgetLedger.Shard, out var shard) && shard.Allocate(numbers);

    /// <summary>Serves requests that wait, each shard's in their order, the shards by turns.</summary>
    /// <param name="most">How many are served at most.</param>
    /// <param name="numbers">The shared numbers that their decisions follow.</param>
    /// <param name="served">Told of each; its answer is there once the batch is decided.</param>
    /// <returns>Whether some still wait.</returns>
    public bool Serve(int most, SharedNumbers numbers, Action<ShardRequest> served)
    {
        var now = settings.Time.GetTimestamp();
        while (true)
        {
            var any = false;
            foreach (var (partition, inbox) in _inboxes)
            {
                if (!_live.TryGetValue(partition, out var shard) || !inbox.TryDequeue(out var request)) continue;
                any = true;
                if (request.Deadline < now)
                {
                    request.Fail(RequestStatus.TimedOut, "nobody waits for it any more");
                    continue;
                }
                if (request is DecideCall)
                {
                    shard.Follow(_tables);
                    shard.Share(numbers);
                }
                shard.Serve(request);
                served(request);
                if (--most == 0) return true;
            }
            if (!any) return false;
        }
    }

    /// <summary>The next offsets of every live shard. Valid until the next call.</summary>
    public ReadOnlySpan<OffsetToCommit> Offsets()
    {
        var needed = _live.Count * _sources;
        if (_offsets.Length < needed) _offsets = new OffsetToCommit[needed];
        var n = 0;
        foreach (var shard in _live.Values)
            for (var source = 0; source < _sources; source++)
                _offsets[n++] = new OffsetToCommit(source, shard.Partition, shard.Next(source));
        return _offsets.AsSpan(0, n);
    }

    /// <summary>What the shards have applied is what the commit that now begins is about.</summary>
    public void Seal()
    {
        foreach (var shard in _live.Values) shard.Seal();
    }

    /// <summary>That commit was confirmed.</summary>
    public void Committed()
    {
        foreach (var shard in _live.Values) shard.Committed();
    }

    /// <summary>Stops fetching: the interval has no room.</summary>
    public void Hold()
    {
        if (IsHeld) return;
        foreach (var shard in _live.Keys) log.Pause(Partitions(shard));
        IsHeld = true;
    }

    /// <summary>Fetches again. The silence meanwhile was ours, not the partitions'.</summary>
    public void Release()
    {
        if (!IsHeld) return;
        foreach (var (partition, shard) in _live)
        {
            if (shard.WaitsFor is null) log.Resume(Partitions(partition));
            shard.NotIdle();
        }
        IsHeld = false;
    }

    /// <summary>Tells which shards stand at or behind the given offsets, everything before them committed.</summary>
    /// <param name="ends">By source and partition, the offset past the last record.</param>
    /// <param name="reached">Called with the partition of each shard that does.</param>
    public void Reached(long[][] ends, Action<int> reached)
    {
        foreach (var shard in _live.Values)
        {
            // What waits was fetched already, so the log's position tells nothing of it.
            var done = shard.WaitsFor is null;
            for (var source = 0; source < _sources && done; source++)
            {
                var end = ends[source][shard.Partition];
                // Markers and aborted records may stand behind the last record: the log's own position passes them.
                var committed = shard.CommittedNext(source);
                done = committed >= end || committed == shard.Next(source)
                    && log.Position(new TopicPartition(_engine.Events.Sources[source].Topic, shard.Partition)) >= end;
            }
            if (done) reached(shard.Partition);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var partition in _inboxes.Keys.ToArray()) CloseInbox(partition);
        foreach (var shard in _live.Values.Concat(_restoring.Values.Select(r => r.Shard))) shard.Dispose();
        foreach (var restore in _restoring.Values) restore.Dispose();
    }

    private void GoLive(ShardRestore restore, Interval interval)
    {
        var shard = _live[restore.Shard.Partition] = restore.Shard;
        _switches = null;
        if (shard.Renew(_generation)) interval.Touch();
        trace.Restored(shard.Partition, restore.Took);
        if (restore.Tail is { } tail)
        {
            shard.CatchUp(tail, settings.Tables);
            interval.TouchBySilence();
        }
        shard.Forget(_tables);
        Fetch(shard);
        if (_inboxes.TryGetValue(shard.Partition, out var inbox)) settings.Directory!.Open(inbox);
    }

    /// <summary>Fetches a shard's partitions from where it stands.</summary>
    private void Fetch(Shard shard)
    {
        for (var source = 0; source < _sources; source++)
            log.Resume([new TopicPartition(_engine.Events.Sources[source].Topic, shard.Partition)], shard.Next(source));
        if (IsHeld) log.Pause(Partitions(shard.Partition));
    }

    private void CloseInbox(int partition)
    {
        if (!_inboxes.Remove(partition, out var inbox)) return;
        settings.Directory!.Remove(inbox);
        inbox.Close();
    }

    private void PublishProgress()
    {
        Progress = _restoring.ToDictionary(r => r.Key, r => r.Value.Progress);
        foreach (var (partition, inbox) in _inboxes) inbox.Progress = Progress.GetValueOrDefault(partition, 1);
    }

    private List<TopicPartition> Partitions(int partition) =>
        [.. _engine.Events.Sources.Select(s => new TopicPartition(s.Topic, partition))];
}
