using StreamEngine.Connectors;
using Xunit;

namespace StreamEngine.ContractTests.Logs;

/// <summary>Transactions over outputs and offsets: all of it once, or nothing.</summary>
public abstract class TransactionContract : LogContract
{
    [SkippableFact]
    public void Outputs_and_offsets_are_committed_together()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a", "b");
        using var worker = Worker(source, output);
        Until(() => worker.Records.Count == 2, "two records", worker);

        Assert.Null(Log.Committed(Unique, new TopicPartition(source, 0)));
        Assert.Equal(CommitOutcome.Committed, Send(worker, "out", 0, next: 2));
        Assert.Equal(2, Log.Committed(Unique, new TopicPartition(source, 0)));
        Assert.Equal(["out"], Values(output));
    }

    [SkippableFact]
    public void An_aborted_transaction_is_never_seen_and_the_reader_passes_it()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a");
        using var worker = Worker(source, output);
        Until(() => worker.Records.Count == 1, "a record", worker);

        Assert.Equal(CommitOutcome.Committed, Send(worker, "before", 0, next: 1));
        Abort(worker, "never");
        Assert.Equal(CommitOutcome.Committed, Send(worker, "after", 0, next: 1));
        Abort(worker, "never again"); // the log's last records: ReadAll only returns once the reader's position has passed them
        Assert.Equal(["before", "after"], Values(output));
        Assert.Equal(1, Log.Committed(Unique, new TopicPartition(source, 0)));
    }

    [SkippableFact]
    public void The_largest_output_that_the_log_names_is_taken()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a");
        using var worker = Worker(source, output);
        Until(() => worker.Records.Count == 1, "a record", worker);
        var large = new string('x', worker.Log.MaxOutputBytes - 2_048); // room for what the log itself adds
        Assert.Equal(CommitOutcome.Committed, Send(worker, large, 0, next: 1));
        Assert.Equal([large.Length], Values(output).Select(v => v.Length));
    }

    [SkippableFact]
    public void Outputs_tell_the_trace_that_they_were_made_in() => TellsItsTrace(transactional: true);

    [SkippableFact]
    public void A_fenced_producer_commits_no_outputs()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a");
        using var old = Worker(source, output);
        Until(() => old.Records.Count == 1, "a record", old);
        using var successor = Worker(source, output);

        Assert.NotEqual(CommitOutcome.Committed, Quiet(() => Send(old, "from the fenced one", 0, next: 1)));
        Assert.Null(Log.Committed(Unique, new TopicPartition(source, 0)));
        Until(() => successor.Records.Count == 1, "the record at the successor", successor);
        Assert.Equal(CommitOutcome.Committed, Send(successor, "from the successor", 0, next: 1));
        Assert.Equal(["from the successor"], Values(output));
    }

    [SkippableFact]
    public void A_fenced_producer_commits_no_offsets_either()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a");
        using var old = Worker(source, output);
        Until(() => old.Records.Count == 1, "a record", old);
        old.Log.Begin();
        using var successor = Worker(source, output);

        Assert.NotEqual(CommitOutcome.Committed, Quiet(() => old.Log.Commit([new OffsetToCommit(0, 0, 1)])));
        Assert.Null(Log.Committed(Unique, new TopicPartition(source, 0)));
    }

    [SkippableFact]
    public void A_fenced_producer_commits_no_timers_outputs()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a");
        using var old = Worker(source, output);
        Until(() => old.Records.Count == 1, "a record", old);
        Assert.Equal(CommitOutcome.Committed, Send(old, "from the event", 0, next: 1));
        using var successor = Worker(source, output);

        // A timer moves no offset: the offsets of now go along all the same, so that the transaction can be fenced.
        Assert.NotEqual(CommitOutcome.Committed, Quiet(() => Send(old, "from the timer", 0, next: 1)));
        Assert.Equal(["from the event"], Values(output));
    }

    [SkippableFact]
    public void After_an_abort_the_kept_shards_outputs_are_sent_once()
    {
        var (source, output) = (Topic("in", 2), Topic("out", 2));
        using var worker = Worker(source, output);
        Until(() => worker.Owned.Count == 2, "both partitions", worker);
        var outputs = new OutputBuffer();
        for (var i = 0; i < 10; i++) outputs.Add(0, i % 2, i % 2, 1_000, Bytes($"k{i}"), Bytes($"v{i}"));
        worker.Log.Begin();
        worker.Log.Write(outputs, 0, outputs.Count);
        Assert.Equal(CommitOutcome.Aborted, worker.Log.Abort());

        outputs.Drop(shard => shard == 1);
        worker.Log.Begin();
        worker.Log.Write(outputs, 0, outputs.Count);
        Assert.Equal(CommitOutcome.Committed, worker.Log.Commit([new OffsetToCommit(0, 0, 0)]));
        Assert.Equal(["v0", "v2", "v4", "v6", "v8"], Values(output, 0));
        Assert.Empty(Values(output, 1));
    }

    [SkippableFact]
    public void A_commit_of_unknown_outcome_that_had_succeeded_is_not_sent_again()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a");
        using var worker = Worker(source, output);
        Until(() => worker.Records.Count == 1, "a record", worker);
        Send(worker, "once", 0, next: 1); // suppose the answer never came
        Resolve(worker, source, "once", next: 1);
        Assert.Equal(["once"], Values(output));
    }

    [SkippableFact]
    public void A_commit_of_unknown_outcome_that_had_failed_is_sent_again()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a");
        using var worker = Worker(source, output);
        Until(() => worker.Records.Count == 1, "a record", worker);
        var outputs = new OutputBuffer();
        outputs.Add(0, 0, 0, 1_000, Bytes("k"), Bytes("once"));
        worker.Log.Begin();
        worker.Log.Write(outputs, 0, outputs.Count); // suppose the commit never arrived
        Resolve(worker, source, "once", next: 1);
        Assert.Equal(["once"], Values(output));
        Assert.Equal(1, Log.Committed(Unique, new TopicPartition(source, 0)));
    }

    [SkippableFact]
    public void A_transaction_of_ten_thousand_outputs_is_one()
    {
        var (source, output) = (Topic("in"), Topic("out", 3));
        using var worker = Worker(source, output);
        Until(() => worker.Owned.Count == 1, "the partition", worker);
        var outputs = new OutputBuffer();
        for (var i = 0; i < 10_000; i++) outputs.Add(0, i % 3, 0, i, Bytes($"k{i}"), Bytes($"value of output {i}"));
        worker.Log.Begin();
        worker.Log.Write(outputs, 0, 4_000);
        worker.Log.Write(outputs, 4_000, outputs.Count);
        Assert.Equal(CommitOutcome.Committed, worker.Log.Commit([new OffsetToCommit(0, 0, 0)]));
        for (var p = 0; p < 3; p++)
            Assert.Equal(Enumerable.Range(0, 10_000).Where(i => i % 3 == p).Select(i => $"value of output {i}"), Values(output, p));
    }

    private void Resolve(TestWorker worker, string source, string value, long next)
    {
        worker.Log.Rebuild();
        var committed = Log.Committed(Unique, new TopicPartition(source, 0)) ?? 0;
        Until(() => worker.Owned.Count > 0, "still the owner", worker);
        if (committed < next) Assert.Equal(CommitOutcome.Committed, Send(worker, value, 0, next));
    }

    private static void Abort(TestWorker worker, string value)
    {
        var outputs = new OutputBuffer();
        outputs.Add(0, 0, 0, 1_000, Bytes("k"), Bytes(value));
        worker.Log.Begin();
        worker.Log.Write(outputs, 0, outputs.Count);
        Assert.Equal(CommitOutcome.Aborted, worker.Log.Abort());
    }
}
