using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka;

/// <summary>
/// How a worker's outputs and input offsets get to the log: together in transactions, or outputs at once and offsets after them.
/// </summary>
internal interface IOutputProducer : IDisposable
{
    /// <summary>Begins an interval with the group's metadata of now.</summary>
    void Begin(IConsumerGroupMetadata group);

    /// <summary>Writes outputs; waits while the log is slow.</summary>
    void Write(OutputBuffer outputs, int from, int to);

    /// <summary>Commits what was written, and the offsets.</summary>
    CommitOutcome Commit(ReadOnlySpan<OffsetToCommit> offsets);

    /// <summary>Takes back what can be taken back.</summary>
    CommitOutcome Abort();

    /// <summary>Replaces the client.</summary>
    void Rebuild();
}
