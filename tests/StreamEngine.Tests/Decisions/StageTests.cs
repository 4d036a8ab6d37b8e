using StreamEngine.Decisions;
using Xunit;

namespace StreamEngine.Tests.Decisions;

/// <summary>The funnel as a list of stages.</summary>
public sealed class StageTests
{
    [Fact]
    public void Every_reason_belongs_to_exactly_one_stage()
    {
        var reasons = new Shop([Shop.Offer("a")]).Funnel.Stages.SelectMany(s => s.Reasons);
        Assert.Equal(Enum.GetValues<DropReason>().Where(r => r != DropReason.None), reasons.Order());
    }

    [Fact]
    public void A_stage_that_has_ended_the_decision_is_the_last_one_asked()
    {
        // Without consent neither caps nor factors may be looked at: nothing of the candidates is kept.
        var shop = new Shop([Shop.Offer("a") with { Value = "1.0 / 0.0" }], new DecisionOptions { Purpose = "ads" });
        shop.Context.Consent = 0;
        var d = shop.Decide();
        Assert.Equal((DropReason.NoConsent, PropensitySource.None, 0, 0.0), (d.Drop[0], d.Source[0], d.Ranked, d.V[0]));
    }
}
