using StreamEngine.Connectors.Embedded.Groups;
using StreamEngine.Connectors.Embedded.Storage;

namespace StreamEngine.Connectors.Embedded;

/// <summary>
/// One member of a group with its transaction. A commit is one append of the buffered outputs and offsets, checked under the group's lock.
/// </summary>
internal sealed class EmbeddedWorker : ILogWorker
{
    private readonly EmbeddedLog _log;
    private readonly WorkerOptions _options;
    private readonly ConsumerGroup _group;
    private readonly SourceSet _sources;
    private readonly GroupOffsets _offsets;
    private readonly GroupBuffer _transaction = new();
    private readonly GroupEncoder _encoder;
    private readonly List<byte[]> _chunks = [];
    private readonly List<ChunkOffset> _commit = [];
    private OffsetToCommit[] _committing = [];
    private bool _isCommitting;
    private CommitOutcome _outcome;
    private long _end;           // of what was appended: durable where the log is, up to there
    private Member _member;
    private IOwnership? _ownership;
    private long _epoch;
    private bool _open;
    private int _woken;
    private bool _disposed;

    public EmbeddedWorker(EmbeddedLog log, WorkerOptions options, ConsumerGroup group)
    {
        _log = log;
        _options = options;
        _group = group;
        _sources = new SourceSet(log, options.Sources) { Start = StartOffset };
        _offsets = log.Offsets(options.Group);
        _encoder = new GroupEncoder(log.Store.ChunkBytes);
        _member = NewMember();
        lock (_group.Lock)
        {
            _epoch = log.NextEpoch(options.InstanceId);
            _group.Join(_member);
        }
        log.Store.Wake();
    }

