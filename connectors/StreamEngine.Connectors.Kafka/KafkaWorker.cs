namespace StreamEngine.Connectors.Kafka;

/// <summary>One worker on Kafka: a member of the group and a producer (transactional, if so asked) under one instance id.</summary>
internal sealed class KafkaWorker : ILogWorker
{
    private readonly KafkaLog _log;
    private readonly KafkaLogOptions _options;
    private readonly WorkerOptions _worker;
    private readonly IOutputProducer _producer;
    private readonly Queue<long> _rejoined = new();
    private readonly Lock _waking = new();
    private GroupConsumer? _awake;   // whose poll may be woken
    private GroupConsumer _consumer;

    public KafkaWorker(KafkaLog log, KafkaLogOptions options, WorkerOptions worker)
    {
        (_log, _options, _worker) = (log, options, worker);
        MaxOutputBytes = KafkaSettings.LargestRecord(options.Settings);
        foreach (var source in worker.Sources) _ = RequiredPartitions(source, "read");
        // First the producer: taking the transactional id over fences a zombie before its partitions can come here.
        int[] outputs = [.. worker.Outputs.Select(o => RequiredPartitions(o, "written"))];
        _producer = worker.Transactional ? new TransactionalProducer(options, worker, outputs, Wake)
            : new DirectProducer(options, worker, outputs, offsets => _consumer!.Commit(offsets));
        _awake = _consumer = new GroupConsumer(log, options, worker);
    }

    public void Poll(RecordBatch batch, int maxRecords, TimeSpan timeout, IOwnership ownership)
    {
        try
        {
            _consumer.Poll(batch, maxRecords, timeout, ownership);
        }
        catch (LogException e) when (_consumer.IsDead && MayRejoin())
        {
            // A broker that dies in a rebalance makes the client join twice and fence itself. A real double is fenced again and again: then
            // we stop.
            _options.Diagnostics?.Invoke($"{e.Message} Joining again.");
            Rejoin();
        }
    }

    public void Wake()
    {
        lock (_waking) _awake?.Wake();
    }

    /// <summary>
    /// The broker takes a member for dead a session timeout after its last heartbeat, which may be a heartbeat's interval old.
    /// </summary>
    public TimeSpan Lease => _consumer.Lease;

    public void Pause(IReadOnlyList<TopicPartition> partitions) => _consumer.Pause(partitions);

    public void Resume(IReadOnlyList<TopicPartition> partitions, long? offset = null) => _consumer.Resume(partitions, offset);

    public long StartOffset(TopicPartition partition) => _consumer.StartOffset(partition);

    public long Position(TopicPartition partition) => _consumer.Position(partition);

    /// <summary>As librdkafka counts it (message.max.bytes), which is also below a broker's default for a topic.</summary>
    public int MaxOutputBytes { get; }

    public void Begin() => _producer.Begin(_consumer.Metadata);

    public void Write(OutputBuffer outputs, int from, int to) => _producer.Write(outputs, from, to);

    public void BeginCommit(ReadOnlySpan<OffsetToCommit> offsets) => _producer.BeginCommit(offsets);

    public CommitOutcome EndCommit(TimeSpan patience) => _producer.EndCommit(patience);

    public CommitOutcome Abort() => _producer.Abort();

    public void Rebuild()
    {
        _producer.Rebuild();
        if (_consumer.IsDead) Rejoin();
    }

    public void Leave() => _consumer.Leave();

    /// <summary>Closes the consumer first (its last revocation may commit), then the producer.</summary>
    public void Dispose()
    {
        lock (_waking) _awake = null;
        try
        {
            _consumer.Dispose();
        }
        finally
        {
            _producer.Dispose();
        }
    }

    private void Rejoin()
    {
        lock (_waking) _awake = null;
        _consumer.Dispose();
        _consumer = new GroupConsumer(_log, _options, _worker);
        lock (_waking) _awake = _consumer;
    }

    /// <summary>Twice in a minute.</summary>
    private bool MayRejoin()
    {
        var now = TimeProvider.System.GetTimestamp();
        while (_rejoined.TryPeek(out var at) && TimeProvider.System.GetElapsedTime(at, now) > TimeSpan.FromMinutes(1)) _rejoined.Dequeue();
        if (_rejoined.Count == 2) return false;
        _rejoined.Enqueue(now);
        return true;
    }

    private int RequiredPartitions(string topic, string use)
    {
        var count = _log.Partitions(topic);
        return count > 0 ? count
            : throw new LogException($"topic '{topic}' is to be {use}, but {_options.Bootstrap} has no topic of that name. Create it: "
            + "`topics create`.");
    }
}
