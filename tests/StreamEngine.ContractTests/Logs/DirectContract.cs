using StreamEngine.Connectors;
using Xunit;

namespace StreamEngine.ContractTests.Logs;

/// <summary>Without transactions: outputs at once, offsets only once every output before them is durable.</summary>
public abstract class DirectContract : LogContract
{
    [SkippableFact]
    public void Outputs_are_there_before_the_commit_and_offsets_after_it()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a", "b");
        using var worker = Worker(source, output, transactional: false);
        Until(() => worker.Records.Count == 2, "two records", worker);
        Write(worker, "out");
        Until(() => Values(output) is ["out"], "the output");
        Assert.Null(Log.Committed(Unique, new TopicPartition(source, 0)));

        Commit(worker, next: 2);
        Assert.Equal(2, Log.Committed(Unique, new TopicPartition(source, 0)));
        Assert.Equal(["out"], Values(output));
    }

    [SkippableFact]
    public void What_was_written_stays_where_the_interval_is_given_up()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a");
        using var worker = Worker(source, output, transactional: false);
        Until(() => worker.Records.Count == 1, "a record", worker);
        Write(worker, "first");
        Until(() => Values(output) is ["first"], "the output");
        worker.Log.Abort();
        Write(worker, "second");
        Commit(worker, next: 1);
        Assert.Equal(["first", "second"], Values(output));
    }

    [SkippableFact]
    public void Outputs_tell_the_trace_that_they_were_made_in() => TellsItsTrace(transactional: false);

    [SkippableFact]
    public void A_replaced_client_goes_on()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a");
        using var worker = Worker(source, output, transactional: false);
        Until(() => worker.Records.Count == 1, "a record", worker);
        worker.Log.Rebuild();
        Write(worker, "out");
        Commit(worker, next: 1);
        Assert.Equal(["out"], Values(output));
    }

    [SkippableFact]
    public void Who_was_thrown_out_commits_no_offsets()
    {
        var (source, output) = (Topic("in"), Topic("out"));
        Produce(source, "a");
        using var old = Worker(source, output, transactional: false);
        Until(() => old.Records.Count == 1, "a record", old);
        using var successor = Worker(source, output, transactional: false);
        Until(() => successor.Records.Count == 1, "the record at the successor", successor);
        Write(old, "from the old one");
        Assert.NotEqual(CommitOutcome.Committed, Quiet(() => old.Log.Commit([new OffsetToCommit(0, 0, 1)])));
        Assert.Null(Log.Committed(Unique, new TopicPartition(source, 0)));
    }

    [SkippableFact]
    public void Ten_thousand_outputs_keep_their_order()
    {
        var (source, output) = (Topic("in"), Topic("out", 3));
        using var worker = Worker(source, output, transactional: false);
        Until(() => worker.Owned.Count == 1, "the partition", worker);
        var outputs = new OutputBuffer();
        for (var i = 0; i < 10_000; i++) outputs.Add(0, i % 3, 0, i, Bytes($"k{i}"), Bytes($"value of output {i}"));
        worker.Log.Begin();
        worker.Log.Write(outputs, 0, 4_000);
        worker.Log.Write(outputs, 4_000, outputs.Count);
        Commit(worker, next: 0);
        for (var p = 0; p < 3; p++)
            Assert.Equal(Enumerable.Range(0, 10_000).Where(i => i % 3 == p).Select(i => $"value of output {i}"), Values(output, p));
    }

    private static void Write(TestWorker worker, string value)
    {
        var outputs = new OutputBuffer();
        outputs.Add(0, 0, 0, 1_000, Bytes("k"), Bytes(value));
        worker.Log.Begin();
        worker.Log.Write(outputs, 0, outputs.Count);
    }

    private void Commit(TestWorker worker, long next)
    {
        var outcome = CommitOutcome.Waiting;
        Until(() => (outcome = worker.Log.Commit([new OffsetToCommit(0, 0, next)])) != CommitOutcome.Waiting, "the commit", worker);
        Assert.Equal(CommitOutcome.Committed, outcome);
    }
}
