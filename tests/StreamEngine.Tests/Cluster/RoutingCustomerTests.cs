using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.TestKit;
using StreamEngine.Cluster.Routing;
using StreamEngine.Cluster.Routing.Protocol;
using StreamEngine.Runtime.Requests;
using Xunit;

namespace StreamEngine.Tests.Cluster;

/// <summary>A customer's actor: one request at a time, a few in the stash, watchers, and how it ends.</summary>
public sealed class RoutingCustomerTests : RoutingBench
{
    private readonly string _customer;
    private readonly IActorRef _actor;
    private readonly TestProbe _asker, _parent;

    public RoutingCustomerTests()
    {
        _customer = Ownership.Customer(1);
        (_parent, _asker) = (CreateTestProbe("parent"), CreateTestProbe("asker"));
        _actor = _parent.ChildActorOf(CustomerActor.Props(_customer, Node));
    }

    [Fact]
    public async Task Requests_of_a_customer_are_served_one_after_the_other()
    {
        var first = Hold();
        Ask(1);
        Ask(2);
        await DoneAsync(_actor);
        Assert.Equal(["r1"], Shards.Tries.Select(r => r.Id));
        Assert.Equal(1, Metrics.Now.Stash);
        Shards.Decide = r => Task.FromResult(new DecideReply { RequestId = r.Id });
        first.SetResult(new DecideReply { RequestId = "r1" });
        Assert.Equal([1, 2], [Answered().Correlation, Answered().Correlation]);
        Assert.Equal(["r1", "r2"], Shards.Tries.Select(r => r.Id));
        Assert.Equal(0, Metrics.Now.Stash);
    }

    [Fact]
    public async Task Beyond_the_stash_a_request_is_told_at_once_that_the_customer_is_busy()
    {
        Hold();
        for (var i = 1; i <= 4; i++) Ask(i);
        var busy = Answered();
        Assert.Equal((4, RequestStatus.Busy), (busy.Correlation, busy.Reply.Status));
        Assert.Contains("3 requests of this customer", busy.Reply.Message, StringComparison.Ordinal);
        await DoneAsync(_actor);
        Assert.Single(Shards.Tries);
    }

    [Fact]
    public async Task A_request_that_is_asked_again_keeps_its_one_place_and_is_answered_once()
    {
        var first = Hold();
        Ask(1);
        Ask(2);
        Ask(2, attempt: 2);
        Ask(1, attempt: 2);
        Ask(2, attempt: 3);
        await DoneAsync(_actor);
        Assert.Equal(1, Metrics.Now.Stash);
        Shards.Decide = r => Task.FromResult(new DecideReply { RequestId = r.Id });
        first.SetResult(new DecideReply());
        Assert.Equal((1, 2), Answered() is var a ? (a.Correlation, a.Attempt) : default);
        Assert.Equal((2, 3), Answered() is var b ? (b.Correlation, b.Attempt) : default);
        _asker.ExpectNoMsg(Soon);
        Assert.Equal(2, Shards.Tries.Count);
    }

    [Fact]
    public void A_shard_that_is_elsewhere_is_told_at_once_with_its_owner()
    {
        Owners.Apply(new Announcement(Other, 1, 1, [new(1, 77)]));
        Shards.Answer(RequestStatus.Moved);
        Ask(1);
        var moved = Answered();
        Assert.Equal((RequestStatus.Moved, new Claim(Other, 77)), (moved.Reply.Status, moved.Owner));
        // That this node itself claimed it is no help to whoever is told that it is not here.
        Owners.Apply(new Announcement(Here, 1, 1, [new(1, 99)]));
        Ask(2);
        Assert.Null(Answered().Owner);
    }

    [Fact]
    public async Task A_shard_that_is_being_restored_is_asked_again_while_there_is_time()
    {
        Shards.Answer(RequestStatus.Restoring);
        Ask(1, left: 200);
        await PassAsync(_actor, 19);
        Assert.Single(Shards.Tries);
        await PassAsync(_actor, 1);
        Assert.Equal(2, Shards.Tries.Count);
        await PassAsync(_actor, 39);
        Assert.Equal(2, Shards.Tries.Count);
        await PassAsync(_actor, 1);
        Assert.Equal(3, Shards.Tries.Count);
        _asker.ExpectNoMsg(Soon);
        // The next pause, 80 ms, is over before the deadline; the one after, 160 ms, is not.
        await PassAsync(_actor, 80);
        Assert.Equal(RequestStatus.Restoring, Answered().Reply.Status);
        Assert.Equal([200, 180, 140, 60], Shards.Tries.Select(r => r.Timeout!.Value.TotalMilliseconds));
        Assert.Equal(["r1"], Shards.Tries.Select(r => r.Id).Distinct());
    }

