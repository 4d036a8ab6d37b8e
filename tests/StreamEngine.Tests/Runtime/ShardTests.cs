using System.Text;
using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.Runtime;
using StreamEngine.Testing;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Runtime;

public sealed class ShardTests : IDisposable
{
    private static readonly ApacheAvro DeadLetterSchema = ApacheAvro.Of("dead-letter");
    private readonly ManualTime _time = new(DateTimeOffset.FromUnixTimeMilliseconds(Scenario.Start));
    private readonly CompiledEngine _engine;
    private readonly ShardDriver _driver;

    public ShardTests()
    {
        var options = Scenario.Options();
        options = options with
        {
            Time = options.Time with
            {
                MaxFuture = TimeSpan.FromHours(1),
                IdleAfter = TimeSpan.FromSeconds(30),
                Earliest = DateTimeOffset.FromUnixTimeMilliseconds(Scenario.Start).AddDays(-1)
            },
            Events = [options.Events[0] with { Requires = ["personalization"] }],
            Runtime = options.Runtime with { MaxRecordBytes = new(2_000) },
            Decisions = options.Decisions with { Holdout = null },
        };
        _engine = Scenario.Compile(options, new LinearModels(1));
        _driver = new ShardDriver(_engine, time: _time);
    }

    public void Dispose()
    {
        _driver.Dispose();
        _engine.Dispose();
    }

    [Fact]
    public void A_topic_that_is_read_ahead_makes_the_other_one_late_only_when_that_is_silent()
    {
        var time = new ManualTime(DateTimeOffset.FromUnixTimeMilliseconds(Scenario.Start).AddDays(2));
        using var engine = Scenario.Compile(Scenario.Options(twoSources: true), new LinearModels(1));
        using var driver = new ShardDriver(engine, time: time);
        for (var i = 0; i < 100; i++) driver.Add("c", Event($"s{i}", "search", Scenario.Start + i * 600_000), 0, source: 0);
        driver.Process();
        for (var i = 0; i < 50; i++) driver.Add("c", Event($"m{i}", "search", Scenario.Start + i * 600_000), 0, source: 1);
        driver.Process();
        Assert.Equal(150, driver.Shard.Counters.Admitted);
        Assert.Equal(Scenario.Start + 49 * 600_000, driver.Shard.Counters.Watermark);

        // One that brings nothing more holds the watermark back for so long only; a restore learns of it from the log.
        time.Advance(TimeSpan.FromSeconds(3));
        driver.Add("c", Event("s100", "search", Scenario.Start + 60_000_000), 0, source: 0).Process();
        driver.AdvanceIdle();
        Assert.Equal(Scenario.Start + 49 * 600_000, driver.Shard.Counters.Watermark);
        time.Advance(TimeSpan.FromSeconds(3));
        driver.AdvanceIdle();
        Assert.Equal(Scenario.Start + 60_000_000, driver.Shard.Counters.Watermark);
        Assert.Contains(driver.Outputs, o => o.Topic == "decisions" && Parse(o.Value).Kind == DecisionKind.Watermark
            && Parse(o.Value).Watermark == Scenario.Start + 60_000_000);
    }

    [Fact]
    public void A_withdrawal_that_is_rejected_for_want_of_consent_stops_the_timers_decision()
    {
        Pipe(Event("a", "cart_add", Scenario.Start, value: "9.00"));
        Pipe(Event("b", "search", Scenario.Start + 5).Replace("\"personalization\"", ""));
        Pipe(Event("d", "search", Scenario.Start + 1_200_005, customer: "other"));
        var decision = Parse(_driver.Outputs.Last(o => o.Topic == "decisions").Value);
        Assert.Equal(Outcome.NoConsent, decision.Outcome);
        Assert.DoesNotContain(_driver.Outputs, o => o.Topic == "actions");
        Assert.Equal(1, _driver.Shard.Counters.Rejected[(int)RejectReason.NoConsent]);
    }

