using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.Testing;
using StreamEngine.Tests.Decisions.Outcomes;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Decisions.Learning;

/// <summary>Which decisions count for their arms, with what, and when.</summary>
public sealed class LearningTests : IDisposable
{
    private const long Minute = 60_000;
    private readonly List<IDisposable> _all = [];
    private int _events;

    public void Dispose() => _all.ForEach(d => d.Dispose());

    /// <summary>Clicks count for 20 minutes, and events may be ten minutes late.</summary>
    [Fact]
    public void A_decision_counts_once_its_rewards_window_is_over_whether_the_reward_came_or_not()
    {
        var driver = Make(RewardKind.Click);
        var (ann, bob) = (View(driver, "ann", 0), View(driver, "bob", 1));
        Send(driver, "ann", "clicked", 19, ann);
        Send(driver, "bob", "clicked", 22, bob);                    // late: its window was over
        Send(driver, "cid", "search", 30);
        Assert.Equal((0, 0), Arms(driver));                        // an event of minute 20 could still be let in
        Send(driver, "cid", "search", 31);
        Assert.Equal((1, 1), Arms(driver));
        Send(driver, "cid", "search", 32);
        Assert.Equal((2, 1), Arms(driver));
        Assert.Equal(2, driver.Shard.Counters.OpenDecisions);      // conversions may still come
        Send(driver, "cid", "search", 300);
        Assert.Equal(((2, 1), 0), (Arms(driver), driver.Shard.Counters.OpenDecisions));
        Assert.Equal(2, driver.Shard.Counters.Rewards[(int)RewardFate.Counted]);
    }

    /// <summary>An outcome in the last moment that is let in counts.</summary>
    [Fact]
    public void A_reward_that_comes_late_but_within_its_window_counts()
    {
        var driver = Make(RewardKind.Click);
        var id = View(driver, "ann", 0);
        Send(driver, "cid", "search", 30);
        Send(driver, "ann", "clicked", 20, id);
        Send(driver, "cid", "search", 31);
        Assert.Equal((1, 1), Arms(driver));
    }

    [Fact]
    public void A_value_is_that_of_conversions_less_refunds()
    {
        var driver = Make(RewardKind.Value);
        var (ann, bob) = (View(driver, "ann", 0), View(driver, "bob", 1));
        Send(driver, "ann", "bought", 5, ann, value: 30);
        Send(driver, "ann", "refunded", 50, ann, value: 12);
        Send(driver, "ann", "clicked", 6, ann);
        Send(driver, "cid", "search", 70);
        Assert.Equal((0, 0), Arms(driver));
        Send(driver, "cid", "search", 72);
        Assert.Equal((2, 18), Arms(driver));
        Assert.Equal(18.0 * 18, Tallies(driver).Sum(t => t.Squares));
        Assert.Equal((Scenario.Start + Minute, 0), (Tallies(driver).Max(t => t.AsOf), Tallies(driver)[0].HalfLife));
    }

    /// <summary>Sums and squares would be infinite for good, and what sums are made of is not taken back from that.</summary>
    [Fact]
    public void A_value_that_would_leave_no_finite_sums_does_not_count()
    {
        var driver = Make(RewardKind.Value, valueType: "double");
        var (ann, bob, cid, dan) = (View(driver, "ann", 0), View(driver, "bob", 1), View(driver, "cid", 2), View(driver, "dan", 3));
        var eve = View(driver, "eve", 4);
        Send(driver, "ann", "bought", 5, ann, value: 1e200);
        Send(driver, "bob", "bought", 5, bob, value: 1.7e308);
        Send(driver, "bob", "refunded", 6, bob, value: -1.7e308);
        Send(driver, "eve", "bought", 7, eve, value: 1.7e308);
        Send(driver, "eve", "refunded", 8, eve, value: 1.7e308);    // nothing is left of it
        Send(driver, "cid", "refunded", 9, cid, value: 2e100);
        Send(driver, "dan", "bought", 10, dan, value: 30);
        Send(driver, "fay", "search", 300);
        Assert.Equal((2, 30), Arms(driver));
        var fates = driver.Shard.Counters.Rewards;
        Assert.Equal((2, 3), (fates[(int)RewardFate.Counted], fates[(int)RewardFate.BadValue]));
    }

