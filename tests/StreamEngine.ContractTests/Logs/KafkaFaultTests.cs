using StreamEngine.Connectors;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.ContractTests.Logs;

/// <summary>Workers and brokers that stall, die and come back.</summary>
public sealed class KafkaFaultTests : LogContract
{
    private KafkaBroker? _own;

    protected override TimeSpan Patience => TimeSpan.FromSeconds(240);

    private protected override ILog OpenLog() => _own is null ? TestKafka.Open() : new KafkaLog(Patient);

    private KafkaLogOptions Patient => TestKafka.Options(_own!.Address) with
    {
        // Far longer than a broker takes to come back, even on a machine that is busy with six of them (40 s were seen).
        TransactionTimeout = TimeSpan.FromSeconds(180),
        Settings = new Dictionary<string, string>
        {
            ["consumer.session.timeout.ms"] = "200000",
            ["consumer.heartbeat.interval.ms"] = "500",
        },
    };

    protected override void Close() => _own?.Dispose();

    [SkippableFact]
    public void A_worker_that_slept_past_the_transaction_timeout_commits_nothing_and_lives_on()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a");
        using var worker = Worker(source, output);
        Until(() => worker.Records.Count == 1, "a record", worker);
        var outputs = new OutputBuffer();
        outputs.Add(0, 0, 0, 1_000, Bytes("k"), Bytes("late"));
        worker.Log.Begin();
        worker.Log.Write(outputs, 0, 1);
        Pause(TimeSpan.FromSeconds(12));