    [Fact]
    public void A_late_event_does_not_bring_back_a_consent_that_was_withdrawn_since()
    {
        Pipe(Event("a", "search", Scenario.Start));
        Pipe(Event("b", "search", Scenario.Start + 60_000).Replace("\"personalization\"", ""));
        Pipe(Event("c", "page_view", Scenario.Start + 30_000, placement: "home"));
        Assert.Equal(Outcome.NoConsent, Parse(_driver.Outputs.Last(o => o.Topic == "decisions").Value).Outcome);
    }

    [Fact]
    public void Without_consent_there_is_no_profile()
    {
        Pipe(Event("a", "search", Scenario.Start).Replace("\"personalization\"", ""));
        Assert.Equal(0, _driver.Shard.Profiles);
    }

    [Fact]
    public void Without_features_a_decision_still_has_its_time_and_its_consent()
    {
        var options = Scenario.Options();
        options = options with
        {
            Features = [],
            Models = [],
            Offers = [new OfferOptions { Name = "a", Value = "1.0", Propensity = new PropensityOptions { Default = 0.5 } }],
            Decisions = options.Decisions with
            {
                Holdout = null,
                Caps = [new CapOptions { Name = "daily", Per = LimitScope.Customer, Max = 1, Window = TimeSpan.FromDays(1) }]
            },
        };
        using var engine = Scenario.Compile(options, new LinearModels(1));
        using var driver = new ShardDriver(engine, time: _time);
        foreach (var day in new[] { 0, 4, 8 })
            driver.Add("c", Event($"e{day}", "page_view", Scenario.Start + day * 86_400_000L, placement: "home"), 0).Process();
        driver.Add("c", Event("cart", "cart_add", Scenario.Start + 12 * 86_400_000L), 0);
        driver.Add("c", Event("end", "search", Scenario.Start + 14 * 86_400_000L, customer: "other"), 0).Process();
        var decisions = driver.Outputs.Where(o => o.Topic == "decisions").Select(o => Parse(o.Value)).ToList();
        // The views' decisions, by the time they were made: a cap of a day is over after four.
        var views = decisions.Where(d => (d.DecidedAt - Scenario.Start) % (4 * 86_400_000L) == 0).ToList();
        Assert.Equal([Outcome.Served, Outcome.Served, Outcome.Served], views.Select(d => d.Outcome));
        Assert.DoesNotContain(decisions, d => d.Outcome == Outcome.NoConsent);
    }

    [Theory]
    [InlineData("""{"id":""", "malformed")]
    [InlineData("""{"id":"x","customer":"c","type":"search","time":"soon","consent":["personalization"]}""", "wrong-type")]
    [InlineData("""{"id":"x","type":"search","time":T,"consent":["personalization"]}""", "missing-customer")]
    [InlineData("""{"customer":"c","type":"search","time":T,"consent":["personalization"]}""", "missing-id")]
    [InlineData("""{"id":"x","customer":"c","type":"search","consent":["personalization"]}""", "missing-time")]
    [InlineData("""{"id":"x","customer":"c","type":"search","time":9999999999999,"consent":["personalization"]}""", "future-time")]
    [InlineData("""{"id":"x","customer":"c","type":"search","time":1000,"consent":["personalization"]}""", "too-old")]
    [InlineData("""{"id":"x","customer":"c","type":"search","time":T,"consent":[]}""", "no-consent")]
    public void Record_ThatIsBad_GoesToTheDeadLetterWithItsReason(string json, string reason)
    {
        Pipe(json.Replace("T", Scenario.Start.ToString()));
        var letter = Assert.Single(_driver.Outputs, o => o.Topic == "dead-letter");
        var record = DeadLetterSchema.Record(letter.Value.AsSpan(5));
        Assert.Equal(reason, record["reason"]);
        Assert.Equal(0L, record["offset"]);
        Assert.Equal(0, _driver.Shard.Counters.Admitted);
    }

