using StreamEngine.Connectors;

namespace StreamEngine.Runtime;

/// <summary>The topic of shared numbers: one partition, so that a version is one offset.</summary>
internal static class SharedTopic
{
    /// <summary>What <c>topics create</c> makes.</summary>
    public static TopicSpec Spec(string topic, short replicas = -1) => new(topic, 1, null, replicas, Compacted: true);

    /// <summary>What is wrong with the topic as it is in the log; null where it fits, or is not there.</summary>
    public static string? Fault(ILog log, string topic) => log.Partitions(topic) is > 1 and var n
        ? $"the topic of shared numbers '{topic}' has {n} partitions and needs one, so that its records have one order: make it anew, or "
            + "name another one (shared.topic)" : null;
}
