using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka;

/// <summary>What an error code means for the engine.</summary>
internal static class KafkaErrors
{
    /// <summary>
    /// Whether waiting can't cure it: rights, a topic that is gone, a record too large, another worker with our id. A failed handshake is
    /// not among them: a broker that goes down during one looks the same as wrong credentials.
    /// </summary>
    public static bool IsLasting(ErrorCode code) => code is not (ErrorCode.Local_Authentication or ErrorCode.Local_Ssl)
        && Remedy(code) is not null;

    /// <summary>A lasting error as an exception that names the remedy.</summary>
    public static LogException Lasting(ErrorCode code, string where, string text, Exception? inner = null) =>
        new($"{where}: {text} ({code}). {Remedy(code) ?? "See the broker's log."}", inner);

    private static string? Remedy(ErrorCode code) => code switch
    {
        ErrorCode.TopicAuthorizationFailed => "Give the user the right to read (sources) or write (outputs) the topic.",
        ErrorCode.GroupAuthorizationFailed => "Give the user the right to read the consumer group.",
        ErrorCode.ClusterAuthorizationFailed => "Give the user the right IdempotentWrite on the cluster.",
        ErrorCode.TransactionalIdAuthorizationFailed => "Give the user the rights to write and describe the transactional id.",
        ErrorCode.Local_Authentication or ErrorCode.SaslAuthenticationFailed => "Check user, password and mechanism (sasl.*).",
        ErrorCode.Local_Ssl => "Check the certificates (ssl.*).",
        ErrorCode.Local_UnknownTopic or ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownPartition =>
            "Create the topic: `topics create`.",
        ErrorCode.MsgSizeTooLarge or ErrorCode.RecordListTooLarge => "Raise message.max.bytes here and max.message.bytes of the topic.",
        ErrorCode.InvalidTimestamp => "Outputs carry event time: set the topic's message.timestamp.after.max.ms and "
            + "message.timestamp.before.max.ms to 9223372036854775807, as `topics create` does, or lower time.max_future.",
        ErrorCode.FencedInstanceId => "Another worker runs with this instance id: give each node its own.",
        ErrorCode.UnsupportedVersion or ErrorCode.Local_UnsupportedFeature => "The broker is too old: it needs Apache Kafka 2.5 or newer.",
        ErrorCode.InvalidTransactionTimeout => "The transaction timeout is above the broker's transaction.max.timeout.ms.",
        ErrorCode.InvalidRequiredAcks or ErrorCode.TopicException or ErrorCode.PolicyViolation or ErrorCode.InvalidConfig =>
            "See the broker's log.",
        _ => null,
    };
}
