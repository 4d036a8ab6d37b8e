using System.Text;
using Avro.Generic;
using StreamEngine.Decisions;
using StreamEngine.Features;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;
using StreamEngine.Runtime.Savepoints;
using StreamEngine.State;
using StreamEngine.Testing;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>Decisions of a running shard that wait for the end of quiet hours.</summary>
public sealed class DeferralRunTests
{
    private const long Minute = 60_000, Hour = 60 * Minute, Eight = Scenario.Start + 8 * Hour;
    private static readonly ApacheAvro Decisions = ApacheAvro.Of("decision");

    private static readonly QuietHoursOptions Night = new()
    {
        Name = "night",
        From = "21:00",
        To = "08:00",
        Channels = ["email"],
        Then = QuietHoursFate.Defer,
        Spread = TimeSpan.Zero,
    };

    [Fact]
    public void It_is_made_anew_once_when_they_are_over()
    {
        using var run = new Run(Options());
        run.Add("c", "page_view", Hour, "inbox").Add("other", "search", 8 * Hour);
        var first = Assert.Single(run.Logged());
        Assert.Equal(("no_offer", "event", Eight), (first.Text("outcome"), first.Text("origin"), (long)first["deferred_until"]!));
        Assert.Equal(1, run.Counters.DeferredNow);

        // The watermark must have passed the end.
        run.Add("other", "search", 8 * Hour + 1);
        var second = run.Logged()[1];
        Assert.Equal(("served", "timer", "view", "inbox"),
            (second.Text("outcome"), second.Text("origin"), second.Text("trigger"), second.Text("placement")));
        Assert.Equal((Eight, Eight, null), ((long)second["event_time"]!, (long)second["decided_at"]!, second["deferred_until"]));
        Assert.NotEqual(first.Text("decision_id"), second.Text("decision_id"));
        run.Add("other", "search", 9 * Hour).Add("c", "search", 33 * Hour).Add("other", "search", 50 * Hour);
        Assert.Equal(2, run.Logged().Count);
        Assert.Equal((0, 1, 1), (run.Counters.DeferredNow, run.Fate(DeferralFate.Deferred), run.Fate(DeferralFate.Decided)));
    }

    [Fact]
    public void It_goes_by_features_and_consent_of_that_moment()
    {
        using var run = new Run(Options());
        run.Add("a", "page_view", Hour, "inbox").Add("b", "page_view", Hour, "inbox").Add("c", "page_view", Hour, "inbox");
        run.Add("b", "search", 2 * Hour, consents: false).Add("c", "purchase", 3 * Hour);
        run.Add("other", "search", 8 * Hour + 1);
        Assert.Equal(["a served", "b no_consent", "c no_offer"],
            run.Logged().Skip(3).Select(d => $"{d.Text("customer_id")} {d.Text("outcome")}"));
        Assert.All(run.Logged(), d => Assert.True(d["deferred_until"] is null == (d.Text("origin") == "timer")));
    }

    [Fact]
    public void Limits_of_that_moment_hold()
    {
        var options = Options();
        using var run = new Run(options with
        {
            Decisions = options.Decisions with
            {
                Caps = [new CapOptions { Name = "once", Window = TimeSpan.FromDays(1) }],
            },
        });
        run.Add("c", "page_view", Hour, "inbox").Add("c", "page_view", Hour, "letterbox").Add("other", "search", 8 * Hour + 1);
        Assert.Equal(["inbox no_offer", "letterbox no_offer", "inbox served", "letterbox no_offer"],
            run.Logged().Select(d => $"{d.Text("placement")} {d.Text("outcome")}"));
        Assert.Equal("customer_cap:once", ((GenericRecord)((object[])run.Logged()[3]["candidates"]!)[0])["drop"]);
    }

