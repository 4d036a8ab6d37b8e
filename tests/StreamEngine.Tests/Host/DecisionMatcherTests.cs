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

    [Fact]
    public void What_stays_alone_is_told_before_the_pairs_of_later_causes()
    {
        _matcher.Take(0, Decision("a1", cause: 1, at: 1));
        Pair(0);
        Pair(2);
        _matcher.EndStep(long.MaxValue, long.MaxValue);
        Assert.Equal(["a0 b0"], _found);
        Pair(3);
        _matcher.EndStep(long.MaxValue, long.MaxValue);
        Assert.Equal(["a0 b0", "a1 -", "a2 b2", "a3 b3"], _found);

        void Pair(int cause)
        {
            _matcher.Take(0, Decision($"a{cause}", cause: cause, at: cause));
            _matcher.Take(1, Decision($"b{cause}", cause: cause, at: cause));
        }
    }

    [Fact]
    public void A_timers_decision_waits_until_the_other_watermark_has_passed_its_time()
    {
        _matcher.Take(0, Decision("a1", cause: 1, at: 7));
        _matcher.Take(0, Decision("a2", cause: 2, at: 8));
        _matcher.Take(0, Decision("a3", offset: 3, cause: 3, at: 9)); // an event's: both have read it
        for (var step = 0; step < 5; step++) _matcher.EndStep(a: 100, b: 7);
        Assert.Empty(_found); // as the later causes wait for the earlier ones
        _matcher.Take(1, Decision("b1", cause: 900, at: 7));
        _matcher.EndStep(a: 100, b: 8);
        Assert.Equal(["a1 b1"], _found);
        _matcher.EndStep(a: 100, b: 9);
        Assert.Equal(["a1 b1", "a2 -", "a3 -"], _found);
    }

    [Fact]
    public void A_replay_that_lags_without_end_makes_no_more_wait_than_the_bound()
    {
        for (var i = 0; i <= DecisionMatcher.MostHeld; i++) _matcher.Take(0, Decision("a", cause: i, at: i));
        _matcher.EndStep(long.MaxValue, long.MinValue);
        Assert.Empty(_found);
        _matcher.EndStep(long.MaxValue, long.MinValue);
        Assert.Equal(DecisionMatcher.MostHeld + 1, _found.Count);
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
