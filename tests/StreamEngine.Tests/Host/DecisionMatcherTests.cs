using StreamEngine.Decisions;
using StreamEngine.Host.Replay.Comparison;
using Xunit;

namespace StreamEngine.Tests.Host;

public sealed class DecisionMatcherTests
{
    private readonly List<string> _found = [];
    private readonly DecisionMatcher _matcher;

    public DecisionMatcherTests() => _matcher = new DecisionMatcher(p => _found.Add($"{p.A?.Id ?? "-"} {p.B?.Id ?? "-"}"));

    [Fact]
    public void What_the_same_thing_opened_is_a_pair_whatever_the_ids()
    {
        _matcher.Take(0, Decision("a0", offset: 3, trigger: "view"));
        _matcher.Take(0, Decision("a1", offset: 3, trigger: "cart"));
        _matcher.Take(1, Decision("b0", offset: 3, trigger: "cart"));
        _matcher.EndStep(long.MaxValue, long.MaxValue);
        _matcher.End();
        Assert.Equal(["a1 b0", "a0 -"], _found);
    }

    [Theory]
    [InlineData("c2", "view", "web", 7)]
    [InlineData("c1", "cart", "web", 7)]
    [InlineData("c1", "view", "mail", 7)]
    [InlineData("c1", "view", "web", 8)]
    public void Another_customer_trigger_placement_or_time_is_another_opening(string customer, string trigger, string placement, long at)
    {
        _matcher.Take(0, Decision("a"));
        _matcher.Take(1, Decision("b", customer: customer, trigger: trigger, placement: placement, at: at));
        _matcher.End();
        Assert.Equal(["a -", "- b"], _found);
    }

    [Fact]
    public void A_counterpart_may_come_a_step_later_and_no_later()
    {
        _matcher.Take(0, Decision("a1", at: 1));
        _matcher.Take(1, Decision("b2", at: 2));
        _matcher.EndStep(long.MaxValue, long.MaxValue);
        Assert.Empty(_found);
        _matcher.Take(1, Decision("b1", at: 1));
        _matcher.EndStep(long.MaxValue, long.MaxValue);
        Assert.Equal(["- b2", "a1 b1"], _found.Order(StringComparer.Ordinal));
        _matcher.Take(0, Decision("a2", at: 2));
        _matcher.End();
        Assert.Equal("a2 -", _found[^1]);
    }

    [Fact]
    public void What_is_the_same_in_all_goes_by_its_order()
    {
        foreach (var id in new[] { "a0", "a1" }) _matcher.Take(0, Decision(id));
        foreach (var id in new[] { "b0", "b1" }) _matcher.Take(1, Decision(id));
        _matcher.EndStep(long.MaxValue, long.MaxValue);
        _matcher.Take(0, Decision("a2"));
        _matcher.Take(1, Decision("b2"));
        _matcher.EndStep(long.MaxValue, long.MaxValue);
        Assert.Equal(["a0 b0", "a1 b1", "a2 b2"], _found);
    }

    [Fact]
    public void A_repeat_in_a_later_step_takes_the_place_of_one_that_stayed_alone()
    {
        _matcher.Take(0, Decision("a0"));
        _matcher.EndStep(long.MaxValue, long.MaxValue);
        _matcher.Take(0, Decision("a1"));
        _matcher.Take(1, Decision("b0"));
        _matcher.End();
        Assert.Equal(["a0 -", "a1 b0"], _found);
    }

    [Fact]
    public void Pairs_are_told_in_the_order_of_their_causes()
    {
        foreach (var (id, cause) in new[] { ("a2", 2), ("a0", 0), ("a1", 1) }) _matcher.Take(0, Decision(id, cause: cause, at: cause));
        foreach (var (id, cause) in new[] { ("b1", 1), ("b2", 2) }) _matcher.Take(1, Decision(id, cause: cause, at: cause));
        _matcher.End();
        Assert.Equal(["a0 -", "a1 b1", "a2 b2"], _found);
    }

    private static ComparedDecision Decision(string id, long offset = -1, string trigger = "view", string placement = "web",
        string customer = "c1", long at = 7, long cause = 0) => new()
        {
            Opening = new Opening(offset, trigger, placement, customer, at),
            Id = id,
            Cause = cause,
            Outcome = Outcome.Served,
            Offer = "club",
            Treatment = "",
            Channel = "default",
            Priority = 1,
            ExpectedValue = 1,
        };
}
