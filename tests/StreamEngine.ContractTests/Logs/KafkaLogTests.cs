using StreamEngine.Connectors;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.ContractTests.Logs;

/// <summary>How the Kafka tests open their log: short timeouts, the shared broker, a skip with the reason where there is none.</summary>
internal static class TestKafka
{
    public static ILog Open()
    {
        Skip.If(KafkaBroker.Missing is not null, KafkaBroker.Missing);
        return new KafkaLog(Options(KafkaBroker.Shared.Address));
    }

    public static KafkaLogOptions Options(string address) => new()
    {
        Bootstrap = address,
        TransactionTimeout = TimeSpan.FromSeconds(4),
        Settings = new Dictionary<string, string> { ["consumer.session.timeout.ms"] = "6000", ["consumer.heartbeat.interval.ms"] = "500" },
    };
}

public sealed class KafkaTopicTests : TopicContract
{
    private protected override ILog OpenLog() => TestKafka.Open();
}

public sealed class KafkaTransactionTests : TransactionContract
{
    protected override TimeSpan Patience => TimeSpan.FromSeconds(60);

    private protected override ILog OpenLog() => TestKafka.Open();
}

public sealed class KafkaGroupTests : GroupContract
{
    protected override TimeSpan Patience => TimeSpan.FromSeconds(60);

    private protected override ILog OpenLog() => TestKafka.Open();
}

public sealed class KafkaDirectTests : DirectContract
{
    protected override TimeSpan Patience => TimeSpan.FromSeconds(60);

    private protected override ILog OpenLog() => TestKafka.Open();
}