    [Fact]
    public async Task A_request_that_is_asked_again_when_the_next_try_would_be_too_late_hears_at_once_how_far_the_restore_is()
    {
        Shards.Decide = _ => Task.FromResult(new DecideReply { Status = RequestStatus.Restoring, Progress = 0.25 });
        Ask(1, left: 1_000);
        foreach (var pause in new[] { 20, 40, 80, 160, 320 }) await PassAsync(_actor, pause);
        Ask(1, attempt: 2, left: 330);
        _asker.ExpectNoMsg(Soon); // the next try comes in time
        Ask(1, attempt: 3, left: 300);
        var told = Answered();
        Assert.Equal((3, RequestStatus.Restoring, 0.25), (told.Attempt, told.Reply.Status, told.Reply.Progress));
        Assert.Equal(6, Shards.Tries.Count);
        // The next one is served.
        Shards.Decide = r => Task.FromResult(new DecideReply { RequestId = r.Id });
        Ask(2);
        Assert.Equal((2, RequestStatus.Done), Answered() is var a ? (a.Correlation, a.Reply.Status) : default);
    }

    [Fact]
    public async Task What_nobody_waits_for_any_more_is_not_served()
    {
        var first = Hold();
        Ask(1, left: 500);
        Ask(2, left: 100);
        await PassAsync(_actor, 150);
        first.SetResult(new DecideReply());
        Assert.Equal(1, Answered().Correlation);
        _asker.ExpectNoMsg(Soon);
        Assert.Single(Shards.Tries);
    }

    [Fact]
    public void A_fault_of_the_shard_is_an_answer_too()
    {
        Shards.Decide = _ => throw new InvalidOperationException("broken");
        Ask(1);
        Assert.Equal("broken", Answered().Reply.Message);
        Shards.Answer(RequestStatus.Done);
        Ask(2);
        Assert.Equal(RequestStatus.Done, Answered().Reply.Status);
    }

    [Fact]
    public async Task It_leaves_when_the_request_in_hand_is_answered_and_sends_the_others_on()
    {
        var first = Hold();
        Watch(_actor);
        Ask(1);
        Ask(2);
        _actor.Tell(Leave.Instance);
        Ask(3);
        Assert.Equal((2, RequestStatus.Moved), Answered() is var a ? (a.Correlation, a.Reply.Status) : default);
        Assert.Equal((3, RequestStatus.Moved), Answered() is var b ? (b.Correlation, b.Reply.Status) : default);
        await DoneAsync(_actor);
        first.SetResult(new DecideReply { DecisionId = "d" });
        Assert.Equal((1, RequestStatus.Done), Answered() is var c ? (c.Correlation, c.Reply.Status) : default);
        ExpectTerminated(_actor);
        AwaitAssert(() => Assert.Equal((0, 0, 0), (Metrics.Now.Stash, Metrics.Now.Watchers, Metrics.Now.Entities)));
    }

    [Fact]
    public void It_does_not_wait_for_a_restore_when_it_leaves()
    {
        Watch(_actor);
        Shards.Answer(RequestStatus.Restoring);
        Ask(1);
        _actor.Tell(Leave.Instance);
        Assert.Equal(RequestStatus.Restoring, Answered().Reply.Status);
        ExpectTerminated(_actor);
    }

    [Fact]
    public async Task It_goes_when_it_was_idle_and_stays_while_it_is_watched()
    {
        Ownership.Live(1);
        var watcher = CreateTestProbe();
        await PassAsync(_actor, 20_000);
        Ask(1);
        Answered();
        // 30 s since it was made, 10 s since the request.
        await PassAsync(_actor, 10_000);
        _parent.ExpectNoMsg(Soon);
        _actor.Tell(new WatchAsk(_customer, watcher, 1) { Deadline = TimeSpan.MaxValue }, _asker);
        Assert.Equal(RequestStatus.Done, Answered().Reply.Status);
        for (var i = 0; i < 5; i++) await PassAsync(_actor, 30_000);
        _parent.ExpectNoMsg(Soon);
        _actor.Tell(new Unwatch(_customer, 1), watcher);
        for (var i = 0; i < 2; i++) await PassAsync(_actor, 30_000);
        Assert.Same(Leave.Instance, _parent.ExpectMsg<Passivate>().StopMessage);
        // A request that was on its way meanwhile is served, then it goes.
        Watch(_actor);
        Ask(2);
        _actor.Tell(Leave.Instance);
        Assert.Equal(RequestStatus.Done, Answered().Reply.Status);
        ExpectTerminated(_actor);
    }

