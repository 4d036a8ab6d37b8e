namespace StreamEngine.Runtime.Requests;

/// <summary>
/// The shards of this process that take requests: from a partition to its inbox. Readers see an immutable snapshot; the workers replace it.
/// </summary>
public sealed class ShardDirectory(int partitions)
{
    private volatile ShardInbox?[] _inboxes = new ShardInbox?[partitions];
    private readonly Lock _replacing = new();

    /// <summary>How many shards there are in all, here and elsewhere.</summary>
    public int Partitions => partitions;

    /// <summary>The inbox of a partition; null where another process owns it, or nobody.</summary>
    public ShardInbox? Find(int partition) => _inboxes[partition];

    internal void Add(ShardInbox inbox) => Replace(inbox.Partition, _ => inbox);

    /// <summary>Forgets an inbox, but not one that another worker of this process has put in its place.</summary>
    internal void Remove(ShardInbox inbox) => Replace(inbox.Partition, now => now == inbox ? null : now);

    private void Replace(int partition, Func<ShardInbox?, ShardInbox?> by)
    {
        lock (_replacing)
        {
            ShardInbox?[] next = [.. _inboxes];
            next[partition] = by(next[partition]);
            _inboxes = next;
        }
    }
}
