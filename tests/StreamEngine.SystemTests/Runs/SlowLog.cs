using System.Diagnostics;
using StreamEngine.Connectors;

namespace StreamEngine.SystemTests.Runs;

/// <summary>
/// A log whose readers get the records of one partition number slowly, as from a broker that is far away or throttles; everything else is
/// as it is.
/// </summary>
internal sealed class SlowLog(ILog log, int partition, int perSecond) : ILog
{
    public int Partitions(string topic) => log.Partitions(topic);

    public IReadOnlyList<string> CreateTopics(IReadOnlyList<TopicSpec> topics) => log.CreateTopics(topics);

    public IReadOnlyList<TopicInfo> ListTopics() => log.ListTopics();

    public (long Low, long High) Watermarks(TopicPartition partition) => log.Watermarks(partition);

    public long? Committed(string group, TopicPartition partition) => log.Committed(group, partition);

    public ILogWorker OpenWorker(WorkerOptions options) => log.OpenWorker(options);

    public ILogReader OpenReader() => new SlowReader(log.OpenReader(), partition, perSecond);

    public ILogWriter OpenWriter() => log.OpenWriter();

    public void Dispose() => log.Dispose();

    private sealed class SlowReader(ILogReader reader, int slow, int perSecond) : ILogReader
    {
        private readonly ManualResetEventSlim _never = new();
        private long _started, _given;
        private bool _isSlow;

        public long Position => reader.Position;

        public void Assign(TopicPartition partition, long offset)
        {
            reader.Assign(partition, offset);
            (_isSlow, _started) = (partition.Partition == slow, Stopwatch.GetTimestamp());
        }

        public void Read(RecordBatch batch, int maxRecords, TimeSpan timeout)
        {
            var due = _isSlow ? (int)Math.Min(maxRecords, Stopwatch.GetElapsedTime(_started).TotalSeconds * perSecond - _given)
                : maxRecords;
            if (due > 0)
            {
                reader.Read(batch, due, timeout);
                _given += batch.Count;
                return;
            }
            batch.Clear();
            _never.Wait(timeout);
        }

        public void Dispose()
        {
            reader.Dispose();
            _never.Dispose();
        }
    }
}