    public void Poll(RecordBatch batch, int maxRecords, TimeSpan timeout, IOwnership ownership)
    {
        batch.Clear();
        _ownership = ownership;
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var mark = _log.Store.VisibleEnd;
            var changed = Rebalance(ownership);
            _sources.Read(batch, maxRecords);
            var left = timeout - TimeProvider.System.GetElapsedTime(started);
            if (Interlocked.Exchange(ref _woken, 0) != 0 || batch.Count > 0 || changed || left <= TimeSpan.Zero || HasEnded) return;
            _log.Store.WaitForMore(mark, left < MaxWait ? left : MaxWait);
        }
    }

    public void Wake()
    {
        Volatile.Write(ref _woken, 1);
        _log.Store.Wake();
    }

    /// <summary>The group is in this process, and a member is asked before its partitions go.</summary>
    public TimeSpan Lease => Timeout.InfiniteTimeSpan;

    public void Pause(IReadOnlyList<TopicPartition> partitions)
    {
        foreach (var partition in partitions) _sources.Pause(partition);
    }

    public void Resume(IReadOnlyList<TopicPartition> partitions, long? offset = null)
    {
        foreach (var partition in partitions) _sources.Resume(partition, offset);
    }

    public long StartOffset(TopicPartition partition) => _log.Committed(_options.Group, partition) ?? 0;

    public long Position(TopicPartition partition) => _sources.Position(partition) ?? StartOffset(partition);

    public int MaxOutputBytes => _log.Store.MaxRecordBytes;

    public void Begin()
    {
        _transaction.Clear();
        _open = true;
    }

    public void Write(OutputBuffer outputs, int from, int to)
    {
        for (var i = from; i < to; i++)
        {
            ref readonly var output = ref outputs[i];
            var name = _options.Outputs[output.Topic];
            var topic = _log.Known(name);
            if ((uint)output.Partition >= (uint)topic.Partitions)
                throw new LogException($"{name}[{output.Partition}] does not exist: the topic has {topic.Partitions} partitions.");
            var key = outputs.Key(i);
            var value = outputs.Value(i);
            _log.Store.ThrowIfTooLarge(name, key, value);
            _transaction.Add(topic.FirstPartition + output.Partition, output.Timestamp, key, value);
        }
        if (_options.Transactional || _transaction.Count == 0) return;
        _encoder.Encode(_transaction, default, _log.Store.Catalog.PartitionCount, _chunks);
        _transaction.Clear();
        _log.Store.Append(_chunks);
    }

    public void BeginCommit(ReadOnlySpan<OffsetToCommit> offsets)
    {
        if (!_open) throw new InvalidOperationException("No transaction is open.");
        _committing = offsets.ToArray();
        _commit.Clear();
        foreach (var offset in _committing)
            _commit.Add(new ChunkOffset(_offsets.Id, _log.Known(new TopicPartition(_options.Sources[offset.Topic], offset.Partition)).Id,
                offset.Next));
        _encoder.Encode(_transaction, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_commit), _log.Store.Catalog.PartitionCount,
            _chunks);
        _transaction.Clear();
        _isCommitting = true;
        _outcome = Append();
    }

    public CommitOutcome EndCommit(TimeSpan patience)
    {
        if (_outcome == CommitOutcome.Waiting) _outcome = Append();
        if (_outcome == CommitOutcome.Committed && !_log.Store.WaitDurable(_end, patience)) return CommitOutcome.Waiting;
        if (_outcome != CommitOutcome.Waiting) _isCommitting = false;
        return _outcome;
    }

    /// <summary>Whether the end of a commit can be told, and nobody has asked yet.</summary>
    private bool HasEnded =>
        _isCommitting && _outcome != CommitOutcome.Waiting && (_outcome != CommitOutcome.Committed || _log.Store.VisibleEnd >= _end);

    /// <summary>
    /// Puts the commit behind what is in the log, as long as we own what it is about. Without transactions one that is refused waits: the
    /// next poll tells what was lost, and what is left can be committed then.
    /// </summary>
    private CommitOutcome Append()
    {
        lock (_group.Lock)
        {
            var isFenced = !_log.IsCurrent(_options.InstanceId, _epoch);
            var ownsAll = _committing.All(o => _group.Owns(_member, o.Partition));
            if (!isFenced && !ownsAll && !_options.Transactional) return CommitOutcome.Waiting;
            _open = false;
            if (isFenced || !ownsAll) return isFenced ? CommitOutcome.Fenced : CommitOutcome.Aborted;
            _end = _log.Store.Append(_chunks);
        }
        return CommitOutcome.Committed;
    }

    public CommitOutcome Abort()
    {
        _transaction.Clear();
        _open = _isCommitting = false;
        return CommitOutcome.Aborted;
    }

    public void Rebuild()
    {
        Abort();
        lock (_group.Lock) _epoch = _log.NextEpoch(_options.InstanceId);
    }

    /// <summary>Nothing to do: a member of this log always leaves for good.</summary>
    public void Leave()
    {
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        List<int> owned;
        lock (_group.Lock) owned = _group.OwnedBy(_member);
        if (owned.Count > 0) _ownership?.Revoked(_sources.Partitions(owned));
        lock (_group.Lock) _group.Leave(_member);
        _log.Store.Wake();
    }

    private static TimeSpan MaxWait => TimeSpan.FromMilliseconds(100);

    private Member NewMember() => new(_options.InstanceId, () => _options.Sources.Max(_log.Partitions));

    /// <summary>Joins again after the group took us for dead; not when a successor with our id is there.</summary>
    private void Rejoin()
    {
        lock (_group.Lock)
        {
            if (_member.Active || _group.Find(_options.InstanceId) is not null) return;
            _group.Join(_member = NewMember());
        }
    }

    /// <summary>Tells of what was lost, revoked, assigned, in this order; whether there was anything.</summary>
    private bool Rebalance(IOwnership ownership)
    {
        List<int> lost, revoked;
        lock (_group.Lock)
        {
            lost = [.. _member.Lost];
            _member.Lost.Clear();
            revoked = _group.ToRevoke(_member);
        }
        if (lost.Count > 0)
        {
            ownership.Lost(_sources.Partitions(lost));
            _sources.Remove(lost);
        }
        Rejoin();
        if (revoked.Count > 0)
        {
            ownership.Revoked(_sources.Partitions(revoked));
            _sources.Remove(revoked);
            lock (_group.Lock) _group.Release(_member, revoked);
            _log.Store.Wake();
        }
        List<int> assigned;
        lock (_group.Lock) assigned = _group.Acquire(_member);
        if (assigned.Count > 0)
        {
            _sources.Add(assigned);
            ownership.Assigned(_sources.Partitions(assigned));
        }
        return lost.Count + revoked.Count + assigned.Count > 0;
    }
}
