using StreamEngine.Configuration;

namespace StreamEngine.Connectors.Kafka;

/// <summary>The config's section about Kafka.</summary>
public sealed record KafkaOptions : ILocated
{
    [Doc("librdkafka settings passed through (security.protocol, sasl.*, ssl.*, fetch.*, ...); those that would break exactly-once are "
        + "refused. NAME_file (sasl.password_file) names a file that holds the value.")]
    [Dotted]
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    [Doc("A stable name of this node, for static membership; the host's name where absent.")]
    public string? NodeName { get; init; }

    [Doc("After how long the broker ends the transaction of a worker that died or stalled. The session timeout must be longer: readers are "
        + "free before partitions move.")]
    [Bounds(1, 180)]
    public TimeSpan TransactionTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
