using System.Globalization;
using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Expressions;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Decisions.Budgets;

/// <summary>The funnel with budgets, and their config.</summary>
public sealed class BudgetStageTests
{
    private const long At = 1_000;

    private static readonly OfferOptions[] Offers =
    [
        Shop.Offer("a", "9.0") with { Attributes = new Dictionary<string, string> { ["cost"] = "2.5" }, Channel = "mail" },
        Shop.Offer("b", "1.0") with { Group = "cheap" },
    ];

    private static readonly BudgetOptions Money = new() { Name = "money", Amount = 10, Offers = ["a"], Cost = "offer.cost" };

    [Fact]
    public void An_offer_is_dropped_where_its_cost_does_not_fit_into_what_was_granted()
    {
        var desk = new Desk(new DecisionOptions { Budgets = [Money] });
        Assert.Equal(("b", "budget:money"), desk.Decide());
        desk.Grant("grant/money@all/3", 5);
        Assert.Equal(("a", ""), desk.Decide());
        Assert.Equal(("a", ""), desk.Decide());
        Assert.Equal(("b", "budget:money"), desk.Decide());
        // Spent; and what would have been, which tells the allocator where it is wanted.
        Assert.Equal([5e6, 10e6], desk.Shared.Tallies.Of("budget/money@all", BudgetBook.Values).Values.ToArray());
        desk.Grant("grant/money@all/3", 7.499999);
        Assert.Equal(("b", "budget:money"), desk.Decide());
        desk.Grant("grant/money@all/3", 7.5);
        Assert.Equal(("a", ""), desk.Decide());
        desk.Grant("grant/money@all/4", 100); // another shard's
        Assert.Equal(("b", "budget:money"), desk.Decide());
    }

    [Fact]
    public void Each_of_several_budgets_must_have_the_cost_and_the_default_offer_obeys()
    {
        var desk = new Desk(new DecisionOptions
        {
            DefaultOffer = "b",
            Budgets = [Money, new BudgetOptions { Name = "all", Amount = 2, Period = BudgetPeriod.Day }],
        });
        desk.Grant("grant/money@all/3", 10);
        Assert.Equal(("", "budget:all"), desk.Decide());
        Assert.Equal("budget:all", desk.Drop(1));
        desk.Grant("grant/all@1970-01-01/3", 1);
        Assert.Equal(("a", ""), desk.Decide());
        Assert.Equal(("", "budget:all"), desk.Decide());
        Assert.Equal(2.5e6, desk.Shared.Tallies.Of("budget/money@all", BudgetBook.Values).Values[BudgetBook.Spent]);
        Assert.Equal(("", "budget:all"), desk.Decide(At + 86_400_000)); // the next day has an amount, and no grant, of its own
        desk.Grant("grant/all@1970-01-02/3", 1);
        Assert.Equal(("a", ""), desk.Decide(At + 86_400_000));
        Assert.Equal(("", "budget:all"), desk.Decide()); // a late event's day is spent
    }

    /// <summary>A default offer whose own rule says no stands in where nothing else is left: so it is wanted, and granted.</summary>
    [Theory]
    [InlineData("applicable")]
    [InlineData("suitable")]
    [InlineData("eligible")]
    public void A_default_offer_that_only_stands_in_is_granted_what_it_costs(string rule)
    {
        var never = new ExprText
        {
            Text = "false",
        };
        OfferOptions[] offers = [rule switch
        {
            "applicable" => Offers[1] with { Applicable = never },
            "suitable" => Offers[1] with { Suitable = never },
            _ => Offers[1] with { Eligible = never },
        }];
        var options = new DecisionOptions { DefaultOffer = "b", Budgets = [new BudgetOptions { Name = "all", Amount = 100 }] };
        Desk[] desks = [new Desk(options, offers, shard: 0), new Desk(options, offers, shard: 1)];
        var ledger = new BudgetLedger(desks[0].Shop.Policy, desks[0].Shared, desks.Length);
        Assert.Equal("", desks[1].Decide().Chosen);
        Share();
        Assert.Equal(rule == "eligible" ? "" : "b", desks[1].Decide().Chosen);
        var wanted = desks[1].Shared.Tallies.Of("budget/all@all", BudgetBook.Values).Values[BudgetBook.Wanted];
        Assert.Equal(rule == "eligible" ? 0 : 2e6, wanted);

        // What each shard adds is what all of them hear.
        void Share()
        {
            ledger.Allocate(Numbers(), At);
            var heard = Numbers();
            for (var i = 0; i < desks.Length; i++)
                desks[i].Shared.View.Take(1, [.. desks[i].Shared.View.Difference(heard, i, watermark: At)]);
        }

        SharedNumbers Numbers() => new(desks.SelectMany((d, i) => d.Shared.Tallies.All.Select(t => (Shard: i, Tally: t)))
            .GroupBy(t => t.Tally.Name).ToDictionary(g => g.Key, g => new SharedSum(
                [.. Enumerable.Range(0, g.First().Tally.Values.Length).Select(v => g.Sum(t => t.Tally.Values[v]))],
                [.. g.Select(t => KeyValuePair.Create(t.Shard, t.Tally.Values.ToArray()))])), 1, null);
    }

