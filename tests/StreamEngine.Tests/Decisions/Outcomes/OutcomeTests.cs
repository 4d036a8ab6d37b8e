using System.Text;
using Avro.Generic;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Audiences;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Events;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.Testing;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Decisions.Outcomes;

/// <summary>Outcomes by example: what joins, what is written, what closes a decision, and what a config may say.</summary>
public sealed class OutcomeTests : IDisposable
{
    private const long Minute = 60_000;
    private readonly CompiledEngine _engine = OutcomeShop.Compile();
    private readonly ShardDriver _driver;
    private int _events;

    public OutcomeTests() => _driver = new ShardDriver(_engine);

    public void Dispose()
    {
        _driver.Dispose();
        _engine.Dispose();
    }

    [Fact]
    public void AConversion_joinsItsDecision_andTheRecordSaysWhatWasDecided()
    {
        var id = View("ann", 0);
        Send("ann", "bought", 5, id, value: 12.5);
        var r = Assert.Single(_driver.Records());
        Assert.Equal((id + "/conversion", id, "conversion", "counted", "decision_id"),
            ((string)r["outcome_id"]!, (string)r["decision_id"]!, r.Text("kind"), r.Text("status"), r.Text("attribution")));
        Assert.Equal(("ann", "e1", 12.5, 5 * Minute),
            ((string)r["customer_id"]!, (string)r["event_id"]!, (double)r["value"]!, (long)r["delay_ms"]!));
        Assert.Equal(("home", 1.0), ((string)r["placement"]!, (double)r["selection_probability"]!));
        Assert.Contains((string)r["offer"]!, new[] { "a", "b" });
        Assert.Equal(_engine.ConfigHash, r["config_hash"]);
        Assert.Equal("ann", Assert.Single(_driver.Outputs, o => o.Topic == "outcomes").Key);
    }

    [Fact]
    public void TheClosingRecord_tellsAllOutcomes_andNoneIsANegativeExample()
    {
        var first = View("ann", 0);
        Send("ann", "clicked", 1, first);
        Send("ann", "bought", 2, first, value: 20);
        Send("ann", "refunded", 3, first, value: 5);
        View("bob", 4);
        Send("cid", "search", 60 + 10 + 5);
        var closed = _driver.Records().Where(r => r.Text("status") == "closed").ToList();
        Assert.Equal([$"{first}/closed closed none ann  {Scenario.Start + 60 * Minute} 15 [click conversion refund]",
            $"{OutcomeShop.Id(4)}/closed closed none bob  {Scenario.Start + 64 * Minute} 0 []"], closed.Select(OutcomeShop.Line));
        Assert.Equal((0, 2), (_driver.Shard.Counters.OpenDecisions, _driver.Shard.Counters.DecisionsClosed[(int)OutcomeStatus.Closed]));
    }

    [Fact]
    public void ADecisionIsClosedOnlyWhenNoOutcomeThatCountsCanStillBeLetIn()
    {
        var id = View("ann", 0);
        Send("bob", "search", 70);                  // the newest moment at which an event of minute 60 is not late
        Send("ann", "bought", 60, id, value: 1);
        Assert.Equal("counted", Assert.Single(_driver.Records()).Text("status"));
    }

    [Fact]
    public void ADecisionThatWaits_isClosedByTheRecordThatPassesIt_notByTheEndOfTheBatch()
    {
        (string Customer, long Minute)[] log = [("ann", 0), ("bob", 75), ("bob", 90), ("cid", 300)];
        using var batch = new ShardDriver(_engine);
        foreach (var driver in new[] { _driver, batch })
            for (var i = 0; i < log.Length; i++)
            {
                var time = Scenario.Start + log[i].Minute * Minute;
                driver.Add(log[i].Customer, OutcomeShop.Json($"e{i}", log[i].Customer, "page_view", time, placement: "home"), time);
                if (driver == _driver) driver.Process();
            }
        batch.Process();
        Assert.Equal([75, 300, 300], _driver.Records().Select(r => ((long)r["watermark"]! - Scenario.Start) / Minute));
        Assert.Equal(_driver.Records().Select(r => r.ToString()), batch.Records().Select(r => r.ToString()));
    }

