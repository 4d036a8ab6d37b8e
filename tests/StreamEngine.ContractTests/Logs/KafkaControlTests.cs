using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Runtime;
using StreamEngine.Testing;
using Xunit;
using TopicPartition = StreamEngine.Connectors.TopicPartition;

namespace StreamEngine.ContractTests.Logs;

/// <summary>The control topic on Kafka: compacted, and on a broker that goes away and comes back.</summary>
public sealed class KafkaControlTests : ControlContract
{
    private KafkaBroker? _own;

    protected override TimeSpan Patience => TimeSpan.FromSeconds(120);

    private protected override ILog OpenLog() => _own is null ? TestKafka.Open() : new KafkaLog(TestKafka.Options(_own.Address));

    protected override void Close() => _own?.Dispose();

    [SkippableFact]
    public void The_topic_is_made_compacted_with_one_partition()
    {
        Log.CreateTopics([ControlTopic.Spec(Control)]);
        var info = Assert.Single(Log.ListTopics(), t => t.Name == Control);
        Assert.Equal((1, "compact"), (info.Partitions, info.Retention));
    }

    [SkippableFact]
    public async Task After_a_compaction_the_newest_word_about_each_thing_is_there()
    {
        Skip.If(KafkaBroker.MissingOwn is not null, KafkaBroker.MissingOwn);
        _own = KafkaBroker.Start("log.cleaner.backoff.ms=200", "log.cleaner.min.cleanable.ratio=0.01");
        Log.CreateTopics([ControlTopic.Spec(Control)]);
        using (var admin = new AdminClientBuilder([new("bootstrap.servers", _own.Address)]).Build())
        {
            // As made, a record stays for half an hour and a segment for a week.
            Dictionary<string, string> soon =
                new() { ["min.compaction.lag.ms"] = "0", ["segment.ms"] = "100", ["delete.retention.ms"] = "0" };
            await admin.IncrementalAlterConfigsAsync(new Dictionary<ConfigResource, List<ConfigEntry>>
            {
                [new ConfigResource { Type = ResourceType.Topic, Name = Control }] = [.. soon.Select(e => new ConfigEntry
                    { Name = e.Key, Value = e.Value, IncrementalOperation = AlterConfigOpType.Set })],
            });
        }
        Write("offer:a", "offer:b", "offer:a on", "offer:a", "channel:post", "offer:b on", "offer:a on");
        using (var writer = Log.OpenWriter())
        {
            writer.Write(Control, Bytes("channel:post"), default, 1);
            writer.Flush();
        }
        Until(() =>
        {
            Write("all on"); // what is in the newest segment is not compacted
            return ReadAll(Control).Count(r => r.Key is "offer:a" or "offer:b" or "channel:post") == 2;
        }, "a compaction");
        using var reader = Reader();
        reader.Turn();
        Assert.Equal("", Off);
        Assert.Equal(["all", "offer:a", "offer:b"], Board.Records.Select(r => r.Target.ToString()).Order());
        Assert.Equal(Log.Watermarks(new TopicPartition(Control, 0)).High - 1, Board.Current.Version);
    }

    [SkippableFact]
    public void While_the_broker_is_away_what_was_off_stays_off_and_what_comes_then_is_heard()
    {
        Skip.If(KafkaBroker.MissingOwn is not null, KafkaBroker.MissingOwn);
        _own = KafkaBroker.Start();
        Log.CreateTopics([ControlTopic.Spec(Control)]);
        Write("offer:a");
        using var reader = Reader();
        reader.Start();
        Until(() => Off == "offer:a", "the first switch");
        _own.Stop();
        Until(() => Told.Any(t => t.Warning && t.Text.StartsWith("The control topic does not answer: ", StringComparison.Ordinal)
            && t.Text.EndsWith("What was switched off stays off, and nothing new is heard.", StringComparison.Ordinal)), "a warning");
        Assert.Equal("offer:a", Off);
        Assert.DoesNotContain(Told, t => t.Text.Contains("made anew", StringComparison.Ordinal));
        _own.Restart();
        Write("offer:b");
        Until(() => Off == "offer:a offer:b", "the second switch");
        Until(() => Told.Any(t => !t.Warning && t.Text.StartsWith("The control topic answers again", StringComparison.Ordinal)),
            "its return");
    }

    [SkippableFact]
    public async Task A_topic_that_is_made_anew_is_read_anew()
    {
        Log.CreateTopics([ControlTopic.Spec(Control)]);
        Write("offer:a", "offer:b", "offer:b on", "offer:b");
        using var reader = Reader();
        reader.Turn();
        Assert.Equal("offer:a offer:b", Off);
        var id = Log.TopicId(Control);
        Assert.NotNull(id);
        Assert.Equal((id, id), (Log.TopicId(Control), Board.Read.TopicId));
        using (var admin = new AdminClientBuilder([new("bootstrap.servers", KafkaBroker.Shared.Address)]).Build())
            await admin.DeleteTopicsAsync([Control]);
        Until(() => Log.Partitions(Control) == 0, "the topic to be gone");
        Until(() => Log.TopicId(Control) is null, "its id to be gone");
        Log.CreateTopics([ControlTopic.Spec(Control)]);
        Write("channel:post");
        Until(() =>
        {
            reader.Turn();
            return Off == "channel:post";
        }, "the new topic's switches");
        Assert.NotNull(Board.Read.TopicId);
        Assert.NotEqual(id, Board.Read.TopicId);
        Assert.Contains(Told, t => t.Warning && t.Text.Contains("was made anew", StringComparison.Ordinal));
    }
}
