using System.Text.RegularExpressions;
using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka;

/// <summary>librdkafka's log lines on their way to the diagnostics.</summary>
internal static partial class ClientLog
{
    /// <summary>An error's text for people, without the client's notes of time and state.</summary>
    public static string Plain(string reason) => Notes().Replace(reason, "").TrimEnd('.', ' ');

    [GeneratedRegex(@"\s*\(after \d+ms in state [A-Z0-9_]+(, \d+ identical error\(s\) suppressed)?\)")]
    private static partial Regex Notes();

    public static void Tell(KafkaLogOptions options, LogMessage line)
    {
        // FAIL: a connection, told by the error handler too. CONFWARN: "X is a consumer property and will be ignored by this producer":
        // settings are passed to both on purpose.
        if (options.Diagnostics is { } tell && line.Facility is not ("CONFWARN" or "FAIL")) tell($"{line.Name}: {line.Message}");
    }
}