    [Fact]
    public void Of_a_trigger_and_placement_the_newest_waits_and_of_too_many_the_oldest_gives_way()
    {
        using var run = new Run(Options());
        run.Add("c", "page_view", Hour, "inbox").Add("c", "page_view", 2 * Hour, "letterbox").Add("c", "page_view", 3 * Hour, "inbox");
        Assert.Equal((2, 1, 0), (run.Counters.DeferredNow, run.Fate(DeferralFate.Replaced), run.Fate(DeferralFate.Displaced)));
        run.Add("c", "page_view", 4 * Hour, "door");
        Assert.Equal((2, 1, 1), (run.Counters.DeferredNow, run.Fate(DeferralFate.Replaced), run.Fate(DeferralFate.Displaced)));
        run.Add("other", "search", 8 * Hour + 1);
        Assert.Equal(["inbox", "door"], run.Logged().Where(d => d.Text("origin") == "timer").Select(d => d.Text("placement")));
    }

    [Fact]
    public void A_timers_decision_waits_and_one_that_ends_earlier_than_another_is_made_then()
    {
        var options = Options();
        using var run = new Run(options with
        {
            Features = [.. options.Features, new FeatureOptions { Name = "zone", Op = FeatureOperator.Last, Of = "event.placement",
                Where = "event.type == 'search'" }],
            Decisions = options.Decisions with { QuietHours = [Night with { TimeZone = "features.zone" }] },
        });
        run.Add("c", "page_view", Hour, "inbox");
        run.Add("c", "search", 2 * Hour, "+02:00"); // from now on it is 04:00 there
        run.Add("c", "cart_add", 3 * Hour);
        run.Add("other", "search", 4 * Hour); // the cart's timer is due, 20 minutes after
        Assert.Equal([Eight, Eight - 2 * Hour], run.Logged().Select(d => (long)d["deferred_until"]!));
        var reply = new ProfileView(run.Engine, (_, _, _) => "").Read(run.Driver.Shard.State.Store, "c"u8, 0);
        Assert.Equal(["deferred/view/inbox 08:00", "deferred/cart/email 06:00"], reply.Timers.Where(t => t.Key.StartsWith("deferred"))
            .Select(t => $"{t.Key} {t.Value:HH:mm}"));
        run.Add("other", "search", 6 * Hour + 1);
        Assert.Equal(("cart", "email", "served"), (run.Logged()[2].Text("trigger"), run.Logged()[2].Text("placement"),
            run.Logged()[2].Text("outcome")));
        run.Add("other", "search", 9 * Hour);
        Assert.Equal((4, "view"), (run.Logged().Count, run.Logged()[3].Text("trigger")));
    }

    /// <summary>
    /// The second decision takes the first one's place and waits for longer: the first end passes, and nothing is made anew, also where
    /// both are in one batch with the event that passes it.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void One_that_is_replaced_is_not_made_anew_wherever_a_batch_ends(bool together)
    {
        var options = Options();
        using var run = new Run(options with
        {
            Features = [.. options.Features, new FeatureOptions { Name = "zone", Op = FeatureOperator.Last, Of = "event.placement",
                Where = "event.type == 'search'" }],
            Decisions = options.Decisions with { QuietHours = [Night with { TimeZone = "features.zone" }] },
        });
        run.Add("c", "search", Hour, "+02:00").Add("c", "page_view", 2 * Hour, "inbox").Add("c", "search", 3 * Hour, "+01:00");
        run.Process = !together;
        run.Add("c", "page_view", 4 * Hour, "inbox").Add("other", "search", 6 * Hour + 30 * Minute, "+01:00");
        run.Driver.Process();
        Assert.Equal([6, 7], run.Logged().Select(d => ((long)d["deferred_until"]! - Scenario.Start) / Hour));
        run.Process = true;
        run.Add("other", "search", 8 * Hour, "+01:00");
        Assert.Equal((3, "served"), (run.Logged().Count, run.Logged()[2].Text("outcome")));
    }

