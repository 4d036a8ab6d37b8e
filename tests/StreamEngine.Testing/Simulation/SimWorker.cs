using StreamEngine.Connectors;

namespace StreamEngine.Testing.Simulation;

/// <summary>One member of a group with its transactional producer.</summary>
internal sealed class SimWorker : ILogWorker
{
    private readonly SimLog _log;
    private readonly WorkerOptions _options;
    private readonly SimGroup _group;
    private readonly SimPositions _positions;
    private SimMember _member;
    private SimTransaction? _transaction, _committing;
    private OffsetToCommit[] _next = [];
    private CommitOutcome? _outcome;
    private bool _offsetsSent;
    private IOwnership? _ownership;
    private int _epoch;

    public SimWorker(SimLog log, WorkerOptions options, SimGroup group)
    {
        (_log, _options, _group) = (log, options, group);
        _positions = new SimPositions(log, options.Sources);
        _epoch = log.TakeOver(options.InstanceId);
        _group.Join(_member = new SimMember(options.InstanceId));
    }

    private SimSchedule Schedule => _log.Schedule;

    public void Poll(RecordBatch batch, int maxRecords, TimeSpan timeout, IOwnership ownership)
    {
        batch.Clear();
        Schedule.At(SimPoint.PollBegins);
        _ownership = ownership;
        var changed = Rebalance(ownership);
        _positions.Fetch(batch, maxRecords);
        if (batch.Count == 0 && !changed) Schedule.Wait(timeout);
        Schedule.At(SimPoint.PollEnds);
    }

    /// <summary>A simulated poll waits in simulated time only.</summary>
    public void Wake()
    {
    }

    public TimeSpan Lease => Schedule.Lease;

    public void Pause(IReadOnlyList<TopicPartition> partitions) => _positions.Pause(partitions);

    public void Resume(IReadOnlyList<TopicPartition> partitions, long? offset = null)
    {
        foreach (var partition in partitions) _positions.Resume(partition, offset, StartOffset);
    }

    public long StartOffset(TopicPartition partition) => _log.Committed(_options.Group, partition) ?? 0;

    public long Position(TopicPartition partition) => _positions.Of(partition);

    public int MaxOutputBytes => 1 << 20;

    public void Begin()
    {
        if (_committing is not null) throw new InvalidOperationException("A commit is under way.");
        Schedule.At(SimPoint.Begin);
        _transaction = _options.Transactional ? _log.Begin(_options.InstanceId, _epoch, _group, _member)
            : new SimTransaction(_options.InstanceId, _epoch, _group, _member, 0);
    }

    public void Write(OutputBuffer outputs, int from, int to)
    {
        var transaction = _transaction ?? throw new InvalidOperationException("No transaction is open.");
        for (var pass = _options.Transactional ? 1 : 0; pass < 2; pass++)
            for (var i = from; i < to; i++)
            {
                ref readonly var output = ref outputs[i];
                // Without transactions first what the others rest on.
                if (!_options.Transactional && output.Topic == _options.First != (pass == 0)) continue;
                var traceParent = _log.Kind == SimLogKind.Kafka ? outputs.TraceParentOf(i) : default;
                transaction.Unsent.Enqueue((_log.Known(new TopicPartition(_options.Outputs[output.Topic], output.Partition)),
                    outputs.Key(i).ToArray(), outputs.Value(i).ToArray(), output.Timestamp, traceParent.ToArray()));
            }
        if (!_options.Transactional)
            while (transaction.Unsent.Count > 0 && !Schedule.Later()) transaction.SendPlain(1);
        else if (_log.Kind == SimLogKind.Kafka)
            while (transaction.Unsent.Count > 0 && IsOpen(transaction) && !Schedule.Later()) transaction.Send(1);
        Schedule.At(SimPoint.Written);
    }

    public void BeginCommit(ReadOnlySpan<OffsetToCommit> offsets)
    {
        if (offsets.IsEmpty) throw new ArgumentException("A transaction without offsets is not fenced.", nameof(offsets));
        if (_committing is not null) throw new InvalidOperationException("A commit is under way.");
        _committing = _transaction ?? throw new InvalidOperationException("No transaction is open.");
        _next = offsets.ToArray();
        (_outcome, _offsetsSent) = (null, false);
        if (_options.Transactional) _transaction = null;
        Schedule.At(SimPoint.CommitBegins);
        if (_options.Transactional) GoOn(_committing, isAwaited: false);
    }