        Assert.NotEqual(CommitOutcome.Committed, worker.Log.Commit([new OffsetToCommit(0, 0, 1)]));
        Assert.Null(Log.Committed(Unique, new TopicPartition(source, 0)));
        worker.Log.Rebuild();
        Until(() => worker.Owned.Count == 1, "still a member", worker);
        Assert.Equal(CommitOutcome.Committed, Send(worker, "again", 0, next: 1));
        Assert.Equal(["again"], Values(output));
    }

    [SkippableFact]
    public void The_committed_offset_is_waited_for_while_a_transaction_holds_it()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a");
        using var worker = Worker(source, output);
        Until(() => worker.Records.Count == 1, "a record", worker);
        var settings = new Dictionary<string, string>
        {
            ["bootstrap.servers"] = KafkaBroker.Shared.Address,
            ["transactional.id"] = $"{Unique}-other",
            ["transaction.timeout.ms"] = "3000"
        };
        using var other = new Confluent.Kafka.ProducerBuilder<byte[], byte[]>(settings).Build();
        other.InitTransactions(TimeSpan.FromSeconds(30));
        other.BeginTransaction();
        // An old-style commit without a member: what matters is that it stays pending until the broker's timeout ends it.
        using var member =
            new Confluent.Kafka.ConsumerBuilder<byte[], byte[]>(new Dictionary<string, string>
            {
                ["bootstrap.servers"] =
            KafkaBroker.Shared.Address,
                ["group.id"] = Unique + "-pending"
            }).Build();
        other.SendOffsetsToTransaction([new Confluent.Kafka.TopicPartitionOffset(source, 0, 1)], member.ConsumerGroupMetadata,
            TimeSpan.FromSeconds(30));

        var started = System.Diagnostics.Stopwatch.StartNew();
        Assert.Null(Log.Committed(Unique + "-pending", new TopicPartition(source, 0)));
        Assert.True(started.Elapsed > TimeSpan.FromSeconds(1), $"answered after {started.Elapsed} although a transaction was pending");
    }

    [SkippableFact]
    public void A_broker_killed_in_a_transaction_loses_and_doubles_nothing()
    {
        Skip.If(KafkaBroker.MissingOwn is not null, KafkaBroker.MissingOwn);
        _own = KafkaBroker.Start();
        var (source, output) = (Topic("in"), Topic("out"));
        var texts = Enumerable.Range(0, 600).Select(i => $"{i}").ToArray();
        Produce(source, texts);
        // Only its outputs are given up so early: a broker that has just started may take longer for the events.
        using var impatient = new KafkaLog(Patient with
        {
            Settings = new Dictionary<string, string>(Patient.Settings) { ["producer.message.timeout.ms"] = "2000" }
        });
        using var worker = new CopyingWorker(impatient, Options(source, output, "w1"));
        worker.CopyUntil(100);

        // Dead before the outputs, for longer than the client waits for them, and then between outputs and commit; not for so long that the
        // transaction times out meanwhile: a single Kafka 4.3 broker that finds it timed out when it starts notes it as aborted without
        // writing the markers (seen in its logs: PrepareAbort and CompleteAbort 26 ms apart, no marker in the partition), and the next
        // transaction's marker commits both. And never between a commit's two halves: a single Kafka 4.3 broker that is killed before it
        // has written a commit's markers can forget them when it starts, and then the group's offsets stay pending for ever.
        var back = Task.CompletedTask;
        void Die()
        {
            worker.BeforeOutputs = worker.BeforeCommit = null;
            _ = Log.Committed(Unique, new TopicPartition(source, 0)); // waits for the markers of the commit before
            _own.Kill();
            back = Task.Run(_own.Restart);
        }
        worker.BeforeOutputs = Die;
        worker.CopyUntil(250);
        back.GetAwaiter().GetResult();
        Assert.Contains(worker.Outcomes, o => o != CommitOutcome.Committed);
        worker.BeforeCommit = Die;
        worker.CopyUntil(400);
        back.GetAwaiter().GetResult();
        Until(() =>
        {
            worker.Step(50);
            return Log.Committed(Unique, new TopicPartition(source, 0)) == texts.Length;
        }, "everything committed");
        Assert.Equal(texts, Values(output));
    }

    [SkippableFact]
    public void An_abort_right_behind_a_commit_is_an_abort()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        using var worker = Worker(source, output);
        Until(() => worker.Owned.Count == 1, "the partition", worker);
        var outputs = new OutputBuffer();
        outputs.Add(0, 0, 0, 1_000, Bytes("k"), Bytes("never"));
        for (var i = 0; i < 40; i++)
        {
            // The broker is still busy with the commit when the next transaction's first record comes: the abort finds a transaction that
            // it does not know.
            Assert.Equal(CommitOutcome.Committed, Send(worker, $"{i}", 0, next: 0));
            worker.Log.Begin();
            worker.Log.Write(outputs, 0, 1);
            if (i % 4 > 0) Pause(TimeSpan.FromMilliseconds(5 * (i % 4)));
            Assert.Equal(CommitOutcome.Aborted, worker.Log.Abort());
        }
        Assert.Equal(Enumerable.Range(0, 40).Select(i => $"{i}"), Values(output));
    }

    [SkippableFact]
    public void Of_two_running_workers_with_one_id_one_stops_and_says_why()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a");
        using var first = Worker(source, output);
        Until(() => first.Records.Count == 1, "a record", first);
        using var second = Worker(source, output);
        TestWorker? stopped = null;
        Until(() =>
        {
            foreach (var worker in new[] { first, second })
            {
                try
                {
                    worker.Poll();
                }
                catch (LogException e)
                {
                    Assert.Contains("Another worker runs with this instance id", e.Message, StringComparison.Ordinal);
                    stopped = worker;
                }
            }
            return stopped is not null;
        }, "one of them to stop");
        var other = stopped == first ? second : first;
        Until(() => other.Owned.Count == 1, "the other to own the partition", other);
        Assert.Empty(stopped!.Owned);
    }

    [SkippableFact]
    public void Ownership_moves_between_two_loaded_workers_without_loss_or_doubles()
    {
        var (source, output) = (Topic("in", 4), Topic("out", 4));
        var keys = Enumerable.Range(0, 4_000).Select(i => $"k{i}").ToArray();
        Produce(source, keys);
        using var first = new CopyingWorker(Log, Options(source, output, "w1"));
        first.CopyUntil(500);
        using (var second = new CopyingWorker(Log, Options(source, output, "w2")))
        {
            Until(() =>
            {
                first.Step(50);
                second.Step(50);
                return second.Copied > 300;
            }, "the second worker to take part");
        }
        Until(() =>
        {
            first.Step(500);
            return Enumerable.Range(0, 4).Sum(p => Log.Committed(Unique, new TopicPartition(source, p)) ?? 0) == keys.Length;
        }, "everything committed");
        for (var p = 0; p < 4; p++) Assert.Equal(keys.Where(k => Murmur2.Partition(Bytes(k), 4) == p), Values(output, p));
    }

    private WorkerOptions Options(string source, string output, string instance) =>
        new() { Group = Unique, InstanceId = $"{Unique}-{instance}", Sources = [source], Outputs = [output] };

    private static void Pause(TimeSpan time) => Task.Delay(time).GetAwaiter().GetResult();
}
