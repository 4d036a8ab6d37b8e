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

    /// <summary>Begins to commit what was written, and the offsets.</summary>
    void BeginCommit(ReadOnlySpan<OffsetToCommit> offsets);

    /// <summary>How that ended; <see cref="CommitOutcome.Waiting"/> where it has not within the patience.</summary>
    CommitOutcome EndCommit(TimeSpan patience);

    /// <summary>Takes back what can be taken back.</summary>
    CommitOutcome Abort();

    /// <summary>Replaces the client.</summary>
    void Rebuild();
}
