namespace StreamEngine.Connectors.Kafka;

/// <summary>An assigned partition, as the loop's thread sees it.</summary>
internal sealed class PartitionState(int topic, TopicPartition id)
{
    /// <summary>Index of the topic in the subscription.</summary>
    public int Topic { get; } = topic;

    public TopicPartition Id { get; } = id;

    /// <summary>Whether its records are wanted: false from assignment to the first resume, and while paused.</summary>
    public bool Live { get; set; }

    /// <summary>
    /// The offset behind the last record handed out; -1 until the start offset is known. Records below it are stale and dropped.
    /// </summary>
    public long Next { get; set; } = -1;

    /// <summary>First and last run of this partition in the fetch at hand; -1 for none.</summary>
    public int FirstRun = -1, LastRun = -1;
}

/// <summary>The assigned partitions by topic index and number.</summary>
internal sealed class Partitions(IReadOnlyList<string> topics)
{
    private readonly PartitionState?[][] _byTopic = [.. topics.Select(_ => Array.Empty<PartitionState?>())];

    public IReadOnlyList<string> Topics { get; } = topics;

    public IEnumerable<PartitionState> All => _byTopic.SelectMany(t => t).OfType<PartitionState>();

    /// <summary>Index of a topic in the subscription; -1 for another's.</summary>
    public int IndexOf(string topic)
    {
        for (var i = 0; i < Topics.Count; i++)
            if (Topics[i] == topic) return i;
        return -1;
    }

    public PartitionState? Find(int topic, int partition) =>
        (uint)topic < (uint)_byTopic.Length && (uint)partition < (uint)_byTopic[topic].Length ? _byTopic[topic][partition] : null;

    public PartitionState? Find(TopicPartition id) => Find(IndexOf(id.Topic), id.Partition);

    /// <summary>Takes a partition in, not live yet; replaces what was known of it.</summary>
    public PartitionState Add(TopicPartition id)
    {
        var topic = IndexOf(id.Topic);
        ref var slots = ref _byTopic[topic];
        if (id.Partition >= slots.Length) Array.Resize(ref slots, id.Partition + 1);
        return slots[id.Partition] = new PartitionState(topic, id);
    }

    public void Remove(TopicPartition id)
    {
        if (Find(id) is { } state) _byTopic[state.Topic][id.Partition] = null;
    }

    public void Clear()
    {
        foreach (var slots in _byTopic) Array.Clear(slots);
    }
}
