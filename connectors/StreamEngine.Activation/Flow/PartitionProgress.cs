using StreamEngine.Activation.Records;
using StreamEngine.Connectors;

namespace StreamEngine.Activation.Flow;

/// <summary>
/// How far one partition is: batches in the order of their offsets, and the position up to which all of them are delivered. Of the
/// connector's thread.
/// </summary>
internal sealed class PartitionProgress(TopicPartition partition) : IDisposable
{
    private readonly Queue<Batch> _batches = new();
    private readonly CancellationTokenSource _stop = new();
    private Batch? _last;

    /// <summary>The partition.</summary>
    public TopicPartition Partition => partition;

    /// <summary>The batch that still takes records; null where there is none.</summary>
    public Batch? Open { get; private set; }

    /// <summary>Whether it is read: where it begins is known.</summary>
    public bool IsReading { get; set; }

    /// <summary>The end of the partition that a drain goes to; null where none was asked for.</summary>
    public long? End { get; set; }

    /// <summary>The position up to which everything is delivered; -1 before anything was.</summary>
    public long Delivered { get; private set; } = -1;

    /// <summary>The position that is committed; -1 before any was.</summary>
    public long Committed { get; set; } = -1;

    /// <summary>Set once somebody else owns the partition.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Whether nothing is on its way.</summary>
    public bool IsIdle => _batches.Count == 0 && Open is null;

    /// <summary>The offset of the oldest record that is not delivered; null where there is none.</summary>
    public long? Oldest => _batches.FirstOrDefault(b => !b.IsDone)?.First ?? Open?.First;

    /// <summary>Adds a record to the open batch, which is opened where there is none.</summary>
    public void Add(ActivationRecord record, int lane, long now)
    {
        Open ??= new Batch(partition, lane, now, Stop);
        Open.Add(record);
    }

    /// <summary>Notes a record that is not delivered.</summary>
    public void Pass(long offset)
    {
        // A batch that was handed over keeps its range; behind it stands an empty one that is done.
        if (Open is { } open) open.Next = offset + 1;
        else if (_last is { Records.Count: 0 } empty && _batches.Count > 0) empty.Next = offset + 1;
        else Hand(new Batch(partition, 0, 0, Stop) { Next = offset + 1, IsDone = true });
    }

    /// <summary>Closes the open batch; null where there is none.</summary>
    public Batch? Close()
    {
        if (Open is not { } batch) return null;
        Open = null;
        Hand(batch);
        return batch;
    }

    /// <summary>Moves past what is delivered; returns whether the position has changed.</summary>
    public bool Advance()
    {
        var before = Delivered;
        while (_batches.TryPeek(out var first) && first.IsDone) Delivered = _batches.Dequeue().Next;
        return Delivered != before;
    }

    /// <summary>Somebody else owns it: what is not delivered yet is left to them.</summary>
    public void Cancel() => _stop.Cancel();

    public void Dispose() => _stop.Dispose();

    private void Hand(Batch batch) => _batches.Enqueue(_last = batch);
}
