using Akka.Actor;
using Akka.TestKit;
using StreamEngine.Cluster.Routing;
using StreamEngine.Cluster.Routing.Protocol;
using StreamEngine.Runtime.Requests;
using Xunit;

namespace StreamEngine.Tests.Cluster;

/// <summary>Which way a request goes, and when it is asked again.</summary>
public sealed class RoutingAskerTests : RoutingBench
{
    private readonly string _customer;
    private readonly IActorRef _asker;
    private readonly TestProbe _region, _otherDoor, _thirdDoor, _hereActor, _otherActor;

    public RoutingAskerTests()
    {
        _customer = Ownership.Customer(1);
        (_region, _otherDoor, _thirdDoor) = (CreateTestProbe("region"), CreateTestProbe("other-door"), CreateTestProbe("third-door"));
        // Customers' actors, whose node is where they answer from.
        (_hereActor, _otherActor) = (CreateTestProbe("here-actor"), CreateTestProbe("other-actor"));
        Places[_otherDoor.Ref.Path] = Places[_otherActor.Ref.Path] = Other;
        Places[_thirdDoor.Ref.Path] = Third;
        Func<Address, ICanTell> doorOf = at => at == Other ? _otherDoor.Ref : at == Third ? _thirdDoor.Ref : _hereActor.Ref;
        _asker = Sys.ActorOf(Props.Create(() => new Asker(Node, _region.Ref, doorOf)));
    }

    [Fact]
    public async Task A_request_goes_by_the_region_and_what_comes_after_its_answer_is_dropped()
    {
        var asked = Begin();
        var ask = _region.ExpectMsg<DecideAsk>();
        Assert.Equal((1, "r"), (ask.Attempt, ask.Request.Id));
        Assert.Equal(1, Metrics.Now.InFlight);
        Answer(_hereActor, ask, RequestStatus.Done, "d1");
        Answer(_hereActor, ask, RequestStatus.Done, "d2");
        Assert.Equal("d1", Assert.IsType<DecideReply>(await asked).DecisionId);
        await PassAsync(_asker, 1_000);
        _region.ExpectNoMsg(Soon);
        Assert.Equal(0, Metrics.Now.InFlight);
    }

    [Fact]
    public async Task A_moved_shard_is_asked_again_after_20_ms_then_ever_more_rarely_under_the_same_id()
    {
        var asked = Begin(left: 2_000);
        var correlation = 0L;
        foreach (var (attempt, pause) in new[] { (1, 20), (2, 40), (3, 80), (4, 160), (5, 320), (6, 320) })
        {
            var ask = _region.ExpectMsg<DecideAsk>();
            Assert.Equal(("r", attempt), (ask.Request.Id, ask.Attempt));
            Assert.Equal(attempt == 1 ? correlation = ask.Correlation : correlation, ask.Correlation);
            Answer(_otherActor, ask, RequestStatus.Moved);
            await PassAsync(_asker, pause - 1);
            _region.ExpectNoMsg(TimeSpan.FromMilliseconds(20));
            await PassAsync(_asker, 1);
        }
        Answer(_otherActor, _region.ExpectMsg<DecideAsk>(), RequestStatus.Done);
        Assert.Equal(RequestStatus.Done, (await asked)!.Status);
    }

    [Fact]
    public async Task Silence_is_asked_again_after_250_ms_and_the_first_attempts_answer_still_counts()
    {
        var asked = Begin(left: 1_000);
        var first = _region.ExpectMsg<DecideAsk>();
        await PassAsync(_asker, 249);
        _region.ExpectNoMsg(Soon);
        await PassAsync(_asker, 1);
        Assert.Equal((2, first.Correlation), _region.ExpectMsg<DecideAsk>() is var a ? (a.Attempt, a.Correlation) : default);
        // That the first attempt did not find the shard says nothing of the second, which is under way.
        Answer(_hereActor, first, RequestStatus.Moved);
        await PassAsync(_asker, 100);
        _region.ExpectNoMsg(Soon);
        Answer(_hereActor, first, RequestStatus.Done, "d1");
        Assert.Equal("d1", Assert.IsType<DecideReply>(await asked).DecisionId);
    }

