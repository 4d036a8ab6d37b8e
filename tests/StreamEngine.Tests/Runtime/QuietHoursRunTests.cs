using Avro.Generic;
using StreamEngine.Decisions;
using StreamEngine.Features;
using StreamEngine.Runtime.Catalogue;
using StreamEngine.Testing;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>Quiet hours in a running shard: the customer's zone out of the profile, the record, the counters.</summary>
public sealed class QuietHoursRunTests
{
    private static readonly ApacheAvro Decisions = ApacheAvro.Of("decision");

    /// <summary>
    /// A cart tells the customer's zone; the timer of the same cart, 20 minutes later, has no event to read it from.
    /// </summary>
    [Theory]
    [InlineData("Asia/Tokyo", "d", "", 0)] // 09:20 there
    [InlineData("America/Argentina/Buenos_Aires", "", "quiet_hours:night", 0)] // 21:20 of the day before
    [InlineData("", "", "quiet_hours:night", 1)] // otherwise: London, 00:20
    public void A_timers_decision_goes_by_the_zone_that_the_profile_keeps(string zone, string chosen, string drop, long unknown)
    {
        var scenario = Scenario.Options();
        var options = scenario with
        {
            Features = [new FeatureOptions { Name = "zone", Op = FeatureOperator.Last, Of = "event.placement" }],
            Timers = [scenario.Timers[0]],
            Models = [],
            Offers = [new OfferOptions { Name = "d", Channel = "email" }],
            Decisions = new DecisionOptions
            {
                Triggers = [scenario.Decisions.Triggers[1]],
                QuietHours =
                [
                    new QuietHoursOptions
                    {
                        Name = "night",
                        From = "21:00",
                        To = "08:00",
                        TimeZone = "features.zone",
                        Otherwise = "Europe/London",
                    },
                ],
            },
        };
        using var engine = Scenario.Compile(options, new LinearModels(1));
        Assert.Contains(FeatureCatalogue.Of(engine).Single().ReadBy, u => u == new FeatureUse("quiet_hours", "night", "time_zone"));
        using var driver = new ShardDriver(engine);
        foreach (var (type, at) in new[] { ("cart_add", Scenario.Start), ("search", Scenario.Start + 3_600_000) })
            driver.Add("c", $$"""
                {"id":"{{at}}","customer":"c","type":"{{type}}","time":{{at}},"value":0,"placement":"{{zone}}","consent":[]}
                """, at);
        driver.Process();
        var decision = Decisions.Record(Assert.Single(driver.Outputs, o => o.Topic == "decisions").Value.AsSpan(5));
        Assert.Equal((drop.Length == 0 ? "served" : "no_offer", "timer"), (decision.Text("outcome"), decision.Text("origin")));
        var candidate = (GenericRecord)((object[])decision["candidates"]!).Single();
        Assert.Equal(drop, candidate["drop"]);
        Assert.Equal(chosen, drop.Length == 0 ? (string)((GenericRecord)decision["chosen"]!)["offer"]! : "");
        Assert.Equal((unknown, drop.Length == 0 ? 0 : 1),
            (driver.Shard.Counters.ZonesUnknown, driver.Shard.Counters.Drops[(int)DropReason.QuietHours]));
    }
}
