using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Decisions;
using Xunit;

namespace StreamEngine.Tests.Decisions.Budgets;

/// <summary>
/// What is given away is never more than what is released, nothing is taken back, and in the end nearly all of it is spent.
/// </summary>
public sealed class BudgetAllocatorTests
{
    private static readonly Gen<ShardBudget> Shard =
        from granted in Gen.Choose(0, 50)
        from spent in Gen.Choose(0, 60)
        from refused in Gen.Choose(0, 50)
        from target in Gen.Choose(0, 40)
        select new ShardBudget(granted, spent, spent + refused, refused == 0 ? 0 : target);

    [Fact]
    public void Never_more_is_given_away_than_is_released_and_nothing_is_taken_back()
    {
        var cases = from shards in Shard.ArrayOf()
                    from released in Gen.Choose(0, 400)
                    from cost in Gen.Choose(1, 20)
                    where shards.Length > 0
                    select (shards, released, cost);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2_000), Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var grants = new double[c.shards.Length];
            BudgetAllocator.Allocate(c.released, c.cost, c.shards, grants);
            var before = c.shards.Sum(s => s.Taken);
            var after = c.shards.Zip(grants, (s, g) => Math.Max(g, s.Spent)).Sum();
            // Outcomes may have overspent it already: then nothing more is given.
            return after <= Math.Max(before, c.released) && grants.Zip(c.shards, (g, s) => g >= s.Granted).All(same => same)
                && grants.All(g => g == Math.Floor(g));
        }));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 2)]
    [InlineData(12, 3)]
    public void Customers_enough_spend_all_of_it_but_what_shards_have_in_hand(int shards, int seed)
    {
        const double amount = 1_000, cost = 3;
        var random = new Random(seed);
        var weights = Enumerable.Range(0, shards).Select(_ => 1 + random.Next(20)).ToArray();
        var (granted, spent, wanted) = (new double[shards], new double[shards], new double[shards]);
        var demand = new ShardDemand(shards, 0);
        var most = Math.Floor(amount * BudgetLedger.MostInHand / shards);
        for (var round = 0; round < 400; round++)
        {
            for (var i = 0; i < shards; i++)
                for (var views = weights[i]; views > 0; views--)
                {
                    wanted[i] += cost;
                    if (spent[i] + cost <= granted[i]) spent[i] += cost;
                }
            demand.Follow(round * BudgetLedger.Every, wanted);
            BudgetAllocator.Allocate(amount, cost, [.. Enumerable.Range(0, shards).Select(i => new ShardBudget(granted[i], spent[i],
                wanted[i], demand.Target(i, cost, most)))], granted);
            Assert.True(granted.Sum() <= amount);
        }
        Assert.InRange(spent.Sum(), amount - cost * shards - cost, amount);
    }

    [Fact]
    public void What_is_released_bit_by_bit_goes_round_by_what_each_wants()
    {
        const double cost = 10;
        var (granted, spent, wanted) = (new double[3], new double[3], new double[] { 1, 1, 1 });
        for (var released = 0.0; released <= 600; released++)
        {
            for (var i = 0; i < 3; i++)
            {
                wanted[i] += (i + 1) * cost;
                while (spent[i] + cost <= granted[i]) spent[i] += cost;
            }
            BudgetAllocator.Allocate(released, cost, [.. Enumerable.Range(0, 3).Select(i => new ShardBudget(granted[i], spent[i], wanted[i],
                cost))], granted);
        }
        Assert.Equal(600, granted.Sum());
        for (var i = 0; i < 3; i++) Assert.InRange(granted[i], 100 * (i + 1) - 20, 100 * (i + 1) + 20);
    }

    [Fact]
    public void A_part_of_a_cost_is_given_to_nobody()
    {
        var grants = new double[2];
        BudgetAllocator.Allocate(19, 10, [new ShardBudget(10, 10, 50, 10), new ShardBudget(0, 0, 50, 10)], grants);
        Assert.Equal([10, 0], grants);
        BudgetAllocator.Allocate(20, 10, [new ShardBudget(10, 10, 50, 10), new ShardBudget(0, 0, 50, 10)], grants);
        Assert.Equal([10, 10], grants);
    }

    [Fact]
    public void Who_wants_nothing_gets_nothing_unless_it_is_alone()
    {
        var grants = new double[2];
        BudgetAllocator.Allocate(100, 10, [new ShardBudget(0, 0, 0, 0), new ShardBudget(0, 0, 50, 30)], grants);
        Assert.Equal([0, 30], grants);
        BudgetAllocator.Allocate(100, 10, [new ShardBudget(20, 20, 20, 0)], grants.AsSpan(0, 1));
        Assert.Equal(100, grants[0]);
    }

    [Fact]
    public void Demand_is_forgotten_after_two_silent_horizons()
    {
        var demand = new ShardDemand(1, 0);
        demand.Follow(250, [40]);
        Assert.Equal(40, demand.Target(0, 5, 1_000));
        Assert.Equal(12, demand.Target(0, 5, 12));
        Assert.Equal(15, demand.Target(0, 15, 12)); // a cost at least
        demand.Follow(ShardDemand.Horizon, [40]);
        Assert.Equal(40, demand.Target(0, 5, 1_000));
        Assert.Equal(40, new ShardDemand(1, 0, demand).Target(0, 5, 1_000));
        demand.Follow(2 * ShardDemand.Horizon, [40]);
        Assert.Equal(0, demand.Target(0, 5, 1_000));
    }
}