    [Fact]
    public async Task At_the_deadline_the_last_failure_is_told_or_that_nothing_was_heard()
    {
        var silent = Begin(left: 300);
        _region.ExpectMsg<DecideAsk>();
        await PassAsync(_asker, 250);
        _region.ExpectMsg<DecideAsk>();
        await PassAsync(_asker, 49);
        Assert.False(silent.IsCompleted);
        await PassAsync(_asker, 1);
        Assert.Equal(RequestStatus.TimedOut, (await silent)!.Status);

        var moved = Begin(left: 50);
        Answer(_hereActor, _region.ExpectMsg<DecideAsk>(), RequestStatus.Moved);
        await PassAsync(_asker, 20);
        // 30 ms are left, and the next pause would be 40 ms.
        Answer(_hereActor, _region.ExpectMsg<DecideAsk>(), RequestStatus.Moved);
        Assert.Equal(RequestStatus.Moved, (await moved)!.Status);

        Assert.Equal(RequestStatus.TimedOut, (await Begin(left: 0))!.Status);
        _region.ExpectNoMsg(Soon);
    }

    /// <summary>An old way may still lead to a node that has not the shard, when the owner was silent for a while.</summary>
    [Fact]
    public async Task How_far_a_restore_is_stays_known_where_an_old_way_tells_moved_after_it()
    {
        var asked = Begin(left: 70);
        Answer(_otherActor, _region.ExpectMsg<DecideAsk>(), RequestStatus.Restoring);
        await PassAsync(_asker, 20);
        // 50 ms are left, then 10, and the next pauses would be 40 ms and 80 ms.
        Answer(_hereActor, _region.ExpectMsg<DecideAsk>(), RequestStatus.Moved);
        await PassAsync(_asker, 40);
        Answer(_hereActor, _region.ExpectMsg<DecideAsk>(), RequestStatus.Moved);
        Assert.Equal(RequestStatus.Restoring, (await asked)!.Status);
    }

    /// <summary>A thread that waits for its turn between two looks at the clock: the deadline passes there.</summary>
    [Fact]
    public async Task A_deadline_that_passes_while_a_request_is_sent_ends_that_request_and_no_other()
    {
        var other = Begin(left: 5_000);
        var ask = _region.ExpectMsg<DecideAsk>();
        var looks = 0;
        Drift = () => ++looks > 2 ? TimeSpan.FromSeconds(1) : TimeSpan.Zero;
        var late = Begin(left: 500);
        _region.ExpectMsg<DecideAsk>();
        await PassAsync(_asker, 1);
        Assert.Equal(RequestStatus.TimedOut, (await late)!.Status);
        Answer(_hereActor, ask, RequestStatus.Done, "d1");
        Assert.Equal("d1", Assert.IsType<DecideReply>(await other).DecisionId);
    }

    [Fact]
    public async Task Where_the_region_is_not_known_to_lead_to_the_owner_its_door_is_asked_until_a_probe_came_through()
    {
        Claim(Other, 100);
        var first = Begin();
        Answer(_otherDoor, _otherDoor.ExpectMsg<DecideAsk>(), RequestStatus.Done);
        Assert.Equal(RequestStatus.Done, (await first)!.Status);
        Assert.Equal(1, _region.ExpectMsg<HomeProbe>().Partition);

        // The region still leads elsewhere: the next probe has to wait a little.
        _asker.Tell(new HomeProbed(1), _hereActor);
        _ = Begin();
        _otherDoor.ExpectMsg<DecideAsk>();
        _region.ExpectNoMsg(Soon);
        await PassAsync(_asker, 250);
        _ = Begin();
        _otherDoor.FishForMessage<DecideAsk>(a => a.Attempt == 1);
        _region.FishForMessage(m => m is HomeProbe);

        _asker.Tell(new HomeProbed(1), _otherActor);
        _ = Begin();
        _region.FishForMessage(m => m is DecideAsk { Attempt: 1 });
    }