    public CommitOutcome EndCommit(TimeSpan patience)
    {
        var transaction = _committing ?? throw new InvalidOperationException("No commit has begun.");
        if (!_options.Transactional)
        {
            var plain = CommitPlain(transaction, _next);
            Schedule.At(SimPoint.CommitEnds);
            if (plain != CommitOutcome.Waiting) _committing = null;
            return plain;
        }
        var isAwaited = patience != TimeSpan.Zero;
        GoOn(transaction, isAwaited);
        if (_outcome is not { } outcome || !isAwaited && Schedule.Later()) return CommitOutcome.Waiting; // or its answer is on its way
        _committing = null;
        Schedule.At(SimPoint.CommitEnds);
        return outcome;
    }

    /// <summary>
    /// The commit goes on beside the loop: any of its steps may be done before the loop does anything else, or later than its next turns.
    /// The embedded log appends at once, while it knows the owner; only that it is durable is told later.
    /// </summary>
    private void GoOn(SimTransaction transaction, bool isAwaited)
    {
        if (_outcome is null && !_offsetsSent && (isAwaited || _log.Kind == SimLogKind.Embedded || !Schedule.Later()))
            _outcome = SendOffsets(transaction, _next);
        if (_outcome is null && _offsetsSent && (isAwaited || !Schedule.Later())) _outcome = Decide(transaction);
    }

    public CommitOutcome Abort()
    {
        Schedule.At(SimPoint.Aborting);
        if (_transaction is not { } transaction) return CommitOutcome.Aborted;
        _transaction = null;
        if (!_options.Transactional) _committing = null;
        if (!_options.Transactional) return CommitOutcome.Aborted; // what was not sent never will be
        if (_log.Kind == SimLogKind.Embedded) return CommitOutcome.Aborted;
        if (!IsOpen(transaction) || Schedule.Fate() == SimFate.Fenced) return CommitOutcome.Fenced;
        _log.End(transaction, commit: false);
        return CommitOutcome.Aborted;
    }

    public void Rebuild()
    {
        Schedule.At(SimPoint.Rebuilding);
        _transaction = _committing = null;
        _epoch = _log.TakeOver(_options.InstanceId);
        Schedule.At(SimPoint.Rebuilt);
    }

    public void Leave()
    {
    }

    public void Dispose()
    {
        if (_member.IsIn && _group.OwnedBy(_member) is { Count: > 0 } owned) _ownership?.Revoked(Partitions(owned));
        _group.Remove(_member);
        if (_transaction is not null) Abort();
    }

    /// <summary>
    /// The offsets: from here on they are pending, and nobody who comes later can be told what is committed before this transaction is
    /// decided.
    /// </summary>
    private CommitOutcome? SendOffsets(SimTransaction transaction, OffsetToCommit[] offsets)
    {
        _offsetsSent = true;
        if (!IsOpen(transaction)) return CommitOutcome.Fenced;
        if (IsThrownOut(transaction, offsets))
        {
            if (_log.Kind == SimLogKind.Kafka) _log.End(transaction, commit: false);
            return CommitOutcome.Aborted;
        }
        if (_log.Kind == SimLogKind.Embedded) return Append(transaction, offsets);
        AddOffsets(transaction, offsets);
        try
        {
            Schedule.At(SimPoint.OffsetsSent);
        }
        catch when (Schedule.Later())
        {
            transaction.IsOnItsWay = true; // it only dies later: it was stopped here, and will go on to the commit at some time
            throw;
        }
        return null;
    }

    /// <summary>What the client still has, then the commit itself.</summary>
    private CommitOutcome Decide(SimTransaction transaction)
    {
        if (!IsOpen(transaction)) return CommitOutcome.Fenced;
        var fate = Schedule.Fate();
        if (fate is SimFate.Commit or SimFate.CommitUnknown) transaction.Send(transaction.Unsent.Count);
        if (fate is SimFate.Commit or SimFate.CommitUnknown or SimFate.Abort) _log.End(transaction, fate != SimFate.Abort);
        else transaction.IsOnItsWay = fate == SimFate.LateUnknown;
        return Outcome(fate);
    }

