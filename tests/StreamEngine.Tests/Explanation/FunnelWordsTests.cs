using StreamEngine.Host.Explanation;
using Xunit;

namespace StreamEngine.Tests.Explanation;

/// <summary>What opened a decision, in words.</summary>
public sealed class FunnelWordsTests
{
    /// <summary>The record of a decision that is made anew does not say which of the two it was.</summary>
    [Fact]
    public void A_timers_decision_may_be_one_that_waited_for_the_end_of_quiet_hours() =>
        Assert.Equal("A timer, or the end of quiet hours, opened it by trigger 'view' for placement 'inbox', before events[1], offset 7.",
            FunnelWords.Of(new ExplainedDecision
            {
                DecisionId = "shop/events/1/7/0",
                Customer = "c",
                Outcome = "no_consent",
                Why = [],
                DecidedAt = "",
                EventTime = "",
                Origin = "timer",
                Trigger = "view",
                Placement = "inbox",
                Cause = new ExplainedCause("", "events", 1, 7, 0),
                Chosen = null,
                SelectionProbability = 1,
                Candidates = [],
                Features = [],
                Models = [],
                Assignments = [],
                ConfigHash = "",
                ConfigIsSame = false,
                Record = null,
            }, null).First());
}
