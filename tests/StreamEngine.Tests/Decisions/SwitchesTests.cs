using System.Text;
using Avro.Generic;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Inference;
using StreamEngine.Testing;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Decisions;

/// <summary>What is switched off, from the record in the control topic to the decision and its mark in the log.</summary>
public sealed class SwitchesTests
{
    private static readonly SwitchTarget Best = new(SwitchKind.Offer, "best");

    [Fact]
    public void An_offer_that_is_off_is_dropped_before_it_is_looked_at()
    {
        var shop = new Shop([Shop.Offer("best", "10.0") with { Placements = ["nowhere"] }, Shop.Offer("next")]) { Off = { Best } };
        var d = shop.Decide();
        Assert.Equal((Outcome.Served, "next"), (d.Outcome, shop.Chosen));
        Assert.Equal((DropReason.SwitchedOff, 0, 0.0), (d.Drop[0], d.Rank[0], d.P[0]));
        shop.Off.Clear();
        Assert.Equal(DropReason.Placement, shop.Decide().Drop[0]);
    }

    [Fact]
    public void A_channel_takes_its_offers_with_it_and_others_stay()
    {
        var shop = new Shop([Shop.Offer("best", "10.0"), Shop.Offer("next", "5.0"), Shop.Offer("letter") with { Channel = "post" }])
        {
            Off = { new SwitchTarget(SwitchKind.Channel, "onsite") }
        };
        shop.Decide();
        Assert.Equal("letter", shop.Chosen);
        Assert.Equal([DropReason.SwitchedOff, DropReason.SwitchedOff, DropReason.None], shop.Result.Drop);
        shop.Off.Add(new SwitchTarget(SwitchKind.Offer, "letter"));
        Assert.Equal((Outcome.NoOffer, -1), (shop.Decide().Outcome, shop.Result.Chosen));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_default_offer_obeys_too(bool coldStart)
    {
        var offers = new[] { Shop.Offer("best") with { Eligible = "false" }, Shop.Offer("stand-in") with { Suitable = "false" } };
        var shop = new Shop(offers, new DecisionOptions { DefaultOffer = "stand-in" });
        Assert.Equal(("stand-in", true), (Chosen(), shop.Result.IsDefault));
        shop.Off.Add(new SwitchTarget(SwitchKind.Offer, "stand-in"));
        Assert.Equal(("", Outcome.NoOffer, DropReason.SwitchedOff), (Chosen(), shop.Result.Outcome, shop.Result.Drop[1]));

        string Chosen()
        {
            shop.Decide(coldStart: coldStart);
            return shop.Chosen;
        }
    }

    [Fact]
    public void With_everything_off_nothing_is_served_and_the_outcome_says_so()
    {
        var options = new DecisionOptions { DefaultOffer = "stand-in", Holdout = new HoldoutOptions { Share = 1 }, Purpose = "ads" };
        var shop = new Shop([Shop.Offer("best"), Shop.Offer("stand-in")], options) { Off = { SwitchTarget.All } };
        var d = shop.Decide(coldStart: true);
        Assert.Equal((Outcome.SwitchedOff, -1, false), (d.Outcome, d.Chosen, d.IsDefault));
        Assert.All(d.Drop, drop => Assert.Equal(DropReason.SwitchedOff, drop));
        Assert.All(d.Rank, rank => Assert.Equal(0, rank));
        shop.Context.Consent = 0;
        Assert.Equal(Outcome.NoConsent, shop.Decide().Outcome);
    }

    [Fact]
    public void A_model_that_is_off_is_not_run_and_its_offers_take_their_default()
    {
        using var model = new LinearModel("clicks", ["views"], ("p", [0.01f, 0.5f]));
        using var other = new LinearModel("buys", ["views"], ("p", [0.01f, 0.2f]));
        var shop = new Shop([Of("best", "clicks"), Of("next", "buys")], null, model, other);
        shop.Decide();
        Assert.Equal((0.53, PropensitySource.Model, ScoreFault.None),
            (Math.Round(shop.Result.P[0], 5), shop.Result.Source[0], shop.Result.Fault[0]));
        var switches = new Switches(shop.Policy, [new SwitchTarget(SwitchKind.Model, "clicks")], 1);
        model.Runs.Clear();
        other.Runs.Clear();
        shop.Scorer.Score(shop.Context.Features, Shop.Features.Length, 1, switches.ModelsOff);
        shop.Funnel.Decide(shop.Request(), shop.Context, shop.Scorer, 0, shop.Profile, switches, shop.Result);
        Assert.Equal((0, 1), (model.Runs.Count, other.Runs.Count));
        Assert.Equal((0.07, PropensitySource.Fallback, ScoreFault.SwitchedOff),
            (shop.Result.P[0], shop.Result.Source[0], shop.Result.Fault[0]));
        Assert.Equal(PropensitySource.Model, shop.Result.Source[1]);
        Assert.Equal("next", shop.Chosen);

        static OfferOptions Of(string name, string model) =>
            Shop.Offer(name) with { Propensity = new PropensityOptions { Model = model, Default = 0.07 } };
    }

    [Fact]
    public void Deciding_with_and_without_switches_allocates_nothing()
    {
        var shop = new Shop([Shop.Offer("best"), Shop.Offer("next")]);
        foreach (var switches in new[] { shop.Policy.AllOn, new(shop.Policy, [Best], 1), new(shop.Policy, [SwitchTarget.All], 1) })
        {
            shop.Scorer.Score(shop.Context.Features, Shop.Features.Length, 1, switches.ModelsOff);
            var request = shop.Request();
            Assert.Equal(0, Allocations.Least(() =>
            {
                for (var i = 0; i < 1_000; i++)
                    shop.Funnel.Decide(request, shop.Context, shop.Scorer, 0, shop.Profile, switches, shop.Result);
            }));
        }
    }

    [Fact]
    public void A_snapshot_has_what_the_policy_has_and_reads_back()
    {
        var policy = new Shop([Shop.Offer("best"), Shop.Offer("zwölf €")]).Policy;
        SwitchTarget[] off = [new(SwitchKind.Offer, "zwölf €"), new(SwitchKind.Offer, "gone"), SwitchTarget.All,
            new(SwitchKind.Model, "none"), new(SwitchKind.Channel, "onsite")];
        var switches = new Switches(policy, off, 7);
        Assert.Equal(["all", "offer:zwölf €", "channel:onsite"], switches.Off.Select(t => t.ToString()));
        var again = Switches.Logged(policy, switches.Encoded, 7);
        Assert.True(again.Same(switches));
        Assert.Equal((7L, true, true), (again.Version, again.All, again.IsOff(0)));
        Assert.False(again.Same(policy.AllOn));
        Assert.True(Switches.Logged(policy, default, -1).Same(policy.AllOn));
        // What a config lost meanwhile is left out.
        Assert.Equal(["all", "channel:onsite"],
            Switches.Logged(new Shop([Shop.Offer("best")]).Policy, switches.Encoded, 7).Off.Select(t => t.ToString()));
    }

    [Fact]
    public void The_mark_reads_back_by_its_schema_and_for_recovery()
    {
        var shop = new Shop([Shop.Offer("best"), Shop.Offer("next")]);
        var output = new OutputBuffer();
        var writer = new DecisionRecordWriter("shop", ["events", "mails"], shop.Policy, "c0ffee");
        var switches = new Switches(shop.Policy, [Best, new(SwitchKind.Channel, "onsite")], 42);
        writer.WriteSwitches(output, 0, 1, 3, 77, 2, at: 9_000, watermark: 8_500, switches);
        writer.WriteSwitches(output, 0, 1, 3, 77, 3, at: 9_000, watermark: 8_500, shop.Policy.AllOn);
        writer.WriteWatermark(output, 0, 1, 3, 77, 4, 9_000, 8_500);
        var schema = ApacheAvro.Of("decision");
        var read = schema.Record(output.Value(0)[5..]);
        Assert.Equal(("switches", "none", "shop/mails/3/77/2"), (read.Text("kind"), read.Text("outcome"), (string)read["decision_id"]!));
        var told = (GenericRecord)read["switches"]!;
        Assert.Equal(42L, told["version"]);
        Assert.Equal(["offer:best", "channel:onsite"], ((object[])told["off"]!).Cast<string>());
        Assert.Empty((object[])((GenericRecord)schema.Record(output.Value(1)[5..])["switches"]!)["off"]!);
        Assert.Null(schema.Record(output.Value(2)[5..])["switches"]);

        var d = default(LoggedDecision);
        Assert.True(LoggedDecision.TryParse(output.Value(0), ref d), d.Error);
        Assert.Equal((DecisionKind.Switches, 77, 2, 42), (d.Kind, d.Offset, d.Ordinal, d.SwitchVersion));
        Assert.True(Switches.Logged(shop.Policy, d.SwitchedOff.Of(output.Value(0)), d.SwitchVersion).Same(switches));
        var whole = output.Value(0).ToArray();
        // Earlier versions that knew switches ended before the assignments, the probabilities, and the three fields behind them.
        for (var length = 0; length < whole.Length; length++)
            Assert.Equal(whole.Length - length is >= 3 and <= 5, LoggedDecision.TryParse(whole.AsSpan(0, length), ref d));
    }

    [Fact]
    public void A_record_of_the_version_before_reads_as_it_was_written()
    {
        var shop = new Shop([Shop.Offer("best")]);
        shop.Decide();
        var output = new OutputBuffer();
        new DecisionRecordWriter("shop", ["events"], shop.Policy, "c0ffee").Write(output, 0, shop.Request(), shop.Result, [1, 2]);
        var now = output.Value(0).ToArray();
        var before = now[..^6]; // it ended before what is switched off and the five fields behind that
        var d = default(LoggedDecision);
        Assert.True(LoggedDecision.TryParse(before, ref d), d.Error);
        before[4] = OutputSchemas.DecisionWithoutSwitches;
        Assert.True(LoggedDecision.TryParse(before, ref d), d.Error);
        before[1] = 77; // a registry's id
        Assert.True(LoggedDecision.TryParse(before, ref d), d.Error);
        var old = new ApacheAvro(OutputSchemas.Text("decision-2"), OutputSchemas.Text("decision")).Record(before.AsSpan(5));
        Assert.Equal(("best", null), ((string)((GenericRecord)old["chosen"]!)["offer"]!, old["switches"]));
    }

    [Theory]
    [InlineData("all", SwitchKind.All, "")]
    [InlineData("offer:a:b", SwitchKind.Offer, "a:b")]
    [InlineData("channel:e-mail", SwitchKind.Channel, "e-mail")]
    [InlineData("model:churn", SwitchKind.Model, "churn")]
    public void A_target_is_read_and_written(string text, SwitchKind kind, string name)
    {
        Assert.True(SwitchTarget.TryParse(text, out var target));
        Assert.Equal((kind, name, text), (target.Kind, target.Name, target.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("All")]
    [InlineData("club")]
    [InlineData("offer:")]
    [InlineData("all:x")]
    [InlineData("brand:x")]
    public void Nothing_else_is_a_target(string text) => Assert.False(SwitchTarget.TryParse(text, out _));

    [Fact]
    public void A_record_says_who_when_and_why_and_a_tombstone_means_on()
    {
        var at = new DateTimeOffset(2026, 11, 29, 15, 4, 5, 678, TimeSpan.Zero);
        var record = new SwitchRecord(Best, 5, true, "ann", "price is wrong", at);
        Assert.Equal("""{"off":true,"by":"ann","reason":"price is wrong","at":"2026-11-29T15:04:05.678+00:00"}""",
            Encoding.UTF8.GetString(record.Value()));
        Assert.Equal(record, SwitchRecord.Read(record.Key(), record.Value(), 5, 1, out var fault));
        Assert.Null(fault);
        Assert.Equal((false, 9_000L), SwitchRecord.Read("all"u8, default, 6, 9_000, out _) is { } on
            ? (on.Off, on.At.ToUnixTimeMilliseconds()) : default);
        Assert.Equal((true, "", 9_000L), SwitchRecord.Read("all"u8, """{"off":true,"ticket":7}"""u8, 6, 9_000, out _) is { } off
            ? (off.Off, off.By, off.At.ToUnixTimeMilliseconds()) : default);
    }

    [Theory]
    [InlineData("club", """{"off":true}""", "its key is none of all, offer:NAME")]
    [InlineData("all", "off", "its value is no such JSON")]
    [InlineData("all", """{"off":"yes"}""", "its value is no such JSON")]
    [InlineData("all", """{"on":true}""", "its value does not say \"off\"")]
    [InlineData("all", "null", "its value does not say \"off\"")]
    public void What_is_no_switch_is_told(string key, string value, string expected)
    {
        Assert.Null(SwitchRecord.Read(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(value), 1, 1, out var fault));
        Assert.StartsWith(expected, fault);
    }
}
