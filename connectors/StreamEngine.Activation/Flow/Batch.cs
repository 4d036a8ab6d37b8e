using StreamEngine.Activation.Records;
using StreamEngine.Connectors;

namespace StreamEngine.Activation.Flow;

/// <summary>Records of one partition, in order, that are delivered together.</summary>
/// <param name="Partition">The partition they were read from.</param>
/// <param name="Lane">What follows what: batches of a lane are delivered one after another.</param>
/// <param name="OpenedAt">When the first record came, as the clock's timestamp.</param>
/// <param name="Stop">Set once somebody else owns the partition.</param>
internal sealed record Batch(TopicPartition Partition, int Lane, long OpenedAt, CancellationToken Stop)
{
    private readonly List<ActivationRecord> _records = [];
    private volatile bool _isDone;
    private IEnumerable<ActivationRecord>? _open;

    /// <summary>The records.</summary>
    public IReadOnlyList<ActivationRecord> Records => _records;

    /// <summary>The first record's offset.</summary>
    public long First => _records[0].Offset;

    /// <summary>The offset behind it, also past what is not delivered.</summary>
    public long Next { get; set; }

    /// <summary>Bytes held.</summary>
    public long Bytes { get; private set; }

    /// <summary>How many of the records became dead letters in the newest attempt.</summary>
    public int Refused { get; set; }

    /// <summary>
    /// How many of its calls are over, and how many records became dead letters in them: a retry goes on behind those. Of targets that make
    /// several of a batch.
    /// </summary>
    public (int Calls, int Refused) Settled { get; set; }

    /// <summary>The records that are neither delivered nor dead letters as far as is known: all, where its target does not say.</summary>
    public IEnumerable<ActivationRecord> Open
    {
        get => _open ?? _records;
        set => _open = value;
    }

    /// <summary>Whether all of it is delivered or a dead letter.</summary>
    public bool IsDone
    {
        get => _isDone;
        set => _isDone = value;
    }

    /// <summary>Adds a record.</summary>
    public void Add(ActivationRecord record)
    {
        _records.Add(record);
        Bytes += record.Bytes;
        Next = record.Offset + 1;
    }
}
