using StreamEngine.Connectors;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.ContractTests.Logs;

/// <summary>What a log still knows, by the same clients, once its broker was restarted.</summary>
public sealed class KafkaRestartTests
{
    [SkippableFact]
    public void Offsets_are_told_again_by_a_log_whose_broker_was_restarted()
    {
        Skip.If(KafkaBroker.MissingOwn is not null, KafkaBroker.MissingOwn);
        using var broker = KafkaBroker.Start();
        using var log = new KafkaLog(TestKafka.Options(broker.Address));
        log.CreateTopics([new TopicSpec("a", 12)]);
        TopicPartition[] all = [.. Enumerable.Range(0, 12).Select(p => new TopicPartition("a", p))];
        using (var writer = log.OpenWriter())
        {
            for (var i = 0; i < 12; i++) writer.Write("a", [(byte)i], [1], 1_000);
            writer.Flush();
        }
        var before = log.Ends(all);
        Assert.Equal(12, before.Sum());
        Assert.Null(log.Committed("g", all[0]));

        broker.Stop();
        Assert.Throws<LogException>(() => log.Ends(all));
        broker.Restart();
        Assert.Equal(before, Ends(log, all));
        Assert.Equal((0, before[3]), log.Watermarks(all[3]));
        Assert.Null(log.Committed("g", all[0]));
    }

    /// <summary>The broker answers before it leads its partitions again.</summary>
    private static IReadOnlyList<long> Ends(KafkaLog log, TopicPartition[] partitions)
    {
        for (var left = 20; ; left--)
        {
            try
            {
                return log.Ends(partitions);
            }
            catch (LogException) when (left > 0)
            {
                // It waits for some seconds by itself.
            }
        }
    }
}
