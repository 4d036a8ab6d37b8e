using StreamEngine.Connectors;
using StreamEngine.Runtime;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>
/// Where standbys belong, by cases as a broker's group has shared them out (members are put in order by the broker's ids, which begin with
/// the instance id).
/// </summary>
public sealed class StandbyPlanTests
{
    [Theory]
    // a's 3, 2, 1 go to the member with the fewest, the smallest id first: b, c, b.
    [InlineData("a: 1 2 3; b: 4 5 6; c: 7 8 9", 1, "a: 4 6 7 9; b: 1 3 8; c: 2 5")]
    // c has fewer and comes first, until it has caught up.
    [InlineData("a: 0 1 2 3; b: 4 5 6; c: 7", 1, "a:; b: 1 7; c: 0 2 3 4 5 6")]
    // A node's workers are members of their own, and die together.
    [InlineData("a: 0 1 2; b: 3 4 5; c-0: 6 7 8; c-1: 9 10 11", 1, "a: 5 7 9 11; b: 2 6 8 10; c: 0 1 3 4")]
    [InlineData("a: 0 1; b: 2 3", 1, "a: 2 3; b: 0 1")]
    [InlineData("a: 0 1 2 3", 1, "a:")]
    // The second is where the shard goes when the first one's node is gone too.
    [InlineData("a: 1 2 3; b: 4 5 6; c: 7 8 9", 2, "a: 4 5 6 7 8 9; b: 1 2 3 7 8 9; c: 1 2 3 4 5 6")]
    [InlineData("a: 3; b: 2; c: 1; d: 0", 2, "a: 0 1 2; b: 3; c: 0 3; d: 1 2")]
    [InlineData("a: 0; b: 1", 5, "a: 1; b: 0")]
    public void A_standby_is_where_the_group_would_move_the_shard(string group, int standbys, string expected)
    {
        var members = group.Split(';', StringSplitOptions.TrimEntries).Select(Member).ToList();
        Assert.Equal(expected,
            string.Join("; ", members.Select(StandbyPlan.NodeOf).Distinct()
            .Select(node =>
            $"{node["shop-".Length..]}: {string.Join(' ', StandbyPlan.For(node, members, "events", standbys))}".TrimEnd())));
    }

    [Fact]
    public void A_member_without_an_instance_id_is_a_node_of_its_own()
    {
        GroupMember[] members = [new("m-1", null, [new("events", 0)]), new("m-2", null, [new("events", 1)])];
        Assert.Equal("m-1", StandbyPlan.NodeOf(members[0]));
        Assert.Equal([1], StandbyPlan.For("m-1", members, "events", 1));
    }

    [Fact]
    public void Other_topics_of_the_group_do_not_count()
    {
        GroupMember[] members = [new("1", "shop-a-0", [new("events", 0), new("mail", 7)]), new("2", "shop-b-0", [new("events", 1)])];
        Assert.Equal([0], StandbyPlan.For("shop-b", members, "events", 1));
    }

    /// <summary><c>c-1: 9 10</c> is worker 1 of node shop-c.</summary>
    private static GroupMember Member(string text)
    {
        var (name, partitions) = (text.Split(':')[0], text.Split(':')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var instance = $"shop-{(name.Contains('-') ? name : name + "-0")}";
        return new GroupMember($"{instance}-5ad1", instance, [.. partitions.Select(p => new TopicPartition("events", int.Parse(p)))]);
    }
}
