using System.Net.Sockets;

namespace StreamEngine.Connectors.Embedded.Sharing;

/// <summary>A log that another process has open: it reads and writes there on our behalf. Thread-safe; what it opens is not.</summary>
internal sealed class SharedLog : ILog
{
    private readonly string _directory;
    private readonly Wire _wire;
    private readonly Lock _turn = new();
    private readonly int _process;

    private SharedLog(string directory, Wire wire)
    {
        (_directory, _wire) = (directory, wire);
        var version = wire.Reader.ReadByte();
        _process = wire.Reader.ReadInt32();
        if (version != Wire.Version)
            throw new LogException($"The log in {directory} is open in process {_process}, which is another version of this program: stop "
                + "it first.");
    }

    /// <summary>Connects to the process that has the log open; null where none answers.</summary>
    public static SharedLog? TryConnect(string directory)
    {
        if (Wire.PathOf(directory) is not { } path || !File.Exists(path)) return null;
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return new SharedLog(directory, new Wire(socket));
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            socket.Dispose();
            return null;
        }
    }

    public int Partitions(string topic) => Ask(Sharing.Ask.Partitions, w => w.Writer.Write(topic), w => w.Reader.ReadInt32());

    public IReadOnlyList<string> CreateTopics(IReadOnlyList<TopicSpec> topics) => Ask(Sharing.Ask.CreateTopics, w =>
    {
        w.Writer.Write(topics.Count);
        foreach (var topic in topics) w.WritePartition(new TopicPartition(topic.Name, topic.Partitions));
    }, w => Many(w, () => w.Reader.ReadString()));

    public IReadOnlyList<TopicInfo> ListTopics() => Ask(Sharing.Ask.ListTopics, _ => { }, w => Many(w, () =>
    {
        var (name, retention) = (w.Reader.ReadString(), w.Reader.ReadString());
        return new TopicInfo(name, Many(w, () => (w.Reader.ReadInt64(), w.Reader.ReadInt64())), retention);
    }));

    public (long Low, long High) Watermarks(TopicPartition partition) =>
        Ask(Sharing.Ask.Watermarks, w => w.WritePartition(partition), w => (w.Reader.ReadInt64(), w.Reader.ReadInt64()));

    public long? Committed(string group, TopicPartition partition) => Ask(Sharing.Ask.Committed, w =>
    {
        w.Writer.Write(group);
        w.WritePartition(partition);
    }, w => w.Reader.ReadInt64()) is var next && next >= 0 ? next : null;

    public ILogWorker OpenWorker(WorkerOptions options) => throw Owned();

    /// <summary>What to say where only the log itself will do.</summary>
    public LogException Owned() => new($"The log in {_directory} is open in process {_process}, and an engine has to be the first to open "
        + "it: one at a time. Stop that process; what only reads or writes events can be started again behind the engine.");

    public ILogReader OpenReader() => new Reader(this);

    public ILogWriter OpenWriter() => new Writer(this);

    public void Dispose() => _wire.Dispose();

    /// <summary>One question and its answer.</summary>
    /// <exception cref="LogException">The other process is gone, or it refuses.</exception>
    private T Ask<T>(Ask ask, Action<Wire> question, Func<Wire, T> answer)
    {
        lock (_turn)
        {
            try
            {
                _wire.Writer.Write((byte)ask);
                question(_wire);
                _wire.Writer.Flush();
                switch ((Reply)_wire.Reader.ReadByte())
                {
                    case Reply.Done: return answer(_wire);
                    case Reply.OutOfRange:
                        throw new OffsetOutOfRangeException(_wire.ReadPartition(), _wire.Reader.ReadInt64(), _wire.Reader.ReadInt64(),
                            _wire.Reader.ReadInt64());
                    default: throw new LogException(_wire.Reader.ReadString());
                }
            }
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
            {
                throw new LogException($"Process {_process}, which had the log in {_directory} open, has ended"
                    + $"{(ask == Sharing.Ask.Write ? "; the last records may not be in the log" : "")}.", e);
            }
        }
    }

    private static List<T> Many<T>(Wire wire, Func<T> read)
    {
        var many = new List<T>();
        for (var left = wire.Reader.ReadInt32(); left > 0; left--) many.Add(read());
        return many;
    }

    private sealed class Reader(SharedLog log) : ILogReader
    {
        private TopicPartition _partition;

        public long Position { get; private set; }

        public void Assign(TopicPartition partition, long offset) => (_partition, Position) = (partition, offset);

        public void Read(RecordBatch batch, int maxRecords, TimeSpan timeout)
        {
            batch.Clear();
            var started = TimeProvider.System.GetTimestamp();
            TimeSpan left;
            do
            {
                left = timeout - TimeProvider.System.GetElapsedTime(started);
                Position = log.Ask(Sharing.Ask.Read, w =>
                {
                    w.WritePartition(_partition);
                    w.Writer.Write(Position);
                    w.Writer.Write(maxRecords);
                    w.Writer.Write((int)Math.Clamp(left.TotalMilliseconds, 0, int.MaxValue));
                }, w => Take(w, batch));
            }
            while (batch.Count == 0 && left > TimeSpan.Zero);
        }

        public void Dispose() { }

        private long Take(Wire wire, RecordBatch batch)
        {
            var position = wire.Reader.ReadInt64();
            for (var left = wire.Reader.ReadInt32(); left > 0; left--)
            {
                var (offset, timestamp) = (wire.Reader.ReadInt64(), wire.Reader.ReadInt64());
                var hasKey = wire.Reader.ReadBoolean();
                var key = wire.ReadBytes(int.MaxValue);
                var hasValue = wire.Reader.ReadBoolean();
                batch.Add(0, _partition.Partition, offset, timestamp, key, hasKey, wire.ReadBytes(int.MaxValue), hasValue);
            }
            return position;
        }
    }

    private sealed class Writer(SharedLog log) : ILogWriter
    {
        private const int MaxRecords = 4096;
        private const int MaxBytes = 256 << 10;

        private readonly List<(string Topic, byte[] Key, byte[] Value, long Timestamp)> _records = [];
        private int _bytes;

        public void Write(string topic, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long timestamp)
        {
            _records.Add((topic, key.ToArray(), value.ToArray(), timestamp));
            _bytes += key.Length + value.Length;
            if (_records.Count >= MaxRecords || _bytes >= MaxBytes) Flush();
        }

        public void Flush()
        {
            if (_records.Count == 0) return;
            var records = _records.ToArray();
            _records.Clear(); // what fails is not tried again
            _bytes = 0;
            _ = log.Ask(Sharing.Ask.Write, w =>
            {
                w.Writer.Write(records.Length);
                foreach (var (topic, key, value, timestamp) in records)
                {
                    w.Writer.Write(topic);
                    w.WriteBytes(key);
                    w.WriteBytes(value);
                    w.Writer.Write(timestamp);
                }
            }, _ => true);
        }

        public void Dispose() => Flush();
    }
}