    [Fact]
    public void Over_files_a_timers_decision_is_made_anew_before_the_end()
    {
        using var run = new Run(Options());
        run.Add("c", "cart_add", Hour);
        run.Driver.FinishAt(Eight + Hour);
        Assert.Equal(["cart no_offer", "cart served"], run.Logged().Select(d => $"{d.Text("trigger")} {d.Text("outcome")}"));
    }

    /// <summary>Many customers, quiet hours that come and go, zones that change: wherever batches end, the same is written.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_same_is_written_in_batches_of_1_and_7_and_1000(int seed)
    {
        using var engine = Scenario.Compile(Busy(), new LinearModels(1));
        var one = Written(engine, seed, 1, out var counters);
        foreach (var fate in Enum.GetValues<DeferralFate>().Except([DeferralFate.None, DeferralFate.TooLong]))
            Assert.True(counters.Deferrals[(int)fate] > 5, $"{counters.Deferrals[(int)fate]} {fate}");
        Assert.Equal(one, Written(engine, seed, 7, out _));
        Assert.Equal(one, Written(engine, seed, 1_000, out _));
    }

    [Fact]
    public void A_restore_makes_the_same_profiles()
    {
        using var engine = Scenario.Compile(Busy(), new LinearModels(1));
        using var live = new ShardDriver(engine);
        var log = new List<(string, byte[], long, List<Written>)>();
        foreach (var (key, json, time) in Scenario.Events(1_400, 20, 5))
        {
            var before = live.Outputs.Count;
            live.Add(key, json, time).Process();
            log.Add((key, Encoding.UTF8.GetBytes(json), time, [.. live.Outputs.Skip(before).Where(o => o.Topic == "decisions")]));
        }
        using var restored = new ShardDriver(engine);
        restored.Restore(log);
        Assert.Equal(Profiles(live.Shard), Profiles(restored.Shard));
        Assert.True(live.Shard.Counters.DeferredNow > 0, "nothing waits at the end: the test says less than it could");
        Assert.Equal(live.Shard.Counters.DeferredNow, restored.Shard.Counters.DeferredNow);
        Assert.Equal(0, restored.Shard.Counters.Deferrals.Sum());
        Assert.DoesNotContain(restored.Outputs, o => o.Topic == "decisions");
        // From here on both write the same.
        int[] from = [live.Outputs.Count, restored.Outputs.Count];
        foreach (var driver in new[] { live, restored })
            driver.Add("other", Event("other", "search", 50 * Hour, "", true), Scenario.Start + 50 * Hour).Process();
        var next = live.Outputs.Skip(from[0]).Select(o => Convert.ToHexString(o.Value)).ToList();
        Assert.True(next.Count > 2);
        Assert.Equal(next, restored.Outputs.Skip(from[1]).Select(o => Convert.ToHexString(o.Value)));
    }

    [Fact]
    public void A_config_without_waits_keeps_its_layout_and_one_with_them_tells_the_savepoint()
    {
        using var plain = Scenario.Compile(Options(QuietHoursFate.Drop), new LinearModels(1));
        using var waits = Scenario.Compile(Options(), new LinearModels(1));
        Assert.DoesNotContain(plain.Layout.Slots, s => s.Name == "decisions/deferred");
        Assert.Contains(waits.Layout.Slots, s => s is { Name: "decisions/deferred", Length: 16 + 2 * 128 });
        Assert.Contains(StateItems.Of(waits), i => i.Item is { Name: "deferred decisions", Text: "decisions deferred=2" });
    }

    private static EngineOptions Options(QuietHoursFate then = QuietHoursFate.Defer)
    {
        var scenario = Scenario.Options();
        return scenario with
        {
            Timers = [scenario.Timers[0]],
            Models = [],
            Offers =
            [
                new OfferOptions { Name = "letter", Channel = "email", Suitable = "features.revenue == 0.0" },
                new OfferOptions { Name = "banner", Channel = "onsite", Placements = ["home"] },
            ],
            Decisions = new DecisionOptions
            {
                Purpose = "personalization",
                Triggers = [.. scenario.Decisions.Triggers.Take(2)],
                QuietHours = [Night with { Then = then }],
                MaxDeferred = 2,
            },
        };
    }