    [Theory]
    [InlineData("bad", RejectReason.Malformed)]
    [InlineData("late", RejectReason.Late)]
    [InlineData("long id", RejectReason.Oversized)]
    public void A_rejected_record_that_the_log_would_not_take_back_is_told_by_position_and_hash(string kind, RejectReason reason)
    {
        using var engine = Scenario.Compile(Scenario.Options(), new LinearModels(1));
        using var driver = new ShardDriver(engine, time: _time) { MaxOutputBytes = 10_000 };
        driver.Add("c", Event("first", "search", Scenario.Start + 86_400_000), 0);
        driver.Add("c", kind switch
        {
            "bad" => new string('{', 9_500),
            "late" => Event("x", "search", Scenario.Start, placement: new string('p', 9_500)),
            _ => Event(new string('i', 1_025), "search", Scenario.Start + 86_400_000, placement: new string('p', 9_500)),
        }, 0).Process();
        var letter = Assert.Single(driver.Outputs, o => o.Topic == "dead-letter");
        Assert.DoesNotContain(driver.Outputs, o => o.Topic == "late");
        Assert.InRange(letter.Value.Length, 1, 2_000);
        Assert.Equal(1, driver.Shard.Counters.Rejected[(int)reason]);
    }

    [Fact]
    public void Record_ThatIsTooLarge_GoesToTheDeadLetter()
    {
        Pipe(Event("x", "search", Scenario.Start, placement: new string('p', 3_000)));
        Assert.Equal(1, _driver.Shard.Counters.Rejected[(int)RejectReason.Oversized]);
    }

    [Fact]
    public void Record_WithBadUtf8_GoesToTheDeadLetter()
    {
        var bytes = Encoding.UTF8.GetBytes(Event("x", "search", Scenario.Start, placement: "?"));
        bytes[Array.IndexOf(bytes, (byte)'?')] = 0xFF;
        _driver.Add("c", bytes, Scenario.Start).Process();
        Assert.Equal(0, _driver.Shard.Counters.Admitted);
        Assert.Single(_driver.Outputs, o => o.Topic == "dead-letter");
    }

    [Fact]
    public void Record_FromTheFuture_IsNotedInTheDecisionLogAndLeavesTheWatermarkAlone()
    {
        Pipe(Event("a", "search", Scenario.Start));
        Pipe(Event("b", "search", Scenario.Start + 7_200_000));
        Pipe(Event("c", "search", Scenario.Start + 1));
        Assert.Equal(2, _driver.Shard.Counters.Admitted);
        Assert.Equal(DecisionKind.Refused, Logged().Kind);
    }

    [Fact]
    public void NegativeAmount_IsAReturnNotAnError()
    {
        Pipe(Event("a", "purchase", Scenario.Start, value: "50.00"));
        Pipe(Event("b", "purchase", Scenario.Start + 1, value: "-20.00"));
        Assert.Equal(30.0, _driver.Features("c", Scenario.Start + 1)[1]);
    }

    [Fact]
    public void RepeatedEvent_IsAppliedOnce()
    {
        Pipe(Event("a", "purchase", Scenario.Start, value: "50.00"));
        Pipe(Event("a", "purchase", Scenario.Start, value: "50.00"));
        Assert.Equal(50.0, _driver.Features("c", Scenario.Start)[1]);
        Assert.Equal(1, _driver.Shard.Counters.Rejected[(int)RejectReason.Duplicate]);
    }

    [Fact]
    public void AbandonedCart_OpensADecisionWhenTheWatermarkPasses_AndNotAfterAPurchase()
    {
        Pipe(Event("a", "cart_add", Scenario.Start, value: "9.00"));
        Pipe(Event("b", "search", Scenario.Start + 1_200_000, customer: "other"));
        Assert.Equal(0, _driver.Shard.Counters.TimersFired);
        Pipe(Event("d", "search", Scenario.Start + 1_200_001, customer: "other"));
        Assert.Equal(1, _driver.Shard.Counters.TimersFired);
        Assert.Equal("cart", Text(Logged().Trigger));

        Pipe(Event("e", "cart_add", Scenario.Start + 1_300_000, value: "9.00"));
        Pipe(Event("f", "purchase", Scenario.Start + 1_400_000, value: "9.00"));
        var fired = _driver.Shard.Counters.TimersFired;
        Pipe(Event("g", "search", Scenario.Start + 1_300_000 + 1_200_001, customer: "third"));
        Assert.Equal(fired, _driver.Shard.Counters.TimersFired);
    }

