using System.Collections.Concurrent;
using System.Diagnostics;
using Akka.Actor;
using Akka.Cluster.Sharding;
using StreamEngine.Cluster.Routing;
using StreamEngine.Runtime.Requests;
using StreamEngine.Telemetry;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.Tests.Cluster;

/// <summary>Real ActorSystems on the loopback: any node answers for any customer, while shards move, nodes die and systems end.</summary>
public sealed class RoutingClusterTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task While_shards_move_every_request_is_answered_and_none_is_decided_twice()
    {
        await using var cluster = await RoutingCluster.StartAsync(2);
        for (var p = 0; p < RoutingCluster.Partitions; p++) await cluster.MoveAsync(p, to: p / 2);
        for (var p = 0; p < RoutingCluster.Partitions; p++) await AskAsync(cluster[0], cluster[0].Ownership.Customer(p));

        // 1,000 requests a second to both nodes, each when it is due; where the machine stood still, no more than a node lets wait.
        var (answered, took) = (new ConcurrentDictionary<int, DecideReply>(), new ConcurrentBag<double>());
        var time = TimeProvider.System;
        var started = time.GetTimestamp();
        var moving = MoveAsync();
        var asked = new List<Task>();
        using (var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5), time))
            while (!moving.IsCompleted && await timer.WaitForNextTickAsync())
            {
                var due = (int)time.GetElapsedTime(started).TotalMilliseconds;
                while (asked.Count < due && asked.Count < answered.Count + 1_000) asked.Add(OneAsync(asked.Count));
            }
        await Task.WhenAll([.. asked, moving]);

        Assert.All(answered, a => Assert.True(a.Value.Status == RequestStatus.Done, $"{a.Key}: {a.Value.Status} {a.Value.Message}"));
        Assert.Equal(asked.Count, answered.Count);
        Assert.All(answered.Values, a => Assert.Equal(cluster.DecisionOf(a.RequestId), a.DecisionId));
        Assert.Equal(asked.Count, answered.Values.Select(a => a.DecisionId).Distinct().Count());
        // Those that were asked before the load began are the others.
        Assert.Equal(asked.Count + RoutingCluster.Partitions, cluster.Made);
        var sorted = took.Order().ToList();
        output.WriteLine($"{asked.Count} requests: p50 {sorted[sorted.Count / 2]:F1} ms, p99 {sorted[sorted.Count * 99 / 100]:F1} ms, "
            + $"longest {sorted[^1]:F0} ms, {answered.Values.Count(a => a.Repeated)} answers of repeats");

        async Task MoveAsync()
        {
            await Task.Delay(Second, time);
            await cluster.MoveAsync(1, to: 1, gapMs: 100);
            await Task.Delay(Second, time);
            await cluster.MoveAsync(2, to: 0, gapMs: 100);
            await Task.Delay(Second, time);
        }

        async Task OneAsync(int number)
        {
            var began = time.GetTimestamp();
            // Without an id: the gateway makes one, and keeps to it.
            var reply = await cluster[number % 2].Routing.Gateway.DecideAsync(
                new DecideRequest { Customer = $"c{number % 997}", Timeout = TimeSpan.FromSeconds(30) });
            took.Add(time.GetElapsedTime(began).TotalMilliseconds);
            answered[number] = reply;
        }
    }

    /// <summary>An actor that fails is made anew by Akka: what it held is asked again, and the stream of requests lives on.</summary>
    [Fact]
    public async Task Requests_outlive_the_actor_that_asks()
    {
        await using var cluster = await RoutingCluster.StartAsync(1);
        await cluster.MoveAsync(0, to: 0);
        var customer = cluster[0].Ownership.Customer(0);
        for (var i = 0; i < 20; i++)
        {
            var asked = AskAsync(cluster[0], customer);
            cluster[0].Routing.System!.Asker.Tell(new PendingRequest(null!, 0)); // it fails on that
            await asked;
        }
    }

    [Fact]
    public async Task An_owner_that_Kafka_names_is_asked_while_Akka_still_waits_for_a_dead_node()
    {
        await using var cluster = await RoutingCluster.StartAsync(2);
        await cluster.MoveAsync(0, to: 1);
        var customer = cluster[0].Ownership.Customer(0);
        await AskAsync(cluster[0], customer);
        // The node dies hard; the cluster keeps it as a member that can't be reached. Kafka's group names another owner.
        var dead = cluster[1].Cluster.SelfAddress;
        await cluster[1].System.Terminate();
        await cluster.MoveAsync(0, to: 0);
        await cluster[0].UntilAsync(n => n.Routing.System!.Node.Owners.Of(0)?.Node == n.Cluster.SelfAddress);
        var started = TimeProvider.System.GetTimestamp();
        await AskAsync(cluster[0], customer);
        var took = TimeProvider.System.GetElapsedTime(started);
        output.WriteLine($"answered after {took.TotalMilliseconds:F0} ms");
        Assert.InRange(took, TimeSpan.Zero, Second);
        Assert.Contains(cluster[0].Cluster.State.Members, m => m.Address == dead);
    }

    [Fact]
    public async Task A_request_for_a_shard_that_another_node_restores_waits_there_and_hears_how_far_it_is()
    {
        await using var cluster = await RoutingCluster.StartAsync(2);
        await cluster.MoveAsync(0, to: 0);
        var customer = cluster[0].Ownership.Customer(0);
        await AskAsync(cluster[0], customer);
        var there = cluster[1].Cluster.SelfAddress;
        cluster[0].Ownership.Lose(0);
        cluster[1].Ownership.Assign(0);
        await cluster[0].UntilAsync(n => n.Routing.System!.Node.Owners.Of(0)?.Node == there);
        // On a busy machine the owner may be silent for so long that nothing but the old way is heard before a deadline.
        DecideReply reply;
        var tries = 0;
        do reply = await cluster[0].Routing.Gateway.DecideAsync(new DecideRequest { Customer = customer, Timeout = 2 * Second });
        while (reply.Status != RequestStatus.Restoring && ++tries < 30);
        Assert.Equal((RequestStatus.Restoring, RoutingCluster.Progress), (reply.Status, reply.Progress));
        var waiting = cluster[0].Routing.Gateway.DecideAsync(new DecideRequest { Customer = customer, Timeout = 60 * Second }).AsTask();
        await cluster.LiveAsync(0, at: 1);
        Assert.Equal(RequestStatus.Done, (await waiting).Status);
    }

    [Fact]
    public async Task Without_a_system_what_is_here_is_served_and_a_new_system_hears_who_owns_what()
    {
        await using var cluster = await RoutingCluster.StartAsync(2);
        await cluster.MoveAsync(0, to: 0);
        await cluster.MoveAsync(1, to: 1);
        var (here, there) = (cluster[0].Ownership.Customer(0), cluster[0].Ownership.Customer(1));
        await AskAsync(cluster[0], there);
        cluster[0].Routing.Detach();
        await cluster[0].System.Terminate();
        await AskAsync(cluster[0], here);
        var moved = await cluster[0].Routing.Gateway.DecideAsync(new DecideRequest { Customer = there });
        Assert.Equal(RequestStatus.Moved, moved.Status);
        Assert.Contains("no connection to the cluster", moved.Message, StringComparison.Ordinal);

        cluster[1].Cluster.Down(cluster[1].Cluster.State.Members.First(m => m.Address != cluster[1].Cluster.SelfAddress).Address);
        cluster[0].Attach();
        await cluster[0].JoinAsync(cluster[1]);
        await AskAsync(cluster[0], there);
        await AskAsync(cluster[1], here);
        // What is owned is known without a word from the loop.
        Assert.Equal(cluster[0].Cluster.SelfAddress, cluster[1].Routing.System!.Node.Owners.Of(0)?.Node);
    }

    [Fact]
    public async Task A_node_that_has_not_joined_yet_serves_what_is_here()
    {
        await using var cluster = await RoutingCluster.StartAsync(1, join: false);
        await cluster.MoveAsync(0, to: 0);
        await cluster[0].UntilAsync(n => n.Routing.System!.Node.Owners.Of(0) is not null);
        var reply = await cluster[0].Routing.Gateway.DecideAsync(new DecideRequest { Customer = cluster[0].Ownership.Customer(0) });
        Assert.Equal(RequestStatus.Done, reply.Status);
    }

    [Fact]
    public async Task A_request_that_waits_when_its_system_ends_goes_on_without_it()
    {
        await using var cluster = await RoutingCluster.StartAsync(1);
        await cluster.MoveAsync(0, to: 0);
        var customer = cluster[0].Ownership.Customer(0);
        await AskAsync(cluster[0], customer);
        cluster[0].Held = new TaskCompletionSource();
        var asked = cluster[0].Routing.Gateway.DecideAsync(new DecideRequest { Customer = customer, Id = "r" }).AsTask();
        await cluster[0].UntilAsync(n => n.Routing.Metrics.Now.InFlight == 1);
        // Nobody has called Detach yet.
        await cluster[0].System.Terminate();
        cluster[0].Held!.SetResult();
        cluster[0].Held = null;
        var reply = await asked;
        Assert.Equal((RequestStatus.Done, cluster.DecisionOf("r")), (reply.Status, reply.DecisionId));
    }

    /// <summary>A stream that stands still takes nothing, and one that dies takes along what was put into its mailbox.</summary>
    [Fact]
    public async Task A_request_that_the_stream_does_not_take_has_its_deadline_and_outlives_the_system()
    {
        await using var cluster = await RoutingCluster.StartAsync(1);
        await cluster.MoveAsync(0, to: 0);
        var (gateway, customer) = (cluster[0].Routing.Gateway, cluster[0].Ownership.Customer(0));
        await AskAsync(cluster[0], customer);
        var streams = ((ActorRefWithCell)((ExtendedActorSystem)cluster[0].System).Guardian).Children.OfType<ActorRefWithCell>()
            .Where(c => c.Path.Name.StartsWith("StreamSupervisor", StringComparison.Ordinal)).SelectMany(c => c.Children).ToList();
        Assert.NotEmpty(streams);
        foreach (var stream in streams) ((IInternalActorRef)stream).Suspend();
        var late = await gateway.DecideAsync(new DecideRequest { Customer = customer, Timeout = Second / 10 }).AsTask()
            .WaitAsync(60 * Second);
        Assert.Equal(RequestStatus.TimedOut, late.Status);

        var asked = gateway.DecideAsync(new DecideRequest { Customer = customer, Id = "r", Timeout = 120 * Second }).AsTask();
        await cluster[0].System.Terminate();
        var reply = await asked.WaitAsync(60 * Second);
        Assert.Equal((RequestStatus.Done, cluster.DecisionOf("r")), (reply.Status, reply.DecisionId));
    }

    [Fact]
    public async Task Too_many_requests_at_once_are_told_so_and_faults_travel_nowhere()
    {
        await using var cluster = await RoutingCluster.StartAsync(1, new RoutingOptions { Parallelism = 2, Queue = 2 });
        await cluster.MoveAsync(0, to: 0);
        var gateway = cluster[0].Routing.Gateway;
        await AskAsync(cluster[0], cluster[0].Ownership.Customer(0));
        cluster[0].Held = new TaskCompletionSource();
        var asked = Enumerable.Range(0, 20)
            .Select(i => gateway.DecideAsync(new DecideRequest { Customer = cluster[0].Ownership.Customer(0, i) }).AsTask()).ToList();
        await cluster[0].UntilAsync(_ => asked.Count(a => a.IsCompleted) >= 14);
        Assert.All(asked.Where(a => a.IsCompleted), a => Assert.Equal(RequestStatus.Busy, a.Result.Status));
        cluster[0].Held!.SetResult();
        cluster[0].Held = null;
        var replies = await Task.WhenAll(asked);
        // Two are under way and two wait; of a burst fewer get so far, since the stream takes the first ones out one by one.
        Assert.InRange(replies.Count(r => r.Status == RequestStatus.Done), 2, 6);

        var strange = await gateway.DecideAsync(new DecideRequest
        {
            Customer = "c",
            Context = new Dictionary<string, object?> { ["x"] = new Uri("http://a") },
        });
        Assert.Equal((RequestStatus.Invalid, "context.x: a Uri is neither text, number, boolean nor a point in time"),
            (strange.Status, strange.Message));
        var large = await gateway.DecideAsync(new DecideRequest
        {
            Customer = "c",
            Context = new Dictionary<string, object?> { ["x"] = new string('x', RequestLimits.MaxContextBytes) },
        });
        Assert.Equal(RequestStatus.Invalid, large.Status);
        using var gone = new CancellationTokenSource();
        cluster[0].Held = new TaskCompletionSource();
        var left = gateway.DecideAsync(new DecideRequest { Customer = cluster[0].Ownership.Customer(0) }, gone.Token).AsTask();
        await gone.CancelAsync();
        Assert.Equal(RequestStatus.TimedOut, (await left).Status);
        cluster[0].Held!.SetResult();
    }

    [Fact]
    public async Task A_customer_is_watched_from_any_node_wherever_it_moves_until_nobody_watches()
    {
        await using var cluster = await RoutingCluster.StartAsync(2);
        await cluster.MoveAsync(0, to: 1);
        var customer = cluster[0].Ownership.Customer(0);
        var told = new ConcurrentQueue<CustomerUpdate>();
        var watch = cluster[0].Routing.Feed.Watch(customer, told.Enqueue);
        await cluster[1].UntilAsync(n => n.Feed.Watched.Any());
        cluster[1].Feed.Tell(ScriptedFeed.Update(customer, ("a", 1), ("b", 2)));
        await cluster[0].UntilAsync(_ => told.Count == 1);
        // A second watcher of this process shares the watch and begins with all that is known.
        var second = new ConcurrentQueue<CustomerUpdate>();
        var other = cluster[0].Routing.Feed.Watch(customer, second.Enqueue);
        Assert.Equal([new("a", 1), new("b", 2)], second.Single().Features);
        Assert.True(second.Single().IsComplete);
        cluster[1].Feed.Tell(ScriptedFeed.Update(customer, ("b", 3)));
        await cluster[0].UntilAsync(_ => told.Count == 2 && second.Count == 2);
        Assert.Equal([new("b", 3)], second.Last().Features);
        Assert.Equal(1, cluster[1].Routing.Metrics.Now.Watchers);

        await cluster.MoveAsync(0, to: 0);
        await cluster[0].UntilAsync(n => n.Feed.Watched.Any());
        Assert.Empty(cluster[1].Feed.Watched);
        cluster[0].Feed.Tell(ScriptedFeed.Update(customer, ("a", 4)));
        await cluster[0].UntilAsync(_ => told.Count == 3);
        watch.Dispose();
        other.Dispose();
        await cluster[0].UntilAsync(n => !n.Feed.Watched.Any());
    }

    [Fact]
    public async Task A_watch_ends_with_the_watchers_node()
    {
        await using var cluster = await RoutingCluster.StartAsync(2);
        await cluster.MoveAsync(0, to: 0);
        using var watch = cluster[1].Routing.Feed.Watch(cluster[0].Ownership.Customer(0), _ => { });
        await cluster[0].UntilAsync(n => n.Feed.Watched.Any());
        var dead = cluster[1].Cluster.SelfAddress;
        await cluster[1].System.Terminate();
        cluster[0].Cluster.Down(dead);
        await cluster[0].UntilAsync(n => !n.Feed.Watched.Any() && n.Routing.Metrics.Now.Watchers == 0);
    }

    [Fact]
    public async Task The_span_of_a_request_goes_with_it_to_the_owners_node()
    {
        await using var cluster = await RoutingCluster.StartAsync(2);
        await cluster.MoveAsync(0, to: 1);
        var ended = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == EngineTraces.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        using var root = new Activity("page").SetIdFormat(ActivityIdFormat.W3C).Start();
        await AskAsync(cluster[0], cluster[0].Ownership.Customer(0));
        // Other tests of this process may trace as well.
        var asked = Assert.Single(ended, a => a.OperationName == "decide" && a.TraceId == root.TraceId);
        Assert.Equal("done", asked.GetTagItem("streamengine.status"));
        var served = ended.Where(a => a.OperationName == "serve" && a.TraceId == root.TraceId).ToList();
        Assert.All(served, s => Assert.Equal(asked.SpanId, s.ParentSpanId));
        // Before the owner was heard of, the region may have led to this node first.
        Assert.True(served[^1].HasRemoteParent);
    }

    [Fact]
    public async Task Many_customers_can_be_spoken_to_and_an_idle_one_costs_little()
    {
        var customers = int.Parse(Environment.GetEnvironmentVariable("STREAMENGINE_TEST_CUSTOMERS") ?? "5000",
            System.Globalization.CultureInfo.InvariantCulture);
        await using var cluster = await RoutingCluster.StartAsync(1);
        for (var p = 0; p < RoutingCluster.Partitions; p++) await cluster.MoveAsync(p, to: 0);
        var gateway = cluster[0].Routing.Gateway;
        await AskAsync(cluster[0], "first");
        // The region leads here: nobody is asked past it, where a second actor of the same customer would be made.
        for (var (i, held) = (0, 0); held < 40; i++)
        {
            Assert.True(i < 500, "the region does not lead here");
            held = -await EntitiesAsync();
            await ReadAllAsync($"warm{i}-", 40);
            held += await EntitiesAsync();
        }
        var before = (Bytes: GC.GetTotalMemory(forceFullCollection: true), cluster[0].Routing.Metrics.Now.Entities);
        var (started, cpu) = (TimeProvider.System.GetTimestamp(), Environment.CpuUsage.TotalTime);
        await ReadAllAsync("c", customers);
        var (took, cpuTook) = (TimeProvider.System.GetElapsedTime(started), Environment.CpuUsage.TotalTime - cpu);
        var bytes = GC.GetTotalMemory(forceFullCollection: true) - before.Bytes;
        Assert.InRange(cluster[0].Routing.Metrics.Now.Entities - before.Entities, customers, customers + 1_000);
        started = TimeProvider.System.GetTimestamp();
        var again = Environment.CpuUsage.TotalTime;
        await ReadAllAsync("c", customers);
        var (tookAgain, cpuAgain) = (TimeProvider.System.GetElapsedTime(started), Environment.CpuUsage.TotalTime - again);
        output.WriteLine($"{customers} customers: {bytes / customers} bytes each; asked for the first time "
            + $"{took.TotalMicroseconds / customers:F1} us ({cpuTook.TotalMicroseconds / customers:F1} us CPU) each, again "
            + $"{tookAgain.TotalMicroseconds / customers:F1} us ({cpuAgain.TotalMicroseconds / customers:F1} us CPU)");
        // The heap is the whole process's: beside other tests, and over few customers, it says nothing.
        if (customers >= 50_000) Assert.InRange(bytes / customers, 500, 6_000);

        async Task<int> EntitiesAsync() => (await ClusterSharding.Get(cluster[0].System).ShardRegion(RoutingSystem.Region)
            .Ask<CurrentShardRegionState>(GetShardRegionState.Instance)).Shards.Sum(s => s.EntityIds.Count);

        async Task ReadAllAsync(string prefix, int count)
        {
            for (var i = 0; i < count; i += 500)
            {
                var replies = await Task.WhenAll(Enumerable.Range(i, Math.Min(500, count - i))
                    .Select(n => gateway.ReadAsync(new ReadRequest { Customer = $"{prefix}{n}" }).AsTask()));
                Assert.All(replies, r => Assert.True(r.Status == RequestStatus.Done, r.Message));
            }
        }
    }

    private static async Task AskAsync(RoutingCluster.Node node, string customer)
    {
        var reply = await node.Routing.Gateway.DecideAsync(new DecideRequest { Customer = customer, Timeout = TimeSpan.FromSeconds(20) });
        Assert.True(reply.Status == RequestStatus.Done, $"{customer}: {reply.Status} {reply.Message}");
    }
}
