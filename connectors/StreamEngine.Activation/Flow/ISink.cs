using StreamEngine.Activation.Records;
using StreamEngine.Connectors;

namespace StreamEngine.Activation.Flow;

/// <summary>What a connector delivers to. Batches of one lane come one after another, those of several lanes at the same time.</summary>
internal interface ISink : IAsyncDisposable
{
    /// <summary>How records become batches.</summary>
    BatchRule Rule { get; }

    /// <summary>The lane of a record: what must stay in order has the same one.</summary>
    int Lane(ActivationRecord record);

    /// <summary>
    /// Where the partition goes on by what the target itself holds; null where it does not know, and the group's offset counts.
    /// </summary>
    /// <param name="partition">The partition.</param>
    /// <param name="committed">The group's offset.</param>
    /// <param name="stop">Ends the question.</param>
    /// <exception cref="PartnerAwayException">The target does not answer.</exception>
    Task<long?> NextAsync(TopicPartition partition, long committed, CancellationToken stop);

    /// <summary>
    /// Delivers a batch, all of it: what the target refuses for good has been written to the dead letter when the task ends.
    /// </summary>
    /// <exception cref="PartnerAwayException">The target does not answer, or asks for patience: the same batch comes again.</exception>
    Task DeliverAsync(Batch batch, CancellationToken stop);

    /// <summary>For how long a batch is tried before it is given up; null for ever.</summary>
    TimeSpan? GiveUpAfter { get; }
}

/// <summary>When a batch is closed: whichever comes first.</summary>
/// <param name="MaxRecords">The most records.</param>
/// <param name="MaxBytes">The most bytes.</param>
/// <param name="Linger">How long it waits for more.</param>
internal readonly record struct BatchRule(int MaxRecords, long MaxBytes, TimeSpan Linger);

/// <summary>The partner did not take a delivery, and may take it later.</summary>
/// <param name="message">Why, for people.</param>
/// <param name="label">Why, in a word for the metrics.</param>
/// <param name="retryAfter">How long it asks to wait.</param>
/// <param name="inner">The cause.</param>
internal sealed class PartnerAwayException(string message, string label, TimeSpan? retryAfter = null, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>Why, in a word for the metrics.</summary>
    public string Label { get; } = label;

    /// <summary>How long the partner asks to wait.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>Why, as a dead letter has it: what the partner says may stand in it, which logs and health do not show.</summary>
    public string Detail { get; init; } = message;
}
