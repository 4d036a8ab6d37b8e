using System.Text;
using StreamEngine.Connectors;

namespace StreamEngine.ContractTests.Logs;

/// <summary>A record as a test sees it.</summary>
internal readonly record struct Received(string Topic, int Partition, long Offset, long Timestamp, string Key, string Value)
{
    public static Received From(RecordBatch batch, int index, string topic) => new(
        topic, batch[index].Partition, batch[index].Offset, batch[index].Timestamp,
        Encoding.UTF8.GetString(batch.Key(index)), Encoding.UTF8.GetString(batch.Value(index)));
}

/// <summary>A worker that notes what it is told and given; resumes what it is assigned unless told otherwise.</summary>
internal sealed class TestWorker : IOwnership, IDisposable
{
    private readonly WorkerOptions _options;
    private readonly bool _resume;
    private readonly RecordBatch _batch = new();
    private readonly List<TopicPartition> _fresh = [];

    public TestWorker(ILog log, WorkerOptions options, bool resume)
    {
        _options = options;
        _resume = resume;
        Log = log.OpenWorker(options);
    }

    public ILogWorker Log { get; }

    public List<Received> Records { get; } = [];

    public HashSet<TopicPartition> Owned { get; } = [];

    public List<TopicPartition> WasLost { get; } = [];

    public List<TopicPartition> WasRevoked { get; } = [];

    /// <summary>Called in the revocation, while the partitions are still owned.</summary>
    public Action<IReadOnlyList<TopicPartition>>? OnRevoked { get; set; }

    public int LargestBatch { get; private set; }

    public void Poll(int maxRecords = 500, int milliseconds = 50)
    {
        Log.Poll(_batch, maxRecords, TimeSpan.FromMilliseconds(milliseconds), this);
        LargestBatch = Math.Max(LargestBatch, _batch.Count);
        for (var i = 0; i < _batch.Count; i++) Records.Add(Received.From(_batch, i, _options.Sources[_batch[i].Topic]));
        if (_fresh.Count == 0) return;
        if (_resume) Log.Resume([.. _fresh]);
        _fresh.Clear();
    }

    public IEnumerable<string> Values(int partition) => Records.Where(r => r.Partition == partition).Select(r => r.Value);

    public void Assigned(IReadOnlyList<TopicPartition> partitions)
    {
        Owned.UnionWith(partitions);
        _fresh.AddRange(partitions);
    }

    public void Revoked(IReadOnlyList<TopicPartition> partitions)
    {
        OnRevoked?.Invoke(partitions);
        WasRevoked.AddRange(partitions);
        Drop(partitions);
    }

    public void Lost(IReadOnlyList<TopicPartition> partitions)
    {
        WasLost.AddRange(partitions);
        Drop(partitions);
    }

    public void Dispose() => Log.Dispose();

    private void Drop(IReadOnlyList<TopicPartition> partitions)
    {
        Owned.ExceptWith(partitions);
        _fresh.RemoveAll(partitions.Contains);
    }
}
