using System.Text;
using StreamEngine.Connectors;
using Xunit;

namespace StreamEngine.ContractTests.Logs;

/// <summary>A shard owns the same partition of every source topic, also while workers come and go.</summary>
public sealed class KafkaCoPartitionTests
{
    private const int Partitions = 6;
    private readonly string _unique = $"co-{Guid.NewGuid():n}";

    [SkippableFact]
    public void Several_source_topics_move_together_and_every_record_is_read_once()
    {
        using var log = TestKafka.Open();
        string[] sources = [$"{_unique}-a", $"{_unique}-b", $"{_unique}-c"];
        log.CreateTopics([.. sources.Append($"{_unique}-out").Select(t => new TopicSpec(t, Partitions))]);
        using (var writer = log.OpenWriter())
        {
            foreach (var topic in sources)
                for (var i = 0; i < 200; i++)
                    writer.Write(topic, Encoding.UTF8.GetBytes($"k{i}"), Encoding.UTF8.GetBytes($"{topic}/{i}"), 1);
            writer.Flush();
        }

        using var first = new TestWorker(log, Options(sources, "1"), resume: true);
        Until(() => first.Records.Count == 600, () => first.Poll());
        Assert.Equal(3 * Partitions, first.Owned.Count);

        using var second = new TestWorker(log, Options(sources, "2"), resume: true);
        Until(() => second.Owned.Count == 3 * Partitions / 2 && first.Owned.Count == 3 * Partitions / 2, () =>
        {
            first.Poll(milliseconds: 20);
            second.Poll(milliseconds: 20);
        });
        foreach (var worker in new[] { first, second })
            Assert.All(worker.Owned.GroupBy(p => p.Partition), shard => Assert.Equal(sources, shard.Select(p => p.Topic).Order()));
        Assert.Empty(first.Owned.Intersect(second.Owned));

        // What was read but not committed is read again by its new owner, of every topic.
        Until(() => second.Records.Select(r => r.Value).Distinct()
            .Count() == 600 - first.Records.Count(r => first.Owned.Contains(new TopicPartition(r.Topic, r.Partition))), () =>
        {
            first.Poll(milliseconds: 20);
            second.Poll(milliseconds: 20);
        });
    }

    private WorkerOptions Options(string[] sources, string instance) =>
        new() { Group = _unique, InstanceId = $"{_unique}-{instance}", Sources = sources, Outputs = [$"{_unique}-out"] };

    private static void Until(Func<bool> done, Action poll)
    {
        for (var end = Environment.TickCount64 + 60_000; !done(); poll()) Assert.True(Environment.TickCount64 < end, "not within 60 s");
    }
}
