using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka;

/// <summary>librdkafka's log lines on their way to the diagnostics.</summary>
internal static class ClientLog
{
    public static void Tell(KafkaLogOptions options, LogMessage line)
    {
        // FAIL: a connection, told by the error handler too. CONFWARN: "X is a consumer property and will be ignored by this producer": settings are passed to both on purpose.
        if (options.Diagnostics is { } tell && line.Facility is not ("CONFWARN" or "FAIL")) tell($"{line.Name}: {line.Message}");
    }
}