    [Fact]
    public async Task A_home_that_answered_stays_until_the_claim_changes()
    {
        Claim(Other, 100);
        _asker.Tell(new HomeProbed(1), _otherActor);
        var before = Begin();
        Answer(_otherActor, _region.ExpectMsg<DecideAsk>(), RequestStatus.Done);
        await before;
        // Kafka's group has given the partition to a third node; Akka does not know yet.
        Claim(Third, 200);
        var after = Begin();
        Answer(_thirdDoor, _thirdDoor.ExpectMsg<DecideAsk>(), RequestStatus.Done);
        Assert.Equal(RequestStatus.Done, (await after)!.Status);
        _region.ExpectMsg<HomeProbe>();
    }

    [Fact]
    public async Task A_stale_claim_leads_to_a_door_once_and_then_the_region_is_right()
    {
        Claim(Other, 100);
        var first = Begin();
        Answer(_otherDoor, _otherDoor.ExpectMsg<DecideAsk>(), RequestStatus.Moved);
        _region.ExpectMsg<HomeProbe>();
        await PassAsync(_asker, 20);
        Answer(_hereActor, _region.ExpectMsg<DecideAsk>(), RequestStatus.Done);
        Assert.Equal(RequestStatus.Done, (await first)!.Status);
        _ = Begin();
        _region.ExpectMsg<DecideAsk>();
        _otherDoor.ExpectNoMsg(Soon);
    }

    [Fact]
    public async Task A_stale_location_leads_to_the_owner_that_is_named_there()
    {
        var asked = Begin();
        Answer(_otherActor, _region.ExpectMsg<DecideAsk>(), RequestStatus.Moved, owner: new Claim(Third, 300));
        Assert.Equal(new OwnerHeard(1, new Claim(Third, 300)), Assignments.ExpectMsg<OwnerHeard>());
        Owners.Hear(1, new Claim(Third, 300));
        await PassAsync(_asker, 20);
        Answer(_thirdDoor, _thirdDoor.ExpectMsg<DecideAsk>(), RequestStatus.Done);
        Assert.Equal(RequestStatus.Done, (await asked)!.Status);
    }

    [Fact]
    public async Task A_silent_region_is_passed_by_and_an_owner_that_cannot_be_reached_is_not_asked()
    {
        Claim(Other, 100);
        _asker.Tell(new HomeProbed(1), _otherActor);
        _ = Begin(left: 1_000);
        _region.ExpectMsg<DecideAsk>();
        await PassAsync(_asker, 250);
        Assert.Equal(2, _otherDoor.ExpectMsg<DecideAsk>().Attempt);
        Owners.Update([Here, Other, Third], [Other]);
        await PassAsync(_asker, 250);
        _region.FishForMessage(m => m is DecideAsk { Attempt: 3 });
        _otherDoor.ExpectNoMsg(Soon);
    }

    [Fact]
    public async Task When_the_system_ends_whoever_waits_is_told_so()
    {
        var asked = Begin();
        _region.ExpectMsg<DecideAsk>();
        Sys.Stop(_asker);
        Assert.Null(await asked);
        AwaitAssert(() => Assert.Equal(0, Metrics.Now.InFlight));
    }

    private void Claim(Address node, long since) => Owners.Apply(new Announcement(node, 1, 1, [new(1, since)]));

    private Task<Reply?> Begin(int left = 500)
    {
        var request = new PendingRequest(new DecideAsk(new DecideRequest { Customer = _customer, Id = "r" })
        {
            Deadline = Node.Clock() + TimeSpan.FromMilliseconds(left),
        }, 1);
        _asker.Tell(request);
        return request.Answered;
    }

    private void Answer(TestProbe by, Ask ask, RequestStatus status, string decision = "", Claim? owner = null) => _asker.Tell(
        new Answer(ask.Correlation, ask.Attempt, new DecideReply { Status = status, DecisionId = decision }, owner), by);
}
