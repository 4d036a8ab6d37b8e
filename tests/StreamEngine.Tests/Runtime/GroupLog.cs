using StreamEngine.Connectors;

namespace StreamEngine.Tests.Runtime;

/// <summary>A log as others of its group would see it.</summary>
internal sealed class GroupLog(ILog log, IReadOnlyList<GroupMember> members) : ILog
{
    public IReadOnlyList<GroupMember>? Members(string group) => members;

    public int Partitions(string topic) => log.Partitions(topic);

    public IReadOnlyList<string> CreateTopics(IReadOnlyList<TopicSpec> topics) => log.CreateTopics(topics);

    public IReadOnlyList<TopicInfo> ListTopics() => log.ListTopics();

    public (long Low, long High) Watermarks(TopicPartition partition) => log.Watermarks(partition);

    public long? Committed(string group, TopicPartition partition) => log.Committed(group, partition);

    public ILogWorker OpenWorker(WorkerOptions options) => log.OpenWorker(options);

    public ILogReader OpenReader() => log.OpenReader();

    public ILogWriter OpenWriter() => log.OpenWriter();

    public void Dispose()
    {
    }
}