    [Fact]
    public void WithExperiments_theRecordNamesTheVariations_alsoAfterARestart()
    {
        var options = OutcomeShop.Options();
        options = options with
        {
            Decisions = options.Decisions with
            {
                Experiments = [new ExperimentOptions { Name = "red", Variations = [new() { Name = "control" }, new() { Name = "arm" }] }],
            },
        };
        using var engine = OutcomeShop.Compile(options);
        using var driver = new ShardDriver(engine);
        var view = Encoding.UTF8.GetBytes(OutcomeShop.Json("v", "ann", "page_view", Scenario.Start, placement: "home"));
        var bought = OutcomeShop.Json("b", "ann", "bought", Scenario.Start + Minute, OutcomeShop.Id(0), value: 3);
        driver.Add("ann", view, Scenario.Start).Process();
        using var restarted = new ShardDriver(engine);
        restarted.Restore([("ann", view, Scenario.Start, [.. driver.Outputs.Where(o => o.Topic == "decisions")])]);
        driver.Add("ann", bought, Scenario.Start).Process();
        restarted.Add("ann", bought, Scenario.Start).Process();
        var record = Assert.Single(driver.Records());
        var assignment = (GenericRecord)Assert.Single((object[])record["assignments"]!);
        Assert.Equal("red", assignment["experiment"]);
        Assert.Contains((string)assignment["variation"]!, new[] { "control", "arm" });
        Assert.Equal(driver.Outputs[^1].Value, restarted.Outputs[^1].Value);
    }

    /// <summary>By the newest schema, where the config says by what partners know customers; by the first one in all other tests.</summary>
    [Fact]
    public void WithIdentifiers_theRecordNamesThem_butNotOfWhoConsentsNoMore()
    {
        var schema = ApacheAvro.Of("outcome");
        using var engine = OutcomeShop.Compile(OutcomeShop.Options() with
        {
            Audiences = new AudienceOptions { Identifiers = [new IdentifierOptions { Name = "place", Of = "event.placement" }] },
        });
        using var driver = new ShardDriver(engine);
        Add("v", "ann", "page_view", 0, placement: "home");
        Add("b", "ann", "bought", 1, decision: OutcomeShop.Id(0));
        Add("w", "ann", "search", 2, consents: false);
        Add("x", "bob", "search", 200);
        driver.Process();
        var outcomes = driver.Outputs.Where(o => o.Topic == "outcomes").ToList();
        Assert.All(outcomes, o => Assert.Equal([0, 0, 0, 0, OutputSchemas.Outcome], o.Value[..5]));
        Assert.Equal(["counted place=home", "withdrawn "], outcomes.Select(o => schema.Record(o.Value.AsSpan(5))).Select(r =>
            $"{r.Text("status")} {string.Join(' ', ((IDictionary<string, object>)r["identifiers"]!).Select(i => $"{i.Key}={i.Value}"))}"));

        void Add(string id, string customer, string type, long minute, string decision = "", string placement = "", bool consents = true) =>
            driver.Add(customer, OutcomeShop.Json(id, customer, type, Scenario.Start + minute * Minute, decision, placement: placement,
                consents: consents), 0);
    }

    [Fact]
    public void AJsonOutcome_hasTheSameFields()
    {
        var options = OutcomeShop.Options();
        using var engine = OutcomeShop.Compile(options with { Outputs = options.Outputs with { Format = OutputFormat.Json } });
        using var driver = new ShardDriver(engine);
        driver.Add("ann", OutcomeShop.Json("v", "ann", "page_view", Scenario.Start, placement: "home"), 0).Process();
        driver.Add("ann", OutcomeShop.Json("b", "ann", "clicked", Scenario.Start, OutcomeShop.Id(0)), 0).Process();
        var json = Encoding.UTF8.GetString(driver.Outputs[^1].Value);
        var id = OutcomeShop.Id(0);
        Assert.StartsWith($$"""{"outcome_id":"{{id}}/click","decision_id":"{{id}}","kind":"click","status":"counted",""", json,
            StringComparison.Ordinal);
        Assert.Contains("\"outcomes\":[\"click\"]", json, StringComparison.Ordinal);
    }

    /// <summary>
    /// A request may be ahead of its customer's events, so that the decision that waits is not the first to close: which closing the
    /// profile waits for then depends on what comes first.
    /// </summary>
    [Fact]
    public void ADecisionThatWaits_isMadeBeforeAClosingOfItsCustomer()
    {
        View("ann", 0);
        var profile = new Only();
        _driver.Shard.Scan(profile);
        var rules = _engine.Policy.Outcomes!;
        var closing = rules.Open.Waiting(profile.Bytes);
        Assert.Equal(rules.Open.ClosesAt(Scenario.Start), closing);
        var waiting = new WaitingDecisions(rules, null);
        waiting.Look(profile.Bytes);
        waiting.Add(new DecisionRequest
        {
            Buffer = "ann"u8.ToArray(),
            Customer = new Range32(0, 3),
            DecidedAt = Scenario.Start + 10_000 * Minute,
        }, long.MaxValue);
        Assert.False(waiting.Concerns("bob"u8, isOutcome: false, closing, closing));
        Assert.True(waiting.Concerns("bob"u8, isOutcome: false, closing, closing + 1));
        waiting.Clear();
        Assert.False(waiting.Concerns("bob"u8, isOutcome: false, closing, closing + 1));
    }