    [Fact]
    public void A_budget_that_is_switched_off_stops_its_offers()
    {
        var desk = new Desk(new DecisionOptions { Budgets = [Money] });
        desk.Grant("grant/money@all/3", 5);
        var off = new Switches(desk.Shop.Policy, [new SwitchTarget(SwitchKind.Budget, "money")], 1);
        Assert.Equal(("b", "switched_off"), desk.Decide(switches: off));
        Assert.Equal(("a", ""), desk.Decide());
        Assert.True(SwitchTarget.TryParse("budget:money", out var target));
        Assert.Equal("budget:money", target.ToString());
        Assert.False(Switches.Knows(desk.Shop.Policy, new SwitchTarget(SwitchKind.Budget, "none")));
    }

    [Fact]
    public void Where_no_shard_decides_there_are_no_budgets()
    {
        var shop = new Shop(Offers, new DecisionOptions { Budgets = [Money] });
        shop.Decide();
        Assert.Equal("a", shop.Chosen);
    }

    [Fact]
    public void A_decision_allocates_nothing()
    {
        var desk = new Desk(new DecisionOptions { Budgets = [Money, new BudgetOptions { Name = "all", Amount = 9e8 }] });
        desk.Grant("grant/money@all/3", 9);
        desk.Grant("grant/all@all/3", 9e8);
        desk.Decide();
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (var i = 0; i < 1_000; i++) desk.Run(At, desk.Shop.Policy.AllOn);
        }));
    }

    [Fact]
    public void The_config_reads_as_documented()
    {
        var errors = new ConfigErrors();
        var options = OptionsBinder.Bind<DecisionOptions>(StreamEngine.Host.Configuration.YamlConfigReader.Read("t.yaml", """
            budgets:
              summer: { amount: 500.0, period: day, time_zone: Europe/Berlin, pacing: even, offers: [a], cost: "offer.cost" }
              mails: { amount: 10000, period: day, channels: [mail] }
              launch: { amount: 2000, from: 2026-12-01T00:00:00Z, to: 2026-12-24T00:00:00Z, pacing: front_loaded, cost: "0.02" }
            """, errors)!, errors);
        errors.ThrowIfAny();
        var policy = new Shop(Offers, options).Policy;
        Assert.Equal(["summer", "mails", "launch"], policy.Budgets.Select(b => b.Name));
        Assert.Equal([2.5e6, -1], policy.Budgets[0].Costs.AsEnumerable());
        Assert.Equal([1e6, -1], policy.Budgets[1].Costs.AsEnumerable());
        Assert.Equal([20_000, 20_000], policy.Budgets[2].Costs.AsEnumerable());
        Assert.Equal((500e6, Pacing.Even, "Europe/Berlin"),
            (policy.Budgets[0].Amount, policy.Budgets[0].Pacing, policy.Budgets[0].Zone.Id));
        Assert.Equal((Pacing.FrontLoaded, 1_796_083_200_000, 1_798_070_400_000), (policy.Budgets[2].Pacing, policy.Budgets[2].From,
            policy.Budgets[2].To));
    }

    [Fact]
    public void Every_mistake_is_told_at_once()
    {
        var errors = new ConfigErrors();
        new Shop(Offers).Compile(new DecisionOptions
        {
            Budgets =
            [
                Money with { Name = "a/b", Amount = 0 },
                Money with { Offers = ["c"], Channels = ["sms"], Groups = ["dear"], TimeZone = "Berlin" },
                Money with { Pacing = Pacing.Even },
                Money with { Name = "late", From = DateTimeOffset.UnixEpoch, To = DateTimeOffset.UnixEpoch, Charge = BudgetCharge.Click },
                Money with { Name = "cost", Cost = "event.value" },
                Money with { Name = "dear", Amount = 2 },
                Money with { Name = "owes", Cost = "-1.0" },
                Money with { Name = "dust", Amount = 0.0000004, Cost = "0.0" },
                Money with { Name = "nobody", Channels = ["mail"], Groups = ["cheap"] },
            ],
        }, Offers, errors);
        var told = string.Join('\n', errors.All.Select(e => e.ToString()));
        foreach (var expected in new[]
        {
            "'a/b' can't be a budget's name", "a budget of 0 pays for nothing", "'c' is no offer", "'sms' is no offer's channel",
            "'dear' is no offer's group", "unknown time zone 'Berlin'", "budget money is declared twice", "budget money can't be paced",
            "budget late ends before it begins", "no event is a click", "event", "offer a costs 2.5, more than all of budget dear",
            "offer a costs -1", "a budget of 4E-07 pays for nothing",
            "budget nobody pays for no offer, as its offers and channels and groups have none in common",
        })
            Assert.Contains(expected, told, StringComparison.Ordinal);
    }

    /// <summary>Whoever takes shard 0 over grants more of a past period only where a shard wants more of it.</summary>
    [Fact]
    public void A_past_period_is_not_granted_again_by_whoever_takes_the_allocator_over()
    {
        const string Spent = "budget/all@1970-01-01", Grants = "grant/all@1970-01-01/";
        var policy = new Shop(Offers, new DecisionOptions
        {
            Budgets = [new BudgetOptions { Name = "all", Amount = 1_000, Period = BudgetPeriod.Day }],
        }).Policy;
        var shared = new SharedState(new SharedScope(policy, lateness: TimeSpan.Zero));
        for (var i = 0; i < 3; i++) shared.Tallies.Load($"{Grants}{i}", [2e6]);
        var ledger = new BudgetLedger(policy, shared, 3);
        var now = 5 * 86_400_000L;
        for (var round = 0; round < 50; round++, now += BudgetLedger.Every)
            Assert.False(ledger.Allocate(Numbers(wanted: 9e6), now));
        Assert.True(ledger.Allocate(Numbers(wanted: 10e6), now));
        Assert.Equal(2e6, Granted(0));
        Assert.InRange(Granted(1), 3e6, 20e6); // one more at least
        Assert.Equal(2e6, Granted(2));
        // What comes up later is news as a whole.
        now += BudgetLedger.Every;
        Assert.True(ledger.Allocate(Numbers(10e6, "budget/all@1970-01-02"), now));
        Assert.InRange(shared.Tallies.Of("grant/all@1970-01-02/1", 1).Values[0], 1e6, 20e6);

        double Granted(int shard) => shared.Tallies.Of($"{Grants}{shard}", 1).Values[0];

        static SharedNumbers Numbers(double wanted, string? another = null)
        {
            var sum = new SharedSum([6e6, 18e6 + wanted], [new(0, [2e6, 9e6]), new(1, [2e6, wanted]), new(2, [2e6, 9e6])]);
            var sums = new Dictionary<string, SharedSum> { [Spent] = sum };
            if (another is not null) sums[another] = new SharedSum([0, 1e6], [new(1, [0, 1e6])]);
            return new SharedNumbers(sums, 1, null);
        }
    }

    /// <summary>An amount and a cost of the same digits are the same number of millionths, as people write them.</summary>
    [Fact]
    public void An_amount_pays_for_an_offer_that_costs_all_of_it()
    {
        var errors = new ConfigErrors();
        for (var cents = 1; cents < 100_000; cents++)
            Assert.Equal(cents * 10_000.0, Compile(cents / 100.0, "0.0").Amount);
        foreach (var (text, millionths) in new[] { ("1.005", 1_005_000), ("4.02", 4_020_000), ("0.000001", 1), ("999.99", 999_990_000) })
        {
            var budget = Compile(double.Parse(text, CultureInfo.InvariantCulture), text);
            Assert.Equal((millionths, millionths), (budget.Amount, budget.Costs[0]));
        }
        errors.ThrowIfAny();
        Compile(1.005, "1.005001");
        Assert.Contains("more than all of budget money", Assert.Single(errors.All).ToString(), StringComparison.Ordinal);

        Budget Compile(double amount, string cost) =>
            BudgetCompiler.Compile([Money with { Amount = amount, Cost = cost }], Offers, null, _ => new Scope(), errors)[0];
    }

    /// <summary>Shard 3's desk: what it was granted, and what it decides.</summary>
    private sealed class Desk
    {
        private readonly BudgetBook _book;
        private readonly DecisionRequest _request;

        public Desk(DecisionOptions options, OfferOptions[]? offers = null, int shard = 3)
        {
            Shop = new Shop(offers ?? Offers, options);
            Shared = new SharedState(new SharedScope(Shop.Policy, lateness: TimeSpan.Zero));
            _book = new BudgetBook(Shop.Policy.Budgets, Shared, shard);
            _request = Shop.Request(At);
        }

        public Shop Shop { get; }

        public SharedState Shared { get; }

        public void Grant(string name, double amount) => Shared.View.Take(1, [new SharedNumber(name, [Math.Round(amount * Budget.Units)])]);

        public (string Chosen, string DropOfA) Decide(long at = At, Switches? switches = null)
        {
            Run(at, switches ?? Shop.Policy.AllOn);
            return (Shop.Chosen, Drop(0));
        }

        public void Run(long at, Switches switches)
        {
            var request = _request with { DecidedAt = at };
            Shop.Funnel.Decide(request, Shop.Context, Shop.Scorer, 0, Shop.Profile, switches, Shop.Result, _book);
            if (Shop.Result.Outcome == Outcome.Served) _book.Served(Shop.Result.Chosen, at);
        }

        public string Drop(int offer) =>
            Encoding.UTF8.GetString(new EncodedPolicy("e", ["t"], Shop.Policy, "").Drop(Shop.Result, offer)[1..]);
    }
}