    [Fact]
    public async Task Watchers_share_one_watch_at_the_engine_and_each_begins_with_all_features()
    {
        Ownership.Live(1);
        var (first, second) = (CreateTestProbe(), CreateTestProbe());
        WatchBy(first);
        Feed.Tell(ScriptedFeed.Update(_customer, ("a", 1), ("b", 2)));
        Assert.Equal(["a", "b"], first.ExpectMsg<WatchTold>().Update.Features.Select(f => f.Key));
        WatchBy(second);
        Assert.Equal([_customer], Feed.Watched);
        Assert.Equal(2, Metrics.Now.Watchers);
        // What is known is told at once: the next event may be long in coming.
        var begun = second.ExpectMsg<WatchTold>().Update;
        Assert.Equal([new("a", 1), new("b", 2)], begun.Features);
        Assert.True(begun.IsComplete);
        Feed.Tell(ScriptedFeed.Update(_customer, ("b", 3)));
        Assert.Equal([new("b", 3)], first.ExpectMsg<WatchTold>().Update.Features);
        Assert.Equal([new("b", 3)], second.ExpectMsg<WatchTold>().Update.Features);

        _actor.Tell(new Unwatch(_customer, 1), first);
        await DoneAsync(_actor);
        Feed.Tell(ScriptedFeed.Update(_customer, ("b", 4)));
        Assert.Equal([new("b", 4)], second.ExpectMsg<WatchTold>().Update.Features);
        first.ExpectNoMsg(Soon);
        // A watcher that dies has not said so.
        Sys.Stop(second);
        AwaitAssert(() => Assert.Empty(Feed.Watched));
        AwaitAssert(() => Assert.Equal(0, Metrics.Now.Watchers));
    }

    [Fact]
    public void Watchers_are_told_when_the_shard_goes_or_the_actor_leaves()
    {
        Ownership.Live(1);
        var watcher = CreateTestProbe();
        WatchBy(watcher);
        var begun = Assignments.ExpectMsg<Watching>();
        Assert.Equal((1, _actor, true), (begun.Partition, begun.Actor, begun.Begins));
        _actor.Tell(new ShardGone(1));
        Assert.Equal(_customer, watcher.ExpectMsg<WatchMoved>().Customer);
        Assert.False(Assignments.ExpectMsg<Watching>().Begins);
        Assert.Empty(Feed.Watched);
        WatchBy(watcher);
        _actor.Tell(Leave.Instance);
        watcher.ExpectMsg<WatchMoved>();
        AwaitAssert(() => Assert.Empty(Feed.Watched));
    }

    [Fact]
    public async Task The_end_of_an_earlier_watch_does_not_end_a_later_one()
    {
        Ownership.Live(1);
        var watcher = CreateTestProbe();
        WatchBy(watcher, 1);
        WatchBy(watcher, 2);
        _actor.Tell(new Unwatch(_customer, 1), watcher);
        await DoneAsync(_actor);
        Assert.Equal([_customer], Feed.Watched);
        _actor.Tell(new Unwatch(_customer, 2), watcher);
        await DoneAsync(_actor);
        Assert.Empty(Feed.Watched);
    }

    [Fact]
    public void A_watch_at_a_node_that_has_not_the_shard_is_sent_on()
    {
        Owners.Apply(new Announcement(Other, 1, 1, [new(1, 77)]));
        _actor.Tell(new WatchAsk(_customer, CreateTestProbe(), 1) { Deadline = TimeSpan.MaxValue }, _asker);
        var moved = Answered();
        Assert.Equal((RequestStatus.Moved, Other), (moved.Reply.Status, moved.Owner?.Node));
        Assert.Empty(Feed.Watched);
    }

    private void WatchBy(TestProbe watcher, long number = 1)
    {
        _actor.Tell(new WatchAsk(_customer, watcher, number) { Deadline = TimeSpan.MaxValue }, _asker);
        Assert.Equal(_customer, watcher.ExpectMsg<Watched>().Customer);
        Assert.Equal(RequestStatus.Done, Answered().Reply.Status);
    }

    private void Ask(int number, int attempt = 1, int left = 500) => _actor.Tell(
        new DecideAsk(new DecideRequest { Customer = _customer, Id = $"r{number}" })
        {
            Correlation = number,
            Attempt = attempt,
            Deadline = Node.Clock() + TimeSpan.FromMilliseconds(left),
        }, _asker);

    private Answer Answered() => _asker.ExpectMsg<Answer>();

    /// <summary>The next request stays in the shard's hands until its result is set.</summary>
    private TaskCompletionSource<DecideReply> Hold()
    {
        var held = new TaskCompletionSource<DecideReply>();
        Shards.Decide = _ => held.Task;
        return held;
    }
}
