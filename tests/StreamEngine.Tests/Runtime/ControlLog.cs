using StreamEngine.Connectors;

namespace StreamEngine.Tests.Runtime;

/// <summary>A log whose topics have an id, that can be away, and that can be another one from now on, as if its topics were made anew.
/// </summary>
internal sealed class ControlLog(ILog log, string topicId) : ILog
{
    private volatile string _topicId = topicId;
    private volatile ILog _log = log;
    private volatile bool _isAway;

    /// <summary>Whether it does not answer.</summary>
    public bool IsAway
    {
        get => _isAway;
        set => _isAway = value;
    }

    /// <summary>Whether readers that are open can't read.</summary>
    public bool IsUnreadable { get; set; }

    /// <summary>How many readers were opened.</summary>
    public int Opened { get; private set; }

    /// <summary>How many of them are open.</summary>
    public int Open { get; private set; }

    public void MakeAnew(ILog log, string topicId) => (_log, _topicId) = (log, topicId);

    public string? TopicId(string topic) => _topicId;

    public int Partitions(string topic) => Answering.Partitions(topic);

    public IReadOnlyList<string> CreateTopics(IReadOnlyList<TopicSpec> topics) => Answering.CreateTopics(topics);

    public IReadOnlyList<TopicInfo> ListTopics() => Answering.ListTopics();

    public (long Low, long High) Watermarks(TopicPartition partition) => Answering.Watermarks(partition);

    public long? Committed(string group, TopicPartition partition) => Answering.Committed(group, partition);

    public ILogWorker OpenWorker(WorkerOptions options) => Answering.OpenWorker(options);

    public ILogReader OpenReader()
    {
        var reader = new Reader(this, Answering.OpenReader());
        Opened++;
        Open++;
        return reader;
    }

    public ILogWriter OpenWriter() => Answering.OpenWriter();

    public void Dispose()
    {
        // The log is the test's.
    }

    private ILog Answering => _isAway ? throw new LogException("nobody answers") : _log;

    private sealed class Reader(ControlLog log, ILogReader reader) : ILogReader
    {
        public long Position => reader.Position;

        public void Assign(TopicPartition partition, long offset) => reader.Assign(partition, offset);

        public void Read(RecordBatch batch, int maxRecords, TimeSpan timeout)
        {
            if (log.IsUnreadable) throw new LogException("nobody reads");
            reader.Read(batch, maxRecords, timeout);
        }

        public void Dispose()
        {
            log.Open--;
            reader.Dispose();
        }
    }
}
