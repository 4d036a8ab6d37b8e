using System.Text;

namespace StreamEngine.Runtime.Requests;

/// <summary>The feed of a process: by partition, the customers that somebody here watches.</summary>
internal sealed class CustomerFeed : ICustomerFeed
{
    private readonly ShardDirectory _directory;
    private readonly ShardWatches[] _shards;

    /// <param name="directory">The shards of the process: they are woken for who begins to watch.</param>
    public CustomerFeed(ShardDirectory directory)
    {
        _directory = directory;
        _shards = [.. Enumerable.Range(0, directory.Partitions).Select(p => new ShardWatches(p))];
    }

    /// <summary>How many customers are watched here.</summary>
    public long Customers => _shards.Sum(s => (long)s.Count);

    /// <summary>How many updates were told.</summary>
    public long Told => _shards.Sum(s => s.Told);

    /// <summary>The watched customers of a partition.</summary>
    public ShardWatches Of(int partition) => _shards[partition];

    /// <inheritdoc/>
    public IDisposable Watch(string customer, Action<CustomerUpdate> told)
    {
        var key = Encoding.UTF8.GetBytes(customer);
        var partition = _directory.PartitionOf(key);
        var watch = _shards[partition].Add(customer, key, told);
        _directory.Find(partition)?.Wake();
        return watch;
    }
}