    [Fact]
    public void Neither_holdout_nor_default_nor_other_placements_nor_displaced_nor_withdrawn_decisions_count()
    {
        var held = Make(RewardKind.Click, o => o with { Holdout = new HoldoutOptions { Share = 1 } });
        View(held, "ann", 0);
        Send(held, "cid", "search", 300);
        Assert.Equal((0, 0), Arms(held));

        var standIn = Make(RewardKind.Click, o => o with { DefaultOffer = "a" });
        View(standIn, "new", 0);                                    // nothing was known of this customer
        Send(standIn, "cid", "search", 300);
        Assert.Equal((0, 0), Arms(standIn));

        var driver = Make(RewardKind.Click);
        View(driver, "ann", 0, "product");
        for (var i = 1; i <= 5; i++) View(driver, "bob", i);        // there is room for three
        View(driver, "eve", 6);
        Send(driver, "eve", "search", 7, consents: false);
        Send(driver, "cid", "search", 300);
        Assert.Equal((3, 0), Arms(driver));
        var fates = driver.Shard.Counters.Rewards;
        Assert.Equal((3, 2, 1, 0), (fates[(int)RewardFate.Counted], fates[(int)RewardFate.Displaced], fates[(int)RewardFate.Withdrawn],
            fates[(int)RewardFate.Unknown]));
    }

    /// <summary>
    /// One entry in the heap stands for all of a customer's open decisions: it must not hold up a reward that counts before what waits.
    /// </summary>
    [Fact]
    public void A_reward_does_not_wait_for_an_earlier_decision_to_be_closed()
    {
        var driver = Make(RewardKind.Click);
        View(driver, "ann", 0, "product");                          // closed only at minute 70
        View(driver, "ann", 1);
        Send(driver, "cid", "search", 32);
        Assert.Equal((1, 0), Arms(driver));
        Send(driver, "cid", "search", 72);
        Assert.Equal(((1, 0), 0), (Arms(driver), driver.Shard.Counters.OpenDecisions));
        Assert.Equal(2, driver.Records().Count(r => r.Text("status") == "closed"));
    }

    /// <summary>
    /// A decision an hour whose reward counts after half an hour, while conversions count for thirty days: each time a sooner entry takes
    /// the place of the one that waits for the closing, which stays where it is, and must not be made again.
    /// </summary>
    [Theory]
    [InlineData(3)]     // the oldest gives way long before it is closed
    [InlineData(256)]
    public void A_customer_has_few_entries_in_the_heap_however_many_decisions_count_before_they_are_closed(int open)
    {
        const int hours = 720;
        var driver = Make(RewardKind.Click, windows: (TimeSpan.FromMinutes(30), TimeSpan.FromDays(30)), open: open);
        for (var i = 0; i < hours; i++)
        {
            View(driver, "ann", 60 * i);
            Send(driver, "cid", "search", 60 * i + 45);
            Assert.Equal((i + 1, 0), Arms(driver));
            Assert.InRange(driver.Shard.State.Closings.Count, 1, 2);
        }
        Assert.Equal(open, driver.Shard.Counters.OpenDecisions);
        // They are closed when their time has come, one by one, and nothing waits then.
        for (var i = hours - open; i < hours; i++)
        {
            Assert.Equal(hours - i, driver.Shard.Counters.OpenDecisions);
            Send(driver, "cid", "search", 60 * (i + hours) + 11);
        }
        Assert.Equal((0, 0, (hours, 0)), (driver.Shard.Counters.OpenDecisions, driver.Shard.State.Closings.Count, Arms(driver)));
        Assert.Equal(open, driver.Shard.Counters.DecisionsClosed[(int)OutcomeStatus.Closed]);
        Assert.Equal(hours - open, driver.Shard.Counters.DecisionsClosed[(int)OutcomeStatus.Displaced]);
    }

    /// <summary>What the log has counted is not counted again: a restart goes on from what is committed.</summary>
    [Fact]
    public void A_restored_shard_counts_what_comes_and_nothing_twice()
    {
        var driver = Make(RewardKind.Click);
        var log = new List<(string, byte[], long, List<Written>)>();
        Logged("ann", "page_view", 0, placement: "home");
        Logged("bob", "page_view", 10, placement: "home");
        Logged("ann", "clicked", 15, OutcomeShop.Id(0));
        Logged("cid", "search", 31);
        Assert.Equal((1, 1), Arms(driver));
        var restarted = Make(RewardKind.Click);
        restarted.Restore(log);
        Assert.Equal((0, 0), Arms(restarted));
        Assert.Equal(Profiles(driver), Profiles(restarted)); // with what has counted, and what waits
        foreach (var d in new[] { driver, restarted })
        {
            Send(d, "bob", "clicked", 25, OutcomeShop.Id(1));
            Send(d, "cid", "search", 42);
        }
        Assert.Equal(((2, 2), (1, 1)), (Arms(driver), Arms(restarted)));

        void Logged(string customer, string type, long minute, string decision = "", string placement = "")
        {
            var before = driver.Outputs.Count;
            var value = System.Text.Encoding.UTF8.GetBytes(OutcomeShop.Json($"l{log.Count}", customer, type,
                Scenario.Start + minute * Minute, decision, placement: placement));
            driver.Add(customer, value, 0).Process();
            log.Add((customer, value, 0, [.. driver.Outputs.Skip(before).Where(o => o.Topic == "decisions")]));
        }
    }

