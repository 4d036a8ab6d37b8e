using System.Diagnostics;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Kafka;
using Xunit;

namespace StreamEngine.ContractTests.Logs;

/// <summary>Static members that leave their group for good: the others need not wait for the session timeout, which is 15 s here.</summary>
public sealed class KafkaLeaveTests : LogContract
{
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(6);

    protected override TimeSpan Patience => TimeSpan.FromSeconds(60);

    private protected override ILog OpenLog() => TestKafka.Open();

    [SkippableFact]
    public void A_worker_that_leaves_hands_over_at_once_what_it_commits_in_the_revocation()
    {
        var (source, output) = (Topic("in", 4), Topic("out", 4));
        Produce(source, [.. Enumerable.Range(0, 40).Select(i => $"{i}")]); // some for each partition
        using var second = Worker(source, output, "w2");
        var first = Worker(source, output, "w1");
        Until(() => first.Owned.Count == 2 && second.Owned.Count == 2, "two partitions each", first, second);
        var mine = first.Owned.Select(p => p.Partition).Order().ToArray();
        first.WasRevoked.Clear(); // the one that joined first had all of them
        first.OnRevoked = revoked =>
        {
            first.Log.Begin();
            Assert.Equal(CommitOutcome.Committed, first.Log.Commit([.. revoked.Select(p => new OffsetToCommit(0, p.Partition, 1))]));
        };
        first.Log.Leave();

        // The rebalance needs the other one to go on polling.
        var started = Stopwatch.StartNew();
        var closing = Task.Run(first.Dispose);
        Until(() => second.Owned.Count == 4, "the partitions of the one that left", second);
        Assert.True(started.Elapsed < AtOnce, $"handed over after {started.Elapsed}");
        Until(() => closing.IsCompleted, "the end of the one that left", second);
        Assert.Equal(mine, first.WasRevoked.Select(p => p.Partition).Order());
        Assert.Empty(first.WasLost);
        Assert.All(mine, p => Assert.Equal(1, Log.Committed(Unique, new TopicPartition(source, p))));
        Assert.Equal([$"{Unique}-w2"], Group.Members().Select(m => m.InstanceId));
    }

    [SkippableFact]
    public void A_member_taken_out_on_its_behalf_is_fenced_and_joins_again()
    {
        var (source, output) = (Topic("in", 4), Topic("out", 4));
        using var first = Worker(source, output, "w1");
        using var second = Worker(source, output, "w2");
        Until(() => first.Owned.Count == 2 && second.Owned.Count == 2, "two partitions each", first, second);
        var members = Group.Members().OrderBy(m => m.InstanceId).ToList();
        Assert.Equal([$"{Unique}-w1", $"{Unique}-w2"], members.Select(m => m.InstanceId));
        Assert.Equal(first.Owned.Select(p => p.Partition).Order(), members[0].Partitions.Select(p => p.Partition));

        // The first stands still, with a transaction open.
        var outputs = new OutputBuffer();
        outputs.Add(0, 0, 0, 1_000, Bytes("k"), Bytes("never"));
        first.Log.Begin();
        first.Log.Write(outputs, 0, 1);
        var started = Stopwatch.StartNew();
        var removing = Task.Run(() => Group.Remove($"{Unique}-w1", source));
        Until(() => second.Owned.Count == 4, "the partitions of the one that was taken out", second);
        Assert.True(started.Elapsed < AtOnce, $"handed over after {started.Elapsed}");
        Until(() => removing.IsCompleted, "the end of the removal", second);
        Assert.Equal([$"{Unique}-w2"], Group.Members().Select(m => m.InstanceId));

        Assert.NotEqual(CommitOutcome.Committed, first.Log.Commit([new OffsetToCommit(0, 0, 1)]));
        first.Log.Rebuild();
        Until(() => first.Owned.Count == 2 && second.Owned.Count == 2, "both members again", first, second);
        Assert.Equal(4, first.Owned.Union(second.Owned).Count());
        Assert.Empty(Values(output));
    }

    [SkippableFact]
    public void A_group_that_does_not_exist_has_no_members() => Assert.Empty(Group.Members());

    private KafkaGroup Group => ((KafkaLog)Log).Group(Unique);
}
