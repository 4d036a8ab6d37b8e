using StreamEngine.Connectors;

namespace StreamEngine.Testing.Simulation;

/// <summary>The partitions that a worker was told it owns: where it reads each, and which are paused.</summary>
internal sealed class SimPositions(SimLog log, IReadOnlyList<string> topics)
{
    private readonly List<Source> _sources = [];

    private sealed class Source(SimPartition partition, int topic)
    {
        public SimPartition Partition { get; } = partition;

        public int Topic { get; } = topic;

        public long Position = -1;

        public bool Paused = true;
    }

    public void Add(List<int> shards)
    {
        foreach (var shard in shards)
            for (var topic = 0; topic < topics.Count; topic++)
                _sources.Add(new Source(log.Known(new TopicPartition(topics[topic], shard)), topic));
    }

    public void Remove(List<int> shards) => _sources.RemoveAll(s => shards.Contains(s.Partition.Name.Partition));

    public List<int> Shards() => [.. _sources.Select(s => s.Partition.Name.Partition).Distinct()];

    public void Pause(IReadOnlyList<TopicPartition> partitions)
    {
        foreach (var partition in partitions)
            if (Find(partition) is { } source) source.Paused = true;
    }

    public void Resume(TopicPartition partition, long? offset, Func<TopicPartition, long> start)
    {
        if (Find(partition) is not { } source) return;
        if (offset is { } given) source.Position = given;
        else if (source.Position < 0) source.Position = start(partition);
        source.Paused = false;
    }

    public long Of(TopicPartition partition) => Find(partition)?.Position ?? -1;

    /// <summary>Some records of some partitions, those of a partition together and in order.</summary>
    public void Fetch(RecordBatch batch, int max)
    {
        if (_sources.Count == 0) return;
        var first = log.Schedule.Pick(_sources.Count);
        var left = log.Schedule.Take(max);
        for (var i = 0; i < _sources.Count; i++)
        {
            var source = _sources[(first + i) % _sources.Count];
            if (source.Paused) continue;
            left -= source.Partition.Read(batch, source.Topic, ref source.Position, log.Schedule.Take(left));
        }
    }

    private Source? Find(TopicPartition partition)
    {
        foreach (var source in _sources)
            if (source.Partition.Name == partition) return source;
        return null;
    }
}
