using StreamEngine.Connectors;

namespace StreamEngine.ContractTests.Logs.Embedded;

/// <summary>
/// Copies each record to the output partition of the same number, transaction by transaction; commits before it gives partitions away, as
/// the engine's loop does.
/// </summary>
internal sealed class CopyWorker : IOwnership
{
    private readonly ILogWorker _log;
    private readonly RecordBatch _batch = new();
    private readonly OutputBuffer _outputs = new();
    private readonly Dictionary<int, long> _next = [];
    private readonly List<TopicPartition> _fresh = [];

    private CopyWorker(ILogWorker log) => _log = log;

    public static void Run(ILog log, string instance, int polls, Func<bool> stop)
    {
        using var worker = log.OpenWorker(new WorkerOptions { Group = "g", InstanceId = instance, Sources = ["in"], Outputs = ["out"] });
        var copy = new CopyWorker(worker);
        for (var i = 0; i < polls && !stop(); i++) copy.Turn();
    }

    public void Assigned(IReadOnlyList<TopicPartition> partitions) => _fresh.AddRange(partitions);

    public void Revoked(IReadOnlyList<TopicPartition> partitions) => Commit();

    public void Lost(IReadOnlyList<TopicPartition> partitions) => throw new InvalidOperationException("Nobody takes this worker for dead.");

    private void Turn()
    {
        _log.Poll(_batch, 100, TimeSpan.FromMilliseconds(10), this);
        for (var i = 0; i < _batch.Count; i++)
        {
            ref readonly var record = ref _batch[i];
            _outputs.Add(0, record.Partition, record.Partition, record.Timestamp, _batch.Key(i), _batch.Value(i));
            _next[record.Partition] = record.Offset + 1;
        }
        if (_fresh.Count > 0) _log.Resume([.. _fresh]);
        _fresh.Clear();
        if (_outputs.Count > 150) Commit();
        else if (_outputs.Count > 0 && _outputs.Bytes % 5 == 0) Abort();
    }

    private void Abort()
    {
        _log.Begin();
        _log.Write(_outputs, 0, _outputs.Count);
        if (_log.Abort() != CommitOutcome.Aborted) throw new InvalidOperationException("An abort that did not abort.");
        Commit(); // the same bytes again
    }

    private void Commit()
    {
        if (_outputs.Count == 0) return;
        _log.Begin();
        _log.Write(_outputs, 0, _outputs.Count);
        var outcome = _log.Commit([.. _next.Select(n => new OffsetToCommit(0, n.Key, n.Value))]);
        if (outcome != CommitOutcome.Committed) throw new InvalidOperationException($"{outcome}");
        _outputs.Clear();
        _next.Clear();
    }
}
