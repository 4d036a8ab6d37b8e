namespace StreamEngine.Connectors.Kafka;

/// <summary>How to reach a Kafka cluster, and how patient to be with it.</summary>
public sealed record KafkaLogOptions
{
    /// <summary>Addresses to start from: <c>host:port</c>, comma-separated.</summary>
    public required string Bootstrap { get; init; }

    /// <summary>
    /// librdkafka settings by name (SASL, TLS, sizes, compression...), passed through to every client. A name that begins with
    /// <c>consumer.</c> or <c>producer.</c> goes to that kind of client only. Those that would break the promise of exactly once are
    /// refused: <see cref="KafkaSettings.Validate"/>.
    /// </summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// After how long the broker aborts a transaction whose worker has died or stalled. Shorter than the session timeout, so that readers
    /// are free before partitions move.
    /// </summary>
    public TimeSpan TransactionTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long one request about topics, offsets or metadata may take.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long to wait for a transaction of somebody else that holds a group's offsets, and for a cluster that is away while a producer is
    /// rebuilt; <see cref="Timeout.InfiniteTimeSpan"/> for as long as it takes.
    /// </summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Ends every wait for the cluster, within about a second: so long a cluster that answers has for what is still asked of it.
    /// </summary>
    public CancellationToken Stop { get; init; }

    /// <summary>Told in one line what the clients met and got over (lost connections, retries); from any thread.</summary>
    public Action<string>? Diagnostics { get; init; }

    /// <summary>Told in one line that a cluster does not answer and is waited for; from any thread.</summary>
    public Action<string>? Waiting { get; init; }

    /// <summary>
    /// How long behind its limit a producer's call may come back before the producer is given up, and how long one may take to close.
    /// </summary>
    internal TimeSpan CallGrace { get; init; } = TimeSpan.FromSeconds(5);
}
