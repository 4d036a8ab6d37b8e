using StreamEngine.SystemTests.Oracle;
using StreamEngine.SystemTests.Runs;
using StreamEngine.Testing;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.SystemTests;

/// <summary>
/// Real processes in an Akka cluster on a real broker: requests for random customers go to random nodes while events come in, and something
/// happens to the nodes. No request is decided twice, none is answered by a node that only thinks it owns the customer, none stays without
/// an answer, and nothing goes wrong in the quiet phases. They take minutes, so they run when they are asked for:
/// <c>STREAMENGINE_REQUESTS_SECONDS=4</c> (of each quiet phase); <c>_RATE</c> says how many requests a second there are.
/// </summary>
[Collection(nameof(ClusterTests))]
public sealed class ClusterRequestTests(ITestOutputHelper output)
{
    [SkippableFact]
    public async Task Any_node_answers_for_any_customer_while_nodes_die_stand_still_leave_and_join()
    {
        Skip.If(!RequestCluster.IsAsked, RequestCluster.NotAsked);
        Skip.If(KafkaBroker.Missing is not null, KafkaBroker.Missing);
        using var arena = new Arena(JobDefinition.Chaos, KafkaBroker.Shared.Address, "cluster-requests", RequestCluster.Partitions);
        using var cluster = new RequestCluster(arena, ["a", "b", "c"], proxied: false, seed: 31);
        await cluster.Begin("a", "b", "c");
        await cluster.Quiet("1 three nodes");
        await cluster.Phase("2 kill -9 of one", async () =>
        {
            await cluster.Node("b").Kill();
            cluster.Take("b");
            await cluster.Settled();
        });
        await cluster.Quiet("3 two nodes");
        await cluster.Phase("4 one joins", async () =>
        {
            cluster.Start("d");
            await cluster.Settled();
        });
        await cluster.Phase("5 one stands still", async () =>
        {
            cluster.Node("c").Freeze();
            await Task.Delay(Member.ShortSession + TimeSpan.FromSeconds(4));
            cluster.Node("c").Thaw();
            await cluster.Settled();
        });
        await cluster.Phase("6 one leaves", async () =>
        {
            var leaving = cluster.Take("a");
            leaving.Terminate();
            Assert.True(await leaving.Exit(TimeSpan.FromSeconds(60)) == 0, leaving.Output);
            await cluster.Settled();
        });
        await cluster.Quiet("7 the others");
        await cluster.Judge(output.WriteLine);
    }

    /// <summary>
    /// Akka away while Kafka is fine: events go on, and so do requests to the node that owns their customer. Kafka away while Akka is fine:
    /// everything waits and goes on. Both sides of a split may answer, but only their own customers: the fence is Kafka's.
    /// </summary>
    [SkippableFact]
    public async Task Events_go_on_while_the_nodes_do_not_hear_each_other_and_requests_do_after_it()
    {
        Skip.If(!RequestCluster.IsAsked, RequestCluster.NotAsked);
        Skip.If(KafkaBroker.MissingOwn is not null, KafkaBroker.MissingOwn);
        using var broker = KafkaBroker.Start("group.initial.rebalance.delay.ms=500");
        using var arena = new Arena(JobDefinition.Chaos, broker.Address, "cluster-split", RequestCluster.Partitions);
        using var cluster = new RequestCluster(arena, ["a", "b"], proxied: true, seed: 32);
        await cluster.Begin("a", "b");
        await cluster.Quiet("1 together");
        await cluster.Phase("2 split", async () =>
        {
            cluster.Split();
            for (var i = 0; i < 2; i++)
            {
                await Task.Delay(TimeSpan.FromSeconds(5));
                await cluster.Commits();
            }
        });
        await cluster.Phase("3 healing", async () =>
        {
            cluster.Heal();
            await cluster.Settled();
            await Task.Delay(TimeSpan.FromSeconds(8));
            await cluster.Settled();
        });
        await cluster.Quiet("4 together");
        await cluster.Phase("5 Kafka away", async () =>
        {
            broker.Freeze();
            await Task.Delay(TimeSpan.FromSeconds(4));
            broker.Thaw();
            await cluster.Settled();
        });
        await cluster.Quiet("6 together");
        await cluster.Judge(output.WriteLine);
        var split = cluster.Load.Answers.Where(a => a.Phase == "2 split").ToList();
        Assert.True(split.Count(a => a.Status == "done") > split.Count / 4, "the nodes did not answer for customers of their own");
    }
}
