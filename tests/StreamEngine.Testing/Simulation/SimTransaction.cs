using StreamEngine.Connectors;

namespace StreamEngine.Testing.Simulation;

/// <summary>
/// A transaction as its coordinator sees it: open, then decided, then made known partition by partition. Its input offsets are pending from
/// when they are accepted until they are made known.
/// </summary>
internal sealed class SimTransaction(string producer, int epoch, SimGroup group, SimMember member, long started)
{
    private readonly List<SimPartition> _unmarked = [];

    public string Producer { get; } = producer;

    public int Epoch { get; } = epoch;

    /// <summary>The member, and its generation, when the transaction was begun: what fences the offsets.</summary>
    public SimMember Member { get; } = member;

    public int Generation { get; } = member.Generation;

    public long Started { get; } = started;

    /// <summary>What the client was given and has not sent yet.</summary>
    public Queue<(SimPartition Partition, byte[] Key, byte[] Value, long Timestamp, byte[] TraceParent)> Unsent { get; } = new();

    public SimGroup Group { get; } = group;

    public List<(TopicPartition Partition, long Next)> Offsets { get; } = [];

    public bool Decided { get; private set; }

    public bool Committed { get; private set; }

    /// <summary>Whether the request to commit is on its way.</summary>
    public bool IsOnItsWay { get; set; }

    /// <summary>Whether everybody knows how it ended.</summary>
    public bool IsDone => Decided && _unmarked.Count == 0 && Offsets.Count == 0;

    /// <summary>Things that are still to be made known: the offsets, and a marker in each partition.</summary>
    public int Left => _unmarked.Count + (Offsets.Count > 0 ? 1 : 0);

    /// <summary>Notes that a partition needs a marker; false where that is noted already.</summary>
    public bool Join(SimPartition partition)
    {
        if (_unmarked.Contains(partition)) return false;
        _unmarked.Add(partition);
        return true;
    }

    public void Decide(bool commit)
    {
        (Decided, Committed) = (true, commit);
        Unsent.Clear();
    }

    /// <summary>Sends what the client still has.</summary>
    public void Send(int count)
    {
        for (; count > 0; count--)
        {
            var (partition, key, value, timestamp, traceParent) = Unsent.Dequeue();
            partition.Append(key, value, timestamp, this, traceParent);
        }
    }

    /// <summary>Without a transaction: what arrives is there.</summary>
    public void SendPlain(int count)
    {
        for (; count > 0; count--)
        {
            var (partition, key, value, timestamp, traceParent) = Unsent.Dequeue();
            partition.Append(key, value, timestamp, traceParent: traceParent);
        }
    }

    /// <summary>Makes one thing known.</summary>
    public void Announce(int which)
    {
        if (which < _unmarked.Count)
        {
            var partition = _unmarked[which];
            _unmarked.RemoveAt(which);
            partition.Mark(this);
            return;
        }
        if (Committed)
            foreach (var (partition, next) in Offsets) Group.Offsets[partition] = next;
        Offsets.Clear();
    }
}