    /// <summary>Some five hours of the scenario's events, with short nights.</summary>
    private static EngineOptions Busy()
    {
        var options = Scenario.WithTextRules(Scenario.Options());
        var zone = "features.latest == 'search' ? '-00:20' : 'UTC'";
        var short_ = Night with { Channels = [], TimeZone = zone, Spread = TimeSpan.FromMinutes(2) };
        return options with
        {
            Decisions = options.Decisions with
            {
                MaxDeferred = 2,
                QuietHours =
                [
                    short_ with { Name = "one", From = "00:20", To = "01:00" },
                    short_ with { Name = "two", From = "01:30", To = "01:45" },
                    short_ with { Name = "three", From = "02:10", To = "03:30", MaxWait = TimeSpan.FromMinutes(50) },
                    short_ with { Name = "four", From = "04:00", To = "08:00" },
                ],
            },
        };
    }

    private static List<string> Written(CompiledEngine engine, int seed, int batch, out ShardCounters counters)
    {
        using var driver = new ShardDriver(engine);
        var n = 0;
        foreach (var (key, json, time) in Scenario.Events(4_000, 40, seed))
        {
            driver.Add(key, json, time);
            if (++n % batch == 0) driver.Process();
        }
        driver.Process();
        counters = driver.Shard.Counters;
        // Each topic in its own order: an event that is rejected is written before the decisions that wait.
        return [.. driver.Outputs.OrderBy(o => o.Topic, StringComparer.Ordinal)
            .Select(o => $"{o.Topic} {o.Key} {Convert.ToHexString(o.Value)}")];
    }

    private static SortedDictionary<string, string> Profiles(Shard shard)
    {
        var copy = new Copy();
        shard.Scan(copy);
        return copy.Profiles;
    }

    private static string Event(string customer, string type, long at, string placement, bool consents) => $$"""
        {"id":"{{customer}}{{at}}{{placement}}","customer":"{{customer}}","type":"{{type}}","time":{{Scenario.Start + at}},"value":5,
        "placement":"{{placement}}","consent":[{{(consents ? "\"personalization\"" : "")}}]}
        """;

    private sealed class Copy : IProfileVisitor
    {
        public SortedDictionary<string, string> Profiles { get; } = new(StringComparer.Ordinal);

        public void Visit(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile) =>
            Profiles[Encoding.UTF8.GetString(key)] = Convert.ToHexString(profile);
    }

    private sealed class Run : IDisposable
    {
        public Run(EngineOptions options)
        {
            Engine = Scenario.Compile(options, new LinearModels(1));
            Driver = new ShardDriver(Engine);
        }

        public CompiledEngine Engine { get; }

        public ShardDriver Driver { get; }

        /// <summary>Whether each event is a batch.</summary>
        public bool Process { get; set; } = true;

        public ShardCounters Counters => Driver.Shard.Counters;

        public long Fate(DeferralFate fate) => Counters.Deferrals[(int)fate];

        /// <summary>One event, so long after midnight.</summary>
        public Run Add(string customer, string type, long at, string placement = "", bool consents = true)
        {
            Driver.Add(customer, Event(customer, type, at, placement, consents), Scenario.Start + at);
            if (Process) Driver.Process();
            return this;
        }

        public List<GenericRecord> Logged() => [.. Driver.Outputs.Where(o => o.Topic == "decisions")
            .Select(o => Decisions.Record(o.Value.AsSpan(5))).Where(d => d.Text("kind") == "decision")];

        public void Dispose()
        {
            Driver.Dispose();
            Engine.Dispose();
        }
    }
}
