namespace StreamEngine.Runtime.Requests;

/// <summary>How a shard is present in this process.</summary>
public enum ShardPresence
{
    /// <summary>The log's group gave it to this process; its state is being restored.</summary>
    Restoring,

    /// <summary>It is served here.</summary>
    Live,

    /// <summary>It is not here any more.</summary>
    Gone,
}

/// <summary>
/// The shards of this process that take requests: from a partition to its inbox. Readers see an immutable snapshot; the workers replace it.
/// </summary>
public sealed class ShardDirectory(int partitions)
{
    private volatile ShardInbox?[] _inboxes = new ShardInbox?[partitions];
    private readonly Lock _replacing = new();

    /// <summary>
    /// A shard came, went live, or went. Told on the loop's thread, so whoever listens only notes it down and returns.
    /// </summary>
    public event Action<int, ShardPresence>? Changed;

    /// <summary>How many shards there are in all, here and elsewhere.</summary>
    public int Partitions => partitions;

    /// <summary>The inbox of a partition; null where another process owns it, or nobody.</summary>
    public ShardInbox? Find(int partition) => _inboxes[partition];

    /// <summary>The partition whose shard a customer belongs to: the one that its events are in.</summary>
    /// <param name="customer">The customer id, UTF-8.</param>
    public int PartitionOf(ReadOnlySpan<byte> customer) => partitions == 1 ? 0 : Connectors.Murmur2.Partition(customer, partitions);

    /// <summary>How a shard is present now.</summary>
    public ShardPresence Presence(int partition) => Find(partition) switch
    {
        null => ShardPresence.Gone,
        { IsOpen: true } => ShardPresence.Live,
        _ => ShardPresence.Restoring,
    };

    internal void Add(ShardInbox inbox)
    {
        Replace(inbox.Partition, _ => inbox);
        Changed?.Invoke(inbox.Partition, ShardPresence.Restoring);
    }

    /// <summary>The shard is live: its inbox takes requests.</summary>
    internal void Open(ShardInbox inbox)
    {
        inbox.Open();
        Changed?.Invoke(inbox.Partition, ShardPresence.Live);
    }

    /// <summary>Forgets an inbox, but not one that another worker of this process has put in its place.</summary>
    internal void Remove(ShardInbox inbox)
    {
        if (Replace(inbox.Partition, now => now == inbox ? null : now)) Changed?.Invoke(inbox.Partition, ShardPresence.Gone);
    }

    private bool Replace(int partition, Func<ShardInbox?, ShardInbox?> by)
    {
        lock (_replacing)
        {
            var was = _inboxes[partition];
            ShardInbox?[] next = [.. _inboxes];
            next[partition] = by(was);
            _inboxes = next;
            return next[partition] != was;
        }
    }
}
