using System.Text;
using StreamEngine.Connectors;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Tests.Runtime;

/// <summary>
/// One partition of a checkpoint topic, by hand: records are appended and taken out as a cleaner does, and read so many at a time.
/// </summary>
/// <param name="version">The version that profiles are written with.</param>
internal sealed class CheckpointTopic(string version) : ILog
{
    private readonly List<(string Key, byte[]? Value)> _records = [];

    /// <summary>What the group tells.</summary>
    public IReadOnlyList<GroupMember>? Group { get; set; } = [];

    /// <summary>The most records of one read.</summary>
    public int AtOnce { get; set; } = 1;

    /// <summary>Called before each read, and each question for the end.</summary>
    public Action OnRead { get; set; } = () => { };

    /// <summary>Called after each question for the end.</summary>
    public Action OnAsked { get; set; } = () => { };

    /// <summary>Appends a profile as of a position.</summary>
    public CheckpointTopic Profile(string key, string profile, long next, string? other = null)
    {
        var writer = new CutBlock.Writer(other ?? version);
        writer.Begin(BlockKind.Profiles, [next], 0, 0);
        writer.Add(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(profile));
        writer.End();
        return Raw(key, writer.Bytes.ToArray());
    }

    /// <summary>Appends the end of a cut.</summary>
    public CheckpointTopic Marker(long number, long start, string version)
    {
        var writer = new CutBlock.Writer(version);
        writer.Mark(new CutMarker(number, new CutPosition([start], 0, 0), 1, [1], 0, 1, 3, version));
        return Raw("marker", writer.Bytes.ToArray());
    }

    /// <summary>Appends anything.</summary>
    public CheckpointTopic Raw(string key, byte[] value)
    {
        _records.Add((key, value));
        return this;
    }

    /// <summary>Keeps the newest record of each key, as a cleaner does that has come to the end.</summary>
    public void Compact()
    {
        var kept = new HashSet<string>();
        for (var i = _records.Count - 1; i >= 0; i--)
            if (!kept.Add(_records[i].Key)) _records[i] = (_records[i].Key, null);
    }

    public IReadOnlyList<GroupMember>? Members(string group) => Group;

    public (long Low, long High) Watermarks(TopicPartition partition)
    {
        OnRead();
        var end = _records.Count;
        OnAsked();
        return (0, end);
    }

    public ILogReader OpenReader() => new Reader(this);

    public void Dispose()
    {
    }

    public int Partitions(string topic) => 2;
    public IReadOnlyList<string> CreateTopics(IReadOnlyList<TopicSpec> topics) => throw new NotSupportedException();
    public IReadOnlyList<TopicInfo> ListTopics() => throw new NotSupportedException();
    public long? Committed(string group, TopicPartition partition) => throw new NotSupportedException();
    public ILogWorker OpenWorker(WorkerOptions options) => throw new NotSupportedException();
    public ILogWriter OpenWriter() => throw new NotSupportedException();

    private sealed class Reader(CheckpointTopic topic) : ILogReader
    {
        public long Position { get; private set; }

        public void Assign(TopicPartition partition, long offset) => Position = offset;

        public void Read(RecordBatch batch, int maxRecords, TimeSpan timeout)
        {
            batch.Clear();
            topic.OnRead();
            for (; Position < topic._records.Count && batch.Count < topic.AtOnce; Position++)
                if (topic._records[(int)Position] is (var key, { } value))
                    batch.Add(0, 1, Position, 0, Encoding.UTF8.GetBytes(key), true, value, true);
        }

        public void Dispose()
        {
        }
    }
}
