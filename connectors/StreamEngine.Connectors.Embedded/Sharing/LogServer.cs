using System.Net.Sockets;

namespace StreamEngine.Connectors.Embedded.Sharing;

/// <summary>
/// Lets other processes of the same user read and write the log that this one has open, by a socket in the log's directory. They can't run
/// an engine on it.
/// </summary>
internal sealed class LogServer : IDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(200);

    private readonly EmbeddedLog _log;
    private readonly string _path;
    private readonly Socket _listener;
    private readonly Thread _accepting;
    private readonly List<(Wire Wire, Thread Thread)> _connections = [];
    private bool _stopping;

    /// <summary>Listens.</summary>
    /// <param name="log">The log, open in this process alone.</param>
    /// <param name="path">The socket's path; what a process that crashed left there is replaced.</param>
    public LogServer(EmbeddedLog log, string path)
    {
        (_log, _path) = (log, path);
        File.Delete(path);
        _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _listener.Listen();
        _accepting = new Thread(Accept) { Name = "log-sharing", IsBackground = true };
        _accepting.Start();
    }

    public void Dispose()
    {
        lock (_connections) _stopping = true;
        _listener.Dispose();
        _accepting.Join();
        foreach (var (wire, _) in _connections) wire.Close();
        foreach (var (_, thread) in _connections) thread.Join();
        File.Delete(_path);
    }

    private void Accept()
    {
        while (true)
        {
            try
            {
                var wire = new Wire(_listener.Accept());
                var thread = new Thread(() => Serve(wire)) { Name = "log-sharing", IsBackground = true };
                lock (_connections)
                {
                    _connections.RemoveAll(c => !c.Thread.IsAlive);
                    _connections.Add((wire, thread));
                    thread.Start();
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                lock (_connections)
                    if (_stopping) return;
            }
        }
    }

    private void Serve(Wire wire)
    {
        using (wire)
        using (var session = new Session(_log, wire))
        {
            try
            {
                wire.Writer.Write(Wire.Version);
                wire.Writer.Write(Environment.ProcessId);
                wire.Writer.Flush();
                while (true) session.Answer();
            }
            catch (Exception)
            {
                // The other process is gone, the log is closing, or it asks what nobody understands: it finds the connection closed, and
                // whoever has the log open goes on.
            }
        }
    }

    /// <summary>One connection's reader and writer.</summary>
    private sealed class Session(EmbeddedLog log, Wire wire) : IDisposable
    {
        private readonly EmbeddedReader _reader = new(log);
        private readonly EmbeddedWriter _writer = new(log);
        private readonly RecordBatch _batch = new();
        private TopicPartition _reading;

        /// <summary>Answers one question.</summary>
        public void Answer()
        {
            var ask = (Ask)wire.Reader.ReadByte();
            try
            {
                var write = Prepare(ask);
                wire.Writer.Write((byte)Reply.Done);
                write();
            }
            catch (OffsetOutOfRangeException e)
            {
                wire.Writer.Write((byte)Reply.OutOfRange);
                wire.WritePartition(e.Partition);
                wire.Writer.Write(e.Wanted);
                wire.Writer.Write(e.Low);
                wire.Writer.Write(e.High);
            }
            catch (LogException e)
            {
                wire.Writer.Write((byte)Reply.Failed);
                wire.Writer.Write(e.Message);
            }
            wire.Writer.Flush();
        }

        public void Dispose() => _reader.Dispose();

        /// <summary>Reads the question whole and does what it asks; returns what writes the answer.</summary>
        private Action Prepare(Ask ask)
        {
            var (reader, writer) = (wire.Reader, wire.Writer);
            switch (ask)
            {
                case Ask.Partitions:
                    var partitions = log.Partitions(reader.ReadString());
                    return () => writer.Write(partitions);
                case Ask.CreateTopics:
                    var specs = new TopicSpec[Math.Min(reader.ReadInt32(), 1 << 16)];
                    for (var i = 0; i < specs.Length; i++) specs[i] = new TopicSpec(reader.ReadString(), reader.ReadInt32());
                    var created = log.CreateTopics(specs);
                    return () =>
                    {
                        writer.Write(created.Count);
                        foreach (var name in created) writer.Write(name);
                    };
                case Ask.ListTopics:
                    var topics = log.ListTopics();
                    return () => Write(topics);
                case Ask.Watermarks:
                    var (low, high) = log.Watermarks(wire.ReadPartition());
                    return () =>
                    {
                        writer.Write(low);
                        writer.Write(high);
                    };
                case Ask.Committed:
                    var next = log.Committed(reader.ReadString(), wire.ReadPartition());
                    return () => writer.Write(next ?? -1);
                case Ask.Read:
                    Read(wire.ReadPartition(), reader.ReadInt64(), reader.ReadInt32(), TimeSpan.FromMilliseconds(reader.ReadInt32()));
                    return WriteBatch;
                case Ask.Write:
                    Append(reader.ReadInt32());
                    return () => { };
                default:
                    throw new InvalidDataException($"question {ask} is not known");
            }
        }

        private void Write(IReadOnlyList<TopicInfo> topics)
        {
            wire.Writer.Write(topics.Count);
            foreach (var topic in topics)
            {
                wire.Writer.Write(topic.Name);
                wire.Writer.Write(topic.Retention);
                wire.Writer.Write(topic.Partitions);
                foreach (var (first, end) in topic.Offsets)
                {
                    wire.Writer.Write(first);
                    wire.Writer.Write(end);
                }
            }
        }

        private void Read(TopicPartition partition, long offset, int most, TimeSpan timeout)
        {
            if (_reading != partition || _reader.Position != offset) _reader.Assign(partition, offset);
            _reading = partition;
            _reader.Read(_batch, most, timeout < LongestWait ? timeout : LongestWait);
        }

        private void WriteBatch()
        {
            wire.Writer.Write(_reader.Position);
            wire.Writer.Write(_batch.Count);
            for (var i = 0; i < _batch.Count; i++)
            {
                wire.Writer.Write(_batch[i].Offset);
                wire.Writer.Write(_batch[i].Timestamp);
                wire.Writer.Write(_batch[i].Key.Length >= 0);
                wire.WriteBytes(_batch.Key(i));
                wire.Writer.Write(_batch[i].Value.Length >= 0);
                wire.WriteBytes(_batch.Value(i));
            }
        }

        /// <summary>Takes the records in whole before one is appended: what comes of a process that ends amid them is left out.</summary>
        private void Append(int count)
        {
            var records = new List<(string Topic, byte[] Key, byte[] Value, long Timestamp)>();
            for (var i = 0; i < count; i++)
                records.Add((wire.Reader.ReadString(), wire.ReadBytes(log.Store.MaxRecordBytes), wire.ReadBytes(log.Store.MaxRecordBytes),
                    wire.Reader.ReadInt64()));
            foreach (var (topic, key, value, timestamp) in records) _writer.Write(topic, key, value, timestamp);
            _writer.Flush();
        }
    }
}
