using StreamEngine.Connectors;

namespace StreamEngine.ContractTests.Logs;

/// <summary>
/// A small engine: copies each record to the output's partition of the same number, a transaction a step, and never reads a record again
/// under live state.
/// </summary>
internal sealed class CopyingWorker : IOwnership, IDisposable
{
    private readonly ILogWorker _log;
    private readonly RecordBatch _batch = new();
    private readonly OutputBuffer _outputs = new();
    private readonly Dictionary<int, long> _next = [];
    private readonly Func<int, long?> _committed;

    public CopyingWorker(ILog log, WorkerOptions options)
    {
        _log = log.OpenWorker(options);
        _committed = partition => log.Committed(options.Group, new TopicPartition(options.Sources[0], partition));
    }

    /// <summary>Called in a transaction that has no outputs yet.</summary>
    public Action? BeforeOutputs { get; set; }

    /// <summary>Called between the outputs and the commit.</summary>
    public Action? BeforeCommit { get; set; }

    /// <summary>How every commit ended.</summary>
    public List<CommitOutcome> Outcomes { get; } = [];

    /// <summary>Records copied and committed.</summary>
    public int Copied { get; private set; }

    public void CopyUntil(int count)
    {
        while (Copied < count) Step(50);
    }

    public void Step(int max)
    {
        _log.Poll(_batch, max, TimeSpan.FromMilliseconds(50), this);
        for (var i = 0; i < _batch.Count; i++)
        {
            var partition = _batch[i].Partition;
            _outputs.Add(0, partition, partition, _batch[i].Timestamp, _batch.Key(i), _batch.Value(i));
            _next[partition] = _batch[i].Offset + 1;
        }
        Commit();
    }

    public void Assigned(IReadOnlyList<TopicPartition> partitions)
    {
        foreach (var p in partitions) _next[p.Partition] = _log.StartOffset(p);
        _log.Resume(partitions);
    }

    public void Revoked(IReadOnlyList<TopicPartition> partitions)
    {
        Commit();
        Forget(partitions);
    }

    public void Lost(IReadOnlyList<TopicPartition> partitions) => Forget(partitions);

    public void Dispose() => _log.Dispose();

    /// <summary>Commits what there is, or keeps it for the next step: only a poll learns that a partition is lost.</summary>
    private void Commit()
    {
        if (_outputs.Count == 0) return;
        var offsets = _next.Select(n => new OffsetToCommit(0, n.Key, n.Value)).ToArray();
        _log.Begin();
        BeforeOutputs?.Invoke();
        _log.Write(_outputs, 0, _outputs.Count);
        BeforeCommit?.Invoke();
        var outcome = _log.Commit(offsets);
        Outcomes.Add(outcome);
        if (outcome is CommitOutcome.Fenced or CommitOutcome.Unknown) _log.Rebuild();
        var first = offsets[0]; // all offsets are committed or none
        if (outcome == CommitOutcome.Unknown && _committed(first.Partition) == first.Next) outcome = CommitOutcome.Committed;
        if (outcome != CommitOutcome.Committed) return;
        Copied += _outputs.Count;
        _outputs.Clear();
    }

    private void Forget(IReadOnlyList<TopicPartition> partitions)
    {
        foreach (var p in partitions) _next.Remove(p.Partition);
        _outputs.Drop(shard => !_next.ContainsKey(shard));
        if (_outputs.Count == 0) _outputs.Clear();
    }
}
