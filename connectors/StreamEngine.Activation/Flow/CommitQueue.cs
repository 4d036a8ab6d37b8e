using StreamEngine.Connectors;

namespace StreamEngine.Activation.Flow;

/// <summary>Commits the positions up to which everything is delivered. Of the connector's thread.</summary>
/// <param name="worker">The member of the group.</param>
/// <param name="interval">How often.</param>
/// <param name="time">The clock.</param>
internal sealed class CommitQueue(ILogWorker worker, TimeSpan interval, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private List<(PartitionProgress Progress, long Next)> _pending = [];
    private bool _isCommitting;
    private long _last = time.GetTimestamp();

    /// <summary>Whether no commit is on its way.</summary>
    public bool IsIdle => !_isCommitting;

    /// <summary>Begins a commit where one is due, and ends the one that is on its way where it has.</summary>
    public void Advance(IEnumerable<PartitionProgress> owned)
    {
        if (_isCommitting) End(TimeSpan.Zero);
        if (_isCommitting || time.GetElapsedTime(_last) < interval) return;
        _last = time.GetTimestamp();
        Begin(owned);
        if (_isCommitting) End(TimeSpan.Zero);
    }

    /// <summary>Commits what was delivered of these partitions now, and waits for it a while.</summary>
    public void Flush(IReadOnlyList<PartitionProgress> leaving)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (!_isCommitting) Begin(leaving);
            if (!_isCommitting) return;
            End(TimeSpan.FromMilliseconds(100));
            if (TimeProvider.System.GetElapsedTime(began) < Patience) continue;
            Forget();
            return; // what was delivered comes again, with the same keys
        }
    }

    /// <summary>Lets go of a commit that is on its way: it may be about a partition that is lost.</summary>
    public void Forget()
    {
        if (_isCommitting) worker.Abort();
        _isCommitting = false;
    }

    private void Begin(IEnumerable<PartitionProgress> owned)
    {
        _pending = [.. owned.Where(p => p.Delivered > p.Committed).Select(p => (p, p.Delivered))];
        if (_pending.Count == 0) return;
        worker.Begin();
        worker.BeginCommit([.. _pending.Select(p => new OffsetToCommit(0, p.Progress.Partition.Partition, p.Next))]);
        _isCommitting = true;
    }

    private void End(TimeSpan patience)
    {
        switch (worker.EndCommit(patience))
        {
            case CommitOutcome.Waiting: return;
            case CommitOutcome.Committed:
                foreach (var (progress, next) in _pending) progress.Committed = next;
                break;
            case CommitOutcome.Aborted: break;
            default: worker.Rebuild(); break;
        }
        _isCommitting = false;
    }
}