    [Fact]
    public void Timer_WaitsForEventsOfItsVeryTime()
    {
        Pipe(Event("a", "cart_add", Scenario.Start, value: "9.00"));
        Pipe(Event("b", "search", Scenario.Start + 1_200_000, customer: "other"));
        Pipe(Event("c", "purchase", Scenario.Start + 1_200_000, value: "9.00"));
        Pipe(Event("d", "search", Scenario.Start + 1_300_000, customer: "other"));
        Assert.Equal(0, _driver.Shard.Counters.TimersFired);
    }

    [Fact]
    public void IdlePartition_FollowsTheClock_AndLogsItBeforeTimersAct()
    {
        Pipe(Event("a", "cart_add", Scenario.Start, value: "9.00"));
        _time.Advance(TimeSpan.FromSeconds(29));
        _driver.AdvanceIdle();
        Assert.Empty(_driver.Outputs);
        _time.Advance(TimeSpan.FromMinutes(25));
        _driver.AdvanceIdle();
        var log = _driver.Outputs.Where(o => o.Topic == "decisions").Select(o => Parse(o.Value)).ToList();
        Assert.Equal([DecisionKind.Watermark, DecisionKind.Decision], log.Select(l => l.Kind));
        Assert.Equal([0, 1], log.Select(l => l.Ordinal));
        Assert.Equal(Scenario.Start + (29 + 1_500) * 1_000, log[0].Watermark);
    }

    [Fact]
    public void WithdrawnConsent_StopsATimersDecision()
    {
        using var engine = Scenario.Compile(Scenario.Options(), new LinearModels(1));
        using var driver = new ShardDriver(engine);
        driver.Add("c", Event("a", "cart_add", Scenario.Start, value: "9.00"), Scenario.Start);
        driver.Add("c", Event("b", "search", Scenario.Start + 5).Replace("\"personalization\"", ""), Scenario.Start);
        driver.Add("c", Event("d", "search", Scenario.Start + 1_200_005, customer: "other"), Scenario.Start).Process();
        var decision = Parse(driver.Outputs.Last(o => o.Topic == "decisions").Value);
        Assert.Equal(Outcome.NoConsent, decision.Outcome);
        Assert.DoesNotContain(driver.Outputs, o => o.Topic == "actions");
    }

    [Fact]
    public void Events_InSteadyState_AllocateNothing()
    {
        var events = Enumerable.Range(0, 40_000)
            .Select(i =>
            Encoding.UTF8.GetBytes(Event($"e{i}", i % 9 == 0 ? "page_view"
            : "search", Scenario.Start + i / 20, customer: $"c{i % 50}", placement: "home"))).ToList();
        var options = Scenario.Options() with { Duplicates = new DuplicateOptions { Horizon = TimeSpan.Zero } };
        using var engine = Scenario.Compile(options, new LinearModels(1));
        using var bench = new ShardBench(engine);
        bench.Run(events, 0, 30_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        bench.Run(events, 30_000, 10_000);
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 10_000.0, 0, 0.5);
    }

    private void Pipe(string json) => _driver.Add("c", json, Scenario.Start).Process();

    private LoggedDecision Logged() => Parse(_driver.Outputs.Last(o => o.Topic == "decisions").Value);

    private static LoggedDecision Parse(byte[] value)
    {
        var logged = default(LoggedDecision);
        Assert.True(LoggedDecision.TryParse(value, ref logged), logged.Error);
        return logged;
    }

    private string Text(Range32 slice) =>
        Encoding.UTF8.GetString(_driver.Outputs.Last(o => o.Topic == "decisions").Value, slice.Start, slice.Length);

    private static string Event(string id, string type, long time, string customer = "c", string value = "0", string placement = "") =>
        $$"""{"id":"{{id}}","customer":"{{customer}}","type":"{{type}}","time":{{time}},"value":{{value}},"placement":"{{placement}}","consent":["personalization"]}""";
}