    /// <summary>
    /// What counts does not depend on where a batch ends: a decision that waits for its score is made before a record that would notice.
    /// </summary>
    [Fact]
    public void Batches_of_any_size_count_the_same()
    {
        var random = new Random(5);
        var log = new List<(string Customer, int Minute, string Type, int Decision)>();
        for (var i = 0; i < 300; i++)
            log.Add(i > 12 && random.Next(3) == 0 && i - 1 - random.Next(12) is var of && log[of].Type == "page_view"
                ? (log[of].Customer, i + random.Next(8), "clicked", of) : ($"c{random.Next(6)}", i + random.Next(8), "page_view", -1));
        string? first = null;
        foreach (var size in new[] { 1, 7, 300 })
        {
            var driver = Make(RewardKind.Click, halfLife: TimeSpan.FromMinutes(90));
            for (var i = 0; i < log.Count; i++)
            {
                var (customer, minute, type, decision) = log[i];
                driver.Add(customer, OutcomeShop.Json($"e{i}", customer, type, Scenario.Start + minute * Minute,
                    decision < 0 ? "" : OutcomeShop.Id(decision), placement: type == "clicked" ? "" : "home"), 0);
                if ((i + 1) % size == 0) driver.Process();
            }
            driver.Process().FinishAt(Scenario.Start + 1_000 * Minute);
            var told = string.Join(' ', Tallies(driver));
            Assert.InRange(Arms(driver).Sum, 3, 300);
            Assert.Equal(first ??= told, told);
        }
    }

    private static SortedDictionary<string, string> Profiles(ShardDriver driver)
    {
        var copy = new Copy();
        driver.Shard.Scan(copy);
        return copy.All;
    }

    private sealed class Copy : IProfileVisitor
    {
        public SortedDictionary<string, string> All { get; } = new(StringComparer.Ordinal);

        public void Visit(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile) =>
            All[System.Text.Encoding.UTF8.GetString(key)] = Convert.ToHexString(profile);
    }

    private ShardDriver Make(RewardKind reward, Func<DecisionOptions, DecisionOptions>? with = null, TimeSpan? halfLife = null,
        (TimeSpan Click, TimeSpan Conversion)? windows = null, int open = 3, string valueType = "decimal(2)")
    {
        var options = OutcomeShop.Options();
        var outcomes = options.Outcomes! with { MaxOpen = open };
        options = options with
        {
            Outcomes = windows is not { } w ? outcomes : outcomes with
            {
                Windows = outcomes.Windows with
                {
                    Click = w.Click,
                    Conversion = w.Conversion,
                },
            },
        };
        var events = options.Events[0];
        var exploration = new ExplorationOptions
        {
            Name = "home",
            Method = ExplorationMethod.Thompson,
            Reward = reward,
            HalfLife = halfLife,
            Prior = reward == RewardKind.Value ? new PriorOptions { Deviation = 20 } : null,
        };
        var engine = OutcomeShop.Compile(options with
        {
            Events =
            [
                events with { Fields = [.. events.Fields.Select(f => f.Name == "value" ? f with { Type = valueType } : f)] },
            ],
            Decisions = (with ?? (o => o))(options.Decisions with { Exploration = [exploration] }),
        });
        var driver = new ShardDriver(engine);
        _all.AddRange([driver, engine]);
        return driver;
    }

    private string View(ShardDriver driver, string customer, long minute, string placement = "home")
    {
        var views = driver.Outputs.Count(o => o.Topic == "decisions");
        Send(driver, customer, "page_view", minute, placement: placement);
        Assert.Equal(views + 1, driver.Outputs.Count(o => o.Topic == "decisions"));
        return OutcomeShop.Id(driver.Shard.State.Position.Next[0] - 1);
    }

    private void Send(ShardDriver driver, string customer, string type, long minute, string decision = "", string placement = "",
        double value = 0, bool consents = true) =>
        driver.Add(customer, OutcomeShop.Json($"e{++_events}", customer, type, Scenario.Start + minute * Minute, decision,
            placement: placement, value: value, consents: consents), 0).Process();

    private static ArmTally[] Tallies(ShardDriver driver) =>
        [.. driver.Shard.State.Shared!.Tallies.All.OrderBy(t => t.Name, StringComparer.Ordinal).Select(t => ArmTally.Read(t.Values))];

    private static (double Trials, double Sum) Arms(ShardDriver driver) => Tallies(driver) is var all
        ? (all.Sum(t => t.Trials), all.Sum(t => t.Sum)) : default;
}
