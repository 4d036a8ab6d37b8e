using StreamEngine.Connectors;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.ContractTests.Logs;

/// <summary>What a log still knows, by the same clients, once its broker was restarted.</summary>
public sealed class KafkaRestartTests
{
    /// <summary>It is asked all the while, as the engine does for its lag and its switches.</summary>
    [SkippableFact]
    public async Task Offsets_are_told_again_by_a_log_whose_broker_was_restarted()
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

        using var stop = new CancellationTokenSource();
        var asking = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested) Ends(log, all, tries: 1);
        });
        for (var i = 0; i < 2; i++)
        {
            broker.Stop();
            broker.Restart();
        }
        await stop.CancelAsync();
        await asking;
        Assert.Equal(before, Ends(log, all, tries: 6));
        Assert.Equal((0, before[3]), log.Watermarks(all[3]));
        Assert.Null(log.Committed("g", all[0]));
    }

    /// <summary>What it says; null where it did not answer. Each try waits for some seconds by itself.</summary>
    private static IReadOnlyList<long>? Ends(KafkaLog log, TopicPartition[] partitions, int tries)
    {
        for (; tries > 0; tries--)
        {
            try
            {
                return log.Ends(partitions);
            }
            catch (LogException)
            {
                // The broker is away, or does not lead its partitions again yet.
            }
        }
        return null;
    }
}
