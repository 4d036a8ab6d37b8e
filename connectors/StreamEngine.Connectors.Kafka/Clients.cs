using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka;

/// <summary>Makes clients. Some settings are only looked at then: certificates and keys, and how settings go together.</summary>
internal static class Clients
{
    /// <summary>A client.</summary>
    /// <exception cref="LogException">librdkafka can't make one with these settings; says which and what to do.</exception>
    public static T Make<T>(Func<T> build)
    {
        try
        {
            return build();
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or KafkaException)
        {
            throw Refused(e.Message, e);
        }
    }

    /// <summary>What to say where a client can't be made.</summary>
    public static LogException Refused(string reason, Exception? inner = null) =>
        new($"Kafka's client can't be made with kafka.settings: {ClientLog.Plain(reason)}. Check the files and keys that ssl.* names, and "
            + "how security.protocol, sasl.* and ssl.* go together.", inner);
}