    [Fact]
    public void APlacement_isKeptToWholeCharacters()
    {
        var placement = new string('x', OpenDecision.PlacementBytes - 1) + "ö";
        _driver.Add("ann", OutcomeShop.Json("v", "ann", "page_view", Scenario.Start, placement: placement), 0).Process();
        _driver.Add("ann", OutcomeShop.Json("b", "ann", "bought", Scenario.Start, placement: placement), 0).Process();
        Assert.Equal(placement[..^1], Assert.Single(_driver.Records())["placement"]);
    }

    [Fact]
    public void Outcomes_allocateNothing()
    {
        var batches = new List<(byte[] View, byte[] Click)>();
        for (var i = 0; i < 60; i++)
            batches.Add((Encoding.UTF8.GetBytes(OutcomeShop.Json($"v{i}", "ann", "page_view", Scenario.Start + i, placement: "home")),
                Encoding.UTF8.GetBytes(OutcomeShop.Json($"k{i}", "ann", "clicked", Scenario.Start + i, OutcomeShop.Id(2 * i)))));
        var outputs = new Connectors.OutputBuffer();
        using var decisions = new DecisionBatch(_engine);
        using var shard = new Shard(_engine, 0, new MemoryStateStore(), outputs, decisions, TimeProvider.System);
        var batch = new Connectors.RecordBatch();
        var at = 0;
        for (var warm = 0; warm < 10; warm++) Round();
        Assert.InRange(Allocations.Least(Round), 0, 0);
        Assert.Equal(60, at);

        void Round()
        {
            for (var i = 0; i < 4 && at < batches.Count; i++, at++)
            {
                batch.Add(0, 0, 2 * at, 0, "ann"u8, true, batches[at].View, true);
                batch.Add(0, 0, 2 * at + 1, 0, "ann"u8, true, batches[at].Click, true);
                shard.Process(batch, 0, 2);
                decisions.Flush();
                batch.Clear();
            }
            outputs.Clear();
        }
    }

    [Fact]
    public void EveryMistakeOfTheConfig_isTold()
    {
        var errors = new ConfigErrors();
        var options = OutcomeShop.Options() with
        {
            Outputs = new OutputOptions { Outcomes = "late" },
            Outcomes = new OutcomeOptions
            {
                MaxOpen = 0,
                Windows = new OutcomeWindowOptions { Click = TimeSpan.Zero },
                Events =
                [
                    new() { Name = "a", When = "true", Decision = "event.decision" },
                    new() { Name = "a", Kind = OutcomeKind.Click, When = "event.nothing == 1" },
                    new() { Name = "b", Kind = OutcomeKind.Click, Decision = "event.decision", Offer = "event.offer", Value = "'x'" },
                ],
            },
        };
        Assert.Null(CompiledEngine.Compile(options, ".", new LinearModels(1), errors));
        var told = string.Join('\n', errors.All.Select(e => e.ToString()));
        foreach (var expected in new[]
        {
            "topic 'late' is also that of outputs.late", "0 decisions can't be kept open", "within a window of 00:00:00 no outcome counts",
            "outcome a says nothing of the decision", "outcome a is declared twice", "outcome a belongs to no decision", "nothing",
            "outcome b names no events", "it is looked at for last decisions alone", "double",
        })
            Assert.Contains(expected, told, StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutOutcomes_nothingIsWrittenOrKept()
    {
        var plain = OutcomeShop.Options() with { Outcomes = null };
        using var engine = OutcomeShop.Compile(plain);
        Assert.DoesNotContain("outcomes", engine.Outputs.Names);
        Assert.DoesNotContain(engine.Layout.Slots, s => s.Name.StartsWith("outcomes", StringComparison.Ordinal));
    }

    private string View(string customer, long minute)
    {
        var id = OutcomeShop.Id(_events);
        Send(customer, "page_view", minute, placement: "home");
        return id;
    }

    private void Send(string customer, string type, long minute, string decision = "", string placement = "", double value = 0)
    {
        var time = Scenario.Start + minute * Minute;
        _driver.Add(customer, OutcomeShop.Json($"e{_events++}", customer, type, time, decision, placement: placement, value: value), time)
            .Process();
    }

    /// <summary>The profile of the only customer.</summary>
    private sealed class Only : IProfileVisitor
    {
        public byte[] Bytes { get; private set; } = [];

        public void Visit(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile) => Bytes = profile.ToArray();
    }
}
