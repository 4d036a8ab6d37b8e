using StreamEngine.Connectors;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.ContractTests.Logs;

/// <summary>
/// What only Kafka has: settings that are refused, retention that deletes unread records, partition hashes of other clients.
/// </summary>
public sealed class KafkaOnlyTests : LogContract
{
    protected override TimeSpan Patience => TimeSpan.FromSeconds(60);

    private protected override ILog OpenLog() => TestKafka.Open();

    [Fact]
    public void Settings_that_would_break_the_promise_are_refused_with_the_reason_all_at_once()
    {
        string[] refused =
        [
            "isolation.level", "enable.auto.commit", "enable.auto.offset.store", "partitioner", "acks", "producer.enable.idempotence",
                "transactional.id",
            "group.id", "group.instance.id", "consumer.partition.assignment.strategy", "auto.offset.reset", "group.protocol",
                "transaction.timeout.ms",
        ];
        var found = KafkaSettings.Validate(refused.ToDictionary(k => k, _ => "x")).ToList();
        Assert.Equal(refused, found.Select(f => f.Key));
        Assert.All(found, f => Assert.True(f.Reason.Length > 15, f.Reason));
    }

    [SkippableFact]
    public void Unknown_names_and_bad_values_are_told()
    {
        Skip.If(KafkaBroker.Missing is not null, KafkaBroker.Missing); // and without librdkafka nobody knows the names
        var found = KafkaSettings.Validate(new Dictionary<string, string>
        {
            ["sasl.mechanism"] = "SCRAM-SHA-512",
            ["consumer.fetch.min.bytes"] = "1",
            ["producer.compression.type"] = "zstd",
            ["linger.milliseconds"] = "5",
            ["socket.keepalive.enable"] = "perhaps",
            ["consumer.session.timeout.ms"] = "9000",
        }).ToDictionary(f => f.Key, f => f.Reason);
        Assert.Equal(["consumer.session.timeout.ms", "linger.milliseconds", "socket.keepalive.enable"], found.Keys.Order());
        var error = Assert.Throws<LogException>(() =>
            new KafkaLog(new KafkaLogOptions
            {
                Bootstrap = "x",
                Settings = new Dictionary<string, string> { ["acks"] = "1", ["nonsense"] = "1" }
            }));
        Assert.Contains("acks", error.Message, StringComparison.Ordinal);
        Assert.Contains("nonsense", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Vectors of Kafka's own UtilsTest.testMurmur2.</summary>
    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    [InlineData("abc", 479470107)]
    public void Murmur2_agrees_with_the_java_client(string key, int hash) => Assert.Equal(hash, (int)Murmur2.Hash(Bytes(key)));

    [SkippableFact]
    public void An_offset_below_the_log_stops_the_shard_and_names_the_gap()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a", "b", "c", "d");
        using (var worker = Worker(source, output))
        {
            Until(() => worker.Records.Count == 4, "the records", worker);
            Assert.Equal(CommitOutcome.Committed, Send(worker, "x", 0, next: 1));
        }
        DeleteBefore(source, 3);

        using var later = Worker(source, output);
        var error = Assert.Throws<OffsetOutOfRangeException>(() => Until(() => later.Records.Count > 0, "the gap", later));
        Assert.Equal(new TopicPartition(source, 0), error.Partition);
        Assert.Contains("offset 1 is not in the log", error.Message, StringComparison.Ordinal);
        Assert.Contains("2 records were deleted", error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Records_deleted_under_a_running_reader_are_an_error_too()
    {
        var topic = Topic("in");
        Produce(topic, "a", "b", "c", "d");
        DeleteBefore(topic, 3);
        using var reader = Log.OpenReader();
        reader.Assign(new TopicPartition(topic, 0), 1);
        var batch = new RecordBatch();
        Assert.Throws<OffsetOutOfRangeException>(() => Until(() =>
        {
            reader.Read(batch, 10, TimeSpan.FromMilliseconds(100));
            return batch.Count > 0;
        }, "the gap"));
    }

    [SkippableFact]
    public void A_running_worker_is_told_of_the_gap_and_can_be_set_behind_it()
    {
        var (source, output) = (Topic("in", 2), Topic("out"));
        Produce(source, [.. Enumerable.Range(0, 40).Select(i => $"{i}")]);
        using var worker = Worker(source, output);
        Until(() => worker.Records.Count == 40, "the records", worker);
        DeleteBefore(source, 5);
        worker.Log.Resume([new TopicPartition(source, 0)], 1);
        var before = worker.Records.Count;
        Assert.Throws<OffsetOutOfRangeException>(() => Until(() => worker.Records.Count > before, "the gap", worker));
        worker.Log.Resume([new TopicPartition(source, 0)], 5);
        Until(() => worker.Records.Count > before, "the records behind the gap", worker);
        Assert.Equal((0, 5L), (worker.Records[before].Partition, worker.Records[before].Offset));
    }

    [SkippableFact]
    public void A_new_group_starts_at_the_earliest_record_that_is_left()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a", "b", "c", "d");
        DeleteBefore(source, 2);
        using var worker = Worker(source, output);
        Until(() => worker.Records.Count == 2, "the records", worker);
        Assert.Equal(["c", "d"], worker.Values(0));
    }

    [SkippableFact]
    public void A_missing_topic_or_cluster_is_named()
    {
        var source = Topic("in");
        var error = Assert.Throws<LogException>(() => Worker(source, $"{Unique}-nowhere"));
        Assert.Contains($"{Unique}-nowhere", error.Message, StringComparison.Ordinal);
        using var away = new KafkaLog(new KafkaLogOptions { Bootstrap = "127.0.0.1:1", RequestTimeout = TimeSpan.FromSeconds(1) });
        var unreachable = Assert.Throws<LogException>(() => away.Partitions("x")).Message;
        Assert.Contains("127.0.0.1:1", unreachable, StringComparison.Ordinal);
        Assert.Contains("refused", unreachable, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Topics_keep_their_records_for_ever_unless_told_otherwise()
    {
        var name = $"{Unique}-a";
        Log.CreateTopics([new TopicSpec(name, 1), new TopicSpec(name + "-short", 1, TimeSpan.FromDays(3)),
            new TopicSpec(name + "-compacted", 1, Compacted: true)]);
        Produce(name, "x", "y");
        var listed = Log.ListTopics().Where(t => t.Name.StartsWith(name, StringComparison.Ordinal))
            .Select(t => (t.Name, t.Records, t.Retention));
        Assert.Equal([(name, 2, "unlimited"), (name + "-compacted", 0, "compact"), (name + "-short", 0, "3 d")], listed);
    }

    [SkippableFact]
    public void Outputs_that_reached_the_broker_before_the_abort_are_never_read()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        using var worker = Worker(source, output);
        Until(() => worker.Owned.Count == 1, "the partition", worker);
        var outputs = new OutputBuffer();
        outputs.Add(0, 0, 0, 1_000, Bytes("k"), Bytes("never"));
        worker.Log.Begin();
        worker.Log.Write(outputs, 0, 1);
        Until(() => Log.Watermarks(new TopicPartition(output, 0)).High == 1, "the record at the broker", worker);
        Assert.Equal(CommitOutcome.Aborted, worker.Log.Abort());
        Assert.Equal(CommitOutcome.Committed, Send(worker, "after", 0, next: 0));
        Assert.Equal(["after"], Values(output));
    }

    [SkippableFact]
    public void Without_transactions_an_output_that_the_broker_refuses_again_and_again_stops_the_worker_and_says_why()
    {
        var (source, output) = (Topic("in"), $"{Unique}-small");
        Log.Partitions(source); // skips where there is no broker
        using (var admin = Admin())
            admin.CreateTopicsAsync([new() { Name = output, NumPartitions = 1, ReplicationFactor = 1,
                Configs = new() { ["max.message.bytes"] = "2000" } }]).GetAwaiter().GetResult();
        using var worker = Worker(source, output, transactional: false);
        Until(() => worker.Owned.Count == 1, "the partition", worker);
        var outputs = new OutputBuffer();
        outputs.Add(0, 0, 0, 1_000, Bytes("k"), new byte[50_000]);
        var told = Assert.Throws<LogException>(() =>
        {
            for (var tries = 0; tries < 20; tries++)
            {
                worker.Log.Begin();
                worker.Log.Write(outputs, 0, 1);
                CommitOutcome outcome;
                do outcome = worker.Log.Commit([new OffsetToCommit(0, 0, 0)]);
                while (outcome == CommitOutcome.Waiting);
                Assert.Equal(CommitOutcome.Fenced, outcome);
                worker.Log.Rebuild();
            }
        });
        Assert.Contains(output, told.Message, StringComparison.Ordinal);
        Assert.Contains("too large", told.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Null(Log.Committed(Unique, new TopicPartition(source, 0)));
    }

    private static Confluent.Kafka.IAdminClient Admin() =>
        new Confluent.Kafka.AdminClientBuilder(new Dictionary<string, string> { ["bootstrap.servers"] = KafkaBroker.Shared.Address })
        .Build();

    private static void DeleteBefore(string topic, long offset)
    {
        using var admin = Admin();
        admin.DeleteRecordsAsync([new Confluent.Kafka.TopicPartitionOffset(topic, 0, offset)]).GetAwaiter().GetResult();
    }
}
