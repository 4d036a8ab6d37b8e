using System.Runtime.InteropServices;

namespace StreamEngine.Connectors.Embedded;

/// <summary>
/// The partitions that a worker owns: their cursors, and which are paused. Reads are shared out evenly, so that no partition starves
/// another.
/// </summary>
internal sealed class SourceSet(EmbeddedLog log, IReadOnlyList<string> topics)
{
    private readonly List<Source> _sources = [];
    private int _first;

    private sealed class Source(TopicPartition name, int topic, PartitionCursor cursor)
    {
        public TopicPartition Name { get; } = name;

        public int Topic { get; } = topic;

        public PartitionCursor Cursor { get; } = cursor;

        public bool Paused { get; set; } = true;

        /// <summary>Whether the position is known; else it is the group's committed offset when it is resumed.</summary>
        public bool Placed { get; set; }
    }

    /// <summary>The group's offset where a partition without a position starts.</summary>
    public required Func<TopicPartition, long> Start { get; init; }

    /// <summary>The shards' partitions over all topics.</summary>
    public List<TopicPartition> Partitions(List<int> shards)
    {
        var partitions = new List<TopicPartition>();
        foreach (var topic in topics)
            foreach (var shard in shards)
                if (shard < log.Partitions(topic)) partitions.Add(new TopicPartition(topic, shard));
        return partitions;
    }

    public void Add(List<int> shards)
    {
        foreach (var name in Partitions(shards))
        {
            for (var topic = 0; topic < topics.Count; topic++)
                if (topics[topic] == name.Topic) _sources.Add(new Source(name, topic, new PartitionCursor(log.Store, log.Known(name))));
        }
    }

    public void Remove(List<int> shards) => _sources.RemoveAll(s => shards.Contains(s.Name.Partition));

    public void Pause(TopicPartition partition)
    {
        if (Find(partition) is { } source) source.Paused = true;
    }

    public void Resume(TopicPartition partition, long? offset)
    {
        if (Find(partition) is not { } source) return;
        if (offset is { } given) source.Cursor.Position = given;
        else if (!source.Placed) source.Cursor.Position = Start(partition);
        source.Placed = true;
        source.Paused = false;
    }

    /// <summary>The next offset to be fetched; null where nothing was fetched yet or the partition is not ours.</summary>
    public long? Position(TopicPartition partition) => Find(partition) is { Placed: true } source ? source.Cursor.Position : null;

    /// <summary>Appends up to <paramref name="max"/> records, the records of a partition together.</summary>
    public void Read(RecordBatch batch, int max)
    {
        var sources = CollectionsMarshal.AsSpan(_sources);
        if (sources.IsEmpty) return;
        var waiting = 0;
        foreach (var source in sources)
            if (HasMore(source)) waiting++;
        _first = (_first + 1) % sources.Length;
        for (var i = 0; i < sources.Length && batch.Count < max; i++)
        {
            var source = sources[(_first + i) % sources.Length];
            if (!HasMore(source)) continue;
            source.Cursor.Read(batch, source.Topic, Math.Max(1, (max - batch.Count) / Math.Max(1, waiting--)));
        }
    }

    private static bool HasMore(Source source) => !source.Paused && (source.Cursor.Available > 0 || source.Cursor.IsBeyondEnd);

    private Source? Find(TopicPartition partition)
    {
        foreach (var source in _sources)
            if (source.Name == partition) return source;
        return null;
    }
}
