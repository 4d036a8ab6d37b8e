using System.Text;
using Akka.Actor;
using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Cluster.Routing;
using StreamEngine.Cluster.Routing.Protocol;
using StreamEngine.Connectors;
using StreamEngine.Runtime.Requests;
using Xunit;

namespace StreamEngine.Tests.Cluster;

/// <summary>Who is believed to own a partition, and which shard of the region a customer has.</summary>
public sealed class RoutingOwnersTests : IDisposable
{
    private static readonly Address A = new("akka.tcp", "s", "a", 1), B = new("akka.tcp", "s", "b", 1);
    private readonly RoutingMetrics _metrics = new();
    private readonly Owners _owners;

    public RoutingOwnersTests()
    {
        _owners = new Owners(4, _metrics);
        _owners.Update([A, B], []);
    }

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public void The_newest_claim_counts_and_a_node_that_goes_takes_its_claims_along()
    {
        Tell(A, 1, (0, 10), (1, 10));
        Tell(B, 1, (1, 20));
        Assert.Equal((A, B), (_owners.Of(0)?.Node, _owners.Of(1)?.Node));
        // The old owner says it still has it: its claim is older.
        Tell(A, 2, (0, 10), (1, 10));
        Assert.Equal(B, _owners.Of(1)?.Node);
        _owners.Update([A], []);
        Assert.Equal(A, _owners.Of(1)?.Node);
        Tell(A, 3);
        Assert.Null(_owners.Of(1));
    }

    [Fact]
    public void A_late_announcement_does_not_undo_a_newer_and_a_new_life_of_a_node_begins_anew()
    {
        Tell(A, 5, (0, 10));
        Tell(A, 4);
        Assert.Equal(A, _owners.Of(0)?.Node);
        _owners.Apply(new Announcement(A, Uid: 2, Sequence: 1, []));
        Assert.Null(_owners.Of(0));
    }

    [Fact]
    public void A_claim_counts_from_when_its_node_is_a_member_and_reachable_is_a_question_of_its_own()
    {
        var c = new Address("akka.tcp", "s", "c", 1);
        Tell(c, 1, (2, 10));
        Assert.Null(_owners.Of(2));
        _owners.Update([A, B, c], [c]);
        Assert.Equal(c, _owners.Of(2)?.Node);
        Assert.False(_owners.IsReachable(c));
        Assert.True(_owners.IsReachable(A));
    }

    [Fact]
    public void What_another_one_said_of_an_owner_counts_until_the_owner_itself_speaks()
    {
        _owners.Hear(3, new Claim(B, 30));
        Assert.Equal(B, _owners.Of(3)?.Node);
        _owners.Hear(3, new Claim(B, 20));
        Assert.Equal(30, _owners.Of(3)?.Since);
        Tell(B, 1);
        Assert.Null(_owners.Of(3));
    }

    [Fact]
    public void A_customers_shard_is_the_partition_that_its_events_are_in()
    {
        var text = Gen.Elements("a", "b7", "ä", "客", "😀", " ", "/", "%", "x").NonEmptyListOf().Select(string.Concat);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2_000).WithReplay(5, 7), Prop.ForAll(Arb.From(text),
            Arb.From(Gen.Choose(1, 500)), (customer, partitions) =>
        {
            var ids = new ShardIds(new RoutingNode
            {
                Shards = new ScriptedShards(),
                Feed = new ScriptedFeed(),
                Directory = new ShardDirectory(partitions),
                Owners = _owners,
                Options = new RoutingOptions(),
                Metrics = _metrics,
                Self = A,
                Clock = () => default,
            });
            // As Shard.Admit asks it of an event's customer.
            var partition = partitions == 1 ? 0 : Murmur2.Partition(Encoding.UTF8.GetBytes(customer), partitions);
            var message = new ReadAsk(new ReadRequest { Customer = customer });
            Assert.Equal($"{partition}", ids.ShardId(message));
            Assert.Equal($"{partition}", ids.ShardId(customer, null));
            Assert.Equal(customer, ids.EntityId(message));
            Assert.Same(message, ids.EntityMessage(message));
        }));
    }

    private void Tell(Address node, long sequence, params (int Partition, long Since)[] owned) => _owners.Apply(
        new Announcement(node, 1, sequence, [.. owned.Select(o => KeyValuePair.Create(o.Partition, o.Since))]));
}
