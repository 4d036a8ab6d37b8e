using StreamEngine.Connectors;
using Xunit;

namespace StreamEngine.ContractTests.Logs;

/// <summary>Who reads which partitions, from where, and how they are handed over.</summary>
public abstract class GroupContract : LogContract
{
    [SkippableFact]
    public void A_new_group_reads_from_the_start_in_order_per_partition()
    {
        var (source, output) = (Topic("in", 3), Topic("out"));
        var keys = Enumerable.Range(0, 300).Select(i => $"k{i}").ToArray();
        Produce(source, keys);
        using var worker = Worker(source, output);
        Until(() => worker.Records.Count == 300, "all records", worker);
        for (var p = 0; p < 3; p++)
        {
            Assert.Equal(keys.Where(k => Murmur2.Partition(Bytes(k), 3) == p), worker.Values(p));
            Assert.Equal(worker.Records.Where(r => r.Partition == p).Select(r => r.Offset).Order(),
                worker.Records.Where(r => r.Partition == p).Select(r => r.Offset));
        }
    }

    [SkippableFact]
    public void A_group_resumes_at_its_committed_offset()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a", "b", "c");
        using (var first = Worker(source, output))
        {
            Until(() => first.Records.Count == 3, "three records", first);
            Assert.Equal(CommitOutcome.Committed, Send(first, "x", 0, next: 2));
        }
        using var second = Worker(source, output);
        Until(() => second.Records.Count >= 1, "the third record", second);
        Assert.Equal(["c"], second.Values(0));
        Assert.Equal(2, second.Log.StartOffset(new TopicPartition(source, 0)));
        Assert.Equal(3, second.Log.Position(new TopicPartition(source, 0)));
    }

    [SkippableFact]
    public void What_is_assigned_is_paused_until_resumed_and_can_start_elsewhere()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a", "b", "c");
        using var worker = Worker(source, output, resume: false);
        var partition = new TopicPartition(source, 0);
        Until(() => worker.Owned.Count == 1, "the partition", worker);
        for (var i = 0; i < 5; i++) worker.Poll();
        Assert.Empty(worker.Records);

        worker.Log.Resume([partition], 1);
        Until(() => worker.Records.Count == 2, "two records", worker);
        Assert.Equal(["b", "c"], worker.Values(0));

        worker.Log.Pause([partition]);
        Produce(source, "d");
        for (var i = 0; i < 5; i++) worker.Poll();
        Assert.Equal(2, worker.Records.Count);
        worker.Log.Resume([partition]);
        Until(() => worker.Records.Count == 3, "the record written while paused", worker);
        Assert.Equal(["b", "c", "d"], worker.Values(0));
    }

    [SkippableFact]
    public async Task A_poll_that_waits_returns_when_it_is_woken_and_so_does_the_next_one_after_a_wake_before_it()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        using var worker = Worker(source, output);
        Until(() => worker.Owned.Count == 1, "the partition", worker);
        for (var i = 0; i < 20; i++)
        {
            worker.Log.Wake();
            var began = System.Diagnostics.Stopwatch.GetTimestamp();
            worker.Poll(milliseconds: (int)Patience.TotalMilliseconds);
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(began) < Patience / 2, "a wake before the poll was forgotten");

            var waking = Task.Run(async () =>
            {
                await Task.Delay(i);
                worker.Log.Wake();
            });
            began = System.Diagnostics.Stopwatch.GetTimestamp();
            worker.Poll(milliseconds: (int)Patience.TotalMilliseconds);
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(began) < Patience / 2, "a wake during the poll was not heard");
            await waking;
        }
    }

    [SkippableFact]
    public void A_poll_gives_no_more_than_asked()
    {
        var (source, output) = (Topic("in", 2), Topic("out"));
        Produce(source, [.. Enumerable.Range(0, 200).Select(i => $"{i}")]);
        using var worker = Worker(source, output);
        Until(() =>
        {
            worker.Poll(maxRecords: 9);
            return worker.Records.Count == 200;
        }, "all records");
        Assert.InRange(worker.LargestBatch, 1, 9);
        Assert.Equal(200, worker.Records.Distinct().Count());
    }

    [SkippableFact]
    public void Two_workers_share_the_partitions_and_the_rest_takes_over()
    {
        var (source, output) = (Topic("in", 4), Topic("out", 4));
        var keys = Enumerable.Range(0, 100).Select(i => $"k{i}").ToArray();
        Produce(source, keys);
        using var second = Worker(source, output, "w2");
        using (var first = Worker(source, output, "w1"))
        {
            Until(() => first.Owned.Count == 2 && second.Owned.Count == 2, "two partitions each", first, second);
            Assert.Empty(first.Owned.Intersect(second.Owned));
            CommitAll(first);
            CommitAll(second);
            Until(() => Seen(first, second, keys), "all records", first, second);
            CommitAll(first);
            CommitAll(second);
        }
        Until(() => second.Owned.Count == 4, "the partitions that the first one left", second);
        Produce(source, "late-1", "late-2", "late-3", "late-4", "late-5", "late-6");
        Until(() => second.Records.Count(r => r.Value.StartsWith("late", StringComparison.Ordinal)) >= 6, "the late records", second);
        Assert.Equal(6, second.Records.Count(r => r.Value.StartsWith("late", StringComparison.Ordinal)));
    }

    [SkippableFact]
    public void What_is_committed_in_the_revocation_is_where_the_next_owner_starts()
    {
        var (source, output) = (Topic("in", 2), Topic("out", 2));
        Produce(source, [.. Enumerable.Range(0, 40).Select(i => $"{i}")]);
        using var first = Worker(source, output, "w1");
        Until(() => first.Records.Count == 40, "all records", first);
        first.OnRevoked = _ => CommitAll(first);
        using var second = Worker(source, output, "w2");
        Until(() => first.Owned.Count == 1 && second.Owned.Count == 1, "a partition each", first, second);
        var handed = second.Owned.Single();
        Produce(source, [.. Enumerable.Range(100, 20).Select(i => $"{i}")]);
        Until(() => first.Records.Count + second.Records.Count >= 60, "the new records", first, second);
        Assert.All(second.Records, r => Assert.True(r.Offset >= Log.Committed(Unique, handed)));
        Assert.Equal(60, first.Records.Concat(second.Records).Distinct().Count());
        Assert.Equal(60, first.Records.Count + second.Records.Count);
    }

    [SkippableFact]
    public void Nothing_is_committed_for_a_partition_that_went_while_the_transaction_was_open()
    {
        var (source, output) = (Topic("in", 2), Topic("out", 2));
        using var first = Worker(source, output, "w1");
        Until(() => first.Owned.Count == 2, "both partitions", first);
        var outputs = new OutputBuffer();
        for (var p = 0; p < 2; p++) outputs.Add(0, p, p, 1_000, Bytes("k"), Bytes($"shard {p}"));
        first.Log.Begin();
        first.Log.Write(outputs, 0, outputs.Count);
        using var second = Worker(source, output, "w2");
        Until(() => first.Owned.Count == 1 && second.Owned.Count == 1, "a partition each", first, second);
        var gone = second.Owned.Single().Partition;

        var outcome = first.Log.Commit([new OffsetToCommit(0, 0, 0), new OffsetToCommit(0, 1, 0)]);
        Assert.NotEqual(CommitOutcome.Committed, outcome);
        Assert.Null(Log.Committed(Unique, new TopicPartition(source, gone)));
        Assert.Empty(Values(output, gone));

        if (outcome != CommitOutcome.Aborted) first.Log.Rebuild();
        Until(() => first.Owned.Count == 1, "the kept partition", first, second);
        outputs.Drop(shard => shard == gone);
        first.Log.Begin();
        first.Log.Write(outputs, 0, outputs.Count);
        Assert.Equal(CommitOutcome.Committed, first.Log.Commit([new OffsetToCommit(0, 1 - gone, 0)]));
        Assert.Equal([$"shard {1 - gone}"], Values(output, 1 - gone));
    }

    [SkippableFact]
    public void Groups_do_not_share_offsets()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a");
        using var worker = Worker(source, output);
        Until(() => worker.Records.Count == 1, "a record", worker);
        Send(worker, "x", 0, next: 1);
        Assert.Null(Log.Committed(Unique + "-other", new TopicPartition(source, 0)));
    }

    [SkippableFact]
    public void A_drained_partitions_position_is_its_high_watermark()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a", "b");
        using var worker = Worker(source, output);
        var partition = new TopicPartition(source, 0);
        var high = Log.Watermarks(partition).High;
        Until(() => worker.Owned.Count == 1 && worker.Log.Position(partition) >= high, "drained", worker);
        Assert.Equal(["a", "b"], worker.Values(0));
    }

    private static bool Seen(TestWorker first, TestWorker second, string[] keys) =>
        first.Records.Concat(second.Records).Select(r => r.Value).ToHashSet().IsSupersetOf(keys);

    private static void CommitAll(TestWorker worker)
    {
        if (worker.Owned.Count == 0) return;
        worker.Log.Begin();
        var offsets = worker.Owned.Select(p => new OffsetToCommit(0, p.Partition, worker.Log.Position(p))).ToArray();
        Assert.Equal(CommitOutcome.Committed, worker.Log.Commit(offsets));
    }
}