    /// <summary>Without transactions: everything written arrives, then the offsets do, if we are still a member.</summary>
    private CommitOutcome CommitPlain(SimTransaction transaction, OffsetToCommit[] offsets)
    {
        var fate = Schedule.Fate();
        if (fate == SimFate.LostUnknown) return CommitOutcome.Waiting;
        if (fate == SimFate.Fenced) return CommitOutcome.Fenced; // some of it may never have left the client
        transaction.SendPlain(transaction.Unsent.Count);
        Schedule.At(SimPoint.OffsetsSent);
        if (fate == SimFate.Abort || IsThrownOut(transaction, offsets)) return CommitOutcome.Waiting;
        AddOffsets(transaction, offsets);
        _log.Append(transaction, _group);
        if (fate is SimFate.CommitUnknown or SimFate.LateUnknown) return CommitOutcome.Waiting; // the answer is lost
        _transaction = null;
        return CommitOutcome.Committed;
    }

    private CommitOutcome Append(SimTransaction transaction, OffsetToCommit[] offsets)
    {
        var fate = Schedule.Fate();
        if (fate is not (SimFate.Commit or SimFate.CommitUnknown)) return Outcome(fate);
        AddOffsets(transaction, offsets);
        _log.Append(transaction, _group);
        return Outcome(fate);
    }

    private void AddOffsets(SimTransaction transaction, OffsetToCommit[] offsets)
    {
        foreach (var offset in offsets)
            transaction.Offsets.Add((new TopicPartition(_options.Sources[offset.Topic], offset.Partition), offset.Next));
    }

    private bool IsOpen(SimTransaction transaction) => !transaction.Decided && _log.IsCurrent(_options.InstanceId, transaction.Epoch);

    /// <summary>Kafka knows members and generations, not who owns what; the embedded log asks for the owner.</summary>
    private bool IsThrownOut(SimTransaction transaction, OffsetToCommit[] offsets) => !_options.Transactional ? !_member.IsIn
        || _member.Generation != _group.Generation && _log.Kind == SimLogKind.Kafka
        || Array.Exists(offsets, o => !_group.Owns(_member, o.Partition))
        : _log.Kind == SimLogKind.Kafka
        ? !transaction.Member.IsIn || transaction.Generation != transaction.Member.Generation
        : Array.Exists(offsets, o => !_group.Owns(_member, o.Partition));

    private static CommitOutcome Outcome(SimFate fate) => fate switch
    {
        SimFate.Commit => CommitOutcome.Committed,
        SimFate.Abort => CommitOutcome.Aborted,
        SimFate.Fenced => CommitOutcome.Fenced,
        _ => CommitOutcome.Unknown,
    };

    /// <summary>Tells of what was lost, revoked, assigned, in this order; whether there was anything.</summary>
    private bool Rebalance(IOwnership ownership)
    {
        var lost = _member.IsIn ? [] : _positions.Shards();
        if (lost.Count > 0)
        {
            ownership.Lost(Partitions(lost));
            _positions.Remove(lost);
        }
        if (_member.IsReplaced && _log.Kind == SimLogKind.Kafka) throw new SimReplacedException(_options.InstanceId);
        // let in again once the other one with its id is gone
        if (!_member.IsIn && _log.Kind == SimLogKind.Embedded && _group.Find(_options.InstanceId) is not null) return lost.Count > 0;
        if (!_member.IsIn) _group.Join(_member = new SimMember(_options.InstanceId));

        var revoked = _group.Generation == _member.Generation ? [] : _group.ToRelease(_member);
        _member.Generation = _group.Generation;
        if (revoked.Count > 0)
        {
            Schedule.At(SimPoint.Revoking);
            ownership.Revoked(Partitions(revoked));
            _positions.Remove(revoked);
            if (!_member.IsIn) return true; // taken for dead meanwhile: the next poll tells
            _group.Release(_member, revoked);
        }
        var assigned = _group.Acquire(_member);
        if (assigned.Count > 0)
        {
            _positions.Add(assigned);
            ownership.Assigned(Partitions(assigned));
        }
        return lost.Count + revoked.Count + assigned.Count > 0;
    }

    private List<TopicPartition> Partitions(List<int> shards) =>
        [.. shards.SelectMany(s => _options.Sources.Select(t => new TopicPartition(t, s)))];
}

/// <summary>Another worker has joined with this id: this one is beyond repair.</summary>
internal sealed class SimReplacedException(string id) : LogException($"worker {id}: another worker has joined with this id.");
