using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Runtime.Requests;
using Xunit;

namespace StreamEngine.Tests.Requests;

/// <summary>Answers wait for their commit: those of a shard that is lost before it are never given, the others' are.</summary>
public sealed class LostShardTests : IDisposable
{
    private readonly RequestBench _bench = new(ReplyWhen.Committed, Timeout.InfiniteTimeSpan);

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task AnswersOfALostShard_AreNeverGiven()
    {
        _bench.Restore();
        _bench.Schedule.IsWell = false;
        var (lost, kept) = (_bench.Ask("c0", 0), _bench.Ask("c1", 1));
        _bench.Turn(5);
        Assert.False(lost.IsCompleted || kept.IsCompleted);

        ((IOwnership)_bench.Worker).Lost([new TopicPartition("shop", 0)]);
        Assert.Equal(RequestStatus.Moved, (await lost.WaitAsync(TimeSpan.Zero)).Status);
        _bench.Turn(1); // the commit that was under way fails; the next try is without the lost shard
        _bench.Schedule.IsWell = true;
        _bench.Turn(5);
        Assert.Equal(RequestStatus.Done, (await kept.WaitAsync(TimeSpan.Zero)).Status);
        Assert.Empty(_bench.Log.Known(new TopicPartition("decisions", 0)).Committed());
        Assert.Single(_bench.Log.Known(new TopicPartition("decisions", 1)).Committed());
    }

    [Fact]
    public async Task WhatWaitsInAnInbox_IsToldToAskElsewhere()
    {
        _bench.Restore();
        var waiting = _bench.Ask("c0", 0);
        ((IOwnership)_bench.Worker).Lost([new TopicPartition("shop", 0)]);
        Assert.Equal(RequestStatus.Moved, (await waiting.WaitAsync(TimeSpan.Zero)).Status);
        Assert.Null(_bench.Directory.Find(0));
    }

    [Fact]
    public async Task AShardThatIsRestored_SaysHowFarItIs()
    {
        _bench.Turn(1);
        var asked = _bench.Ask("c0", 0);
        Assert.Equal(RequestStatus.Restoring, (await asked.WaitAsync(TimeSpan.Zero)).Status);
    }
}

/// <summary>Answers that do not wait for their commit are given only while nobody else can be the owner.</summary>
public sealed class LeaseTests : IDisposable
{
    private readonly RequestBench _bench = new(ReplyWhen.Decided, TimeSpan.FromSeconds(9));

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(1, true)]
    [InlineData(20, false)]
    public async Task A_commit_that_is_told_of_long_after_it_began_grants_no_lease(int stall, bool atOnce)
    {
        _bench.Restore();
        var first = _bench.Ask("c0", 0);
        _bench.Schedule.Stall = TimeSpan.FromSeconds(stall);
        for (var i = 0; i < 5 && !first.IsCompleted; i++) _bench.Turn(1);
        Assert.Equal(RequestStatus.Done, (await first.WaitAsync(TimeSpan.Zero)).Status);

        // The next turn serves this one.
        var second = _bench.Ask("c1", 1);
        _bench.Turn(1);
        Assert.Equal(atOnce, second.IsCompleted);
        _bench.Turn(3);
        Assert.Equal(RequestStatus.Done, (await second.WaitAsync(TimeSpan.Zero)).Status);
    }
}
