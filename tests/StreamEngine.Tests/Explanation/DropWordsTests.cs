using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Host.Explanation;
using Xunit;

namespace StreamEngine.Tests.Explanation;

/// <summary>What drop reasons mean, in words.</summary>
public sealed class DropWordsTests
{
    public static TheoryData<DropReason> Reasons => [.. Enum.GetValues<DropReason>()];

    /// <summary>A new reason needs words of its own.</summary>
    [Theory]
    [MemberData(nameof(Reasons))]
    public void Every_reason_has_a_stage_and_a_sentence(DropReason reason)
    {
        var spelled = reason == DropReason.None ? "" : Spelling.Snake(reason.ToString());
        var (stage, why) = DropWords.Of(spelled, null, null);
        Assert.NotEqual("The record gives this reason.", why);
        Assert.NotEmpty(stage);
        Assert.EndsWith(".", why, StringComparison.Ordinal);
    }

    [Fact]
    public void Contact_limits_are_told_with_their_numbers()
    {
        var decisions = new DecisionOptions
        {
            Caps = [new CapOptions { Name = "mails", Per = LimitScope.Channel, Max = 2, Window = TimeSpan.FromDays(1) }],
            QuietHours = [new QuietHoursOptions { Name = "night", From = "21:00", To = "08:00" }],
            Suppressions = [new SuppressionOptions { Name = "tired", Outcome = OutcomeKind.Reject, After = 3 }],
        };
        Assert.Equal(("contact policy", "The cap 'mails' on the offers of its channel is reached: 2 within 1 d."),
            DropWords.Of("channel_cap:mails", null, decisions));
        Assert.Equal(("contact policy", "It rests by 'tired': 3 of the outcome reject within 30 d, and 14 d off."),
            DropWords.Of("suppressed:tired", null, decisions));
        Assert.Equal(("contact policy", "Its channel is quiet by 'night': from 21:00 to 08:00 by the customer's clock."),
            DropWords.Of("quiet_hours:night", null, decisions));
        Assert.Equal("It rests by 'tired', since too many outcomes came.", DropWords.Of("suppressed:tired", null, null).Why);
    }
}
