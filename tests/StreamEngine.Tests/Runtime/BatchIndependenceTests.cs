using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Runtime;

public sealed class BatchIndependenceTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Process_InBatchesOf1And7And1000_WritesTheSameBytes(int seed)
    {
        using var engine = Scenario.Compile(Scenario.WithTextRules(Scenario.Options()), new LinearModels(seed: 1));
        var one = Run(engine, seed, 1);
        var seven = Run(engine, seed, 7);
        var thousand = Run(engine, seed, 1_000);

        Assert.Contains("actions", one.Keys);
        Assert.Contains("late", one.Keys);
        Assert.Contains("dead-letter", one.Keys);
        Assert.True(one["decisions"].Count > 300);
        AssertSame(one, seven);
        AssertSame(one, thousand);
    }

    [Fact]
    public void Process_WithExperimentsAndDiversity_WritesTheSameBytes()
    {
        var options = Scenario.Options();
        options = options with
        {
            Offers = [.. options.Offers.Select(o => o with { Group = "all", Holdout = new HoldoutOptions { Share = 0.2 } })],
            Decisions = options.Decisions with
            {
                Diversity = new DiversityOptions { MaxPerGroup = 2 },
                Experiments =
                [
                    new ExperimentOptions
                    {
                        Name = "red",
                        Coverage = 0.8,
                        Variations =
                        [
                            new() { Name = "control" },
                            new() { Name = "arm", Without = ["c"], Levers = [new() { Name = "a", By = "features.revenue / 100.0" }] },
                        ],
                    },
                ],
            },
        };
        using var engine = Scenario.Compile(options, new LinearModels(seed: 1));
        var one = Run(engine, 4, 1);
        AssertSame(one, Run(engine, 4, 7));
        AssertSame(one, Run(engine, 4, 1_000));
    }

    [Fact]
    public void Process_WithExploration_WritesTheSameBytes()
    {
        var options = Scenario.Options();
        string[] placements = [.. options.Offers.SelectMany(o => o.Placements).Append("home").Distinct()];
        options = options with
        {
            Decisions = options.Decisions with
            {
                Exploration = [.. placements.Select(p => new ExplorationOptions
                {
                    Name = p,
                    Method = ExplorationMethod.Softmax,
                    Temperature = 1,
                })],
            },
        };
        using var engine = Scenario.Compile(options, new LinearModels(seed: 1));
        using var greedy = Scenario.Compile(Scenario.Options(), new LinearModels(seed: 1));
        var one = Run(engine, 4, 1);
        Assert.NotEqual(Run(greedy, 4, 1)["actions"].Select(a => Convert.ToHexString(a.Value)),
            one["actions"].Select(a => Convert.ToHexString(a.Value)));
        AssertSame(one, Run(engine, 4, 7));
        AssertSame(one, Run(engine, 4, 1_000));
    }

    /// <summary>Here timers open decisions as well: outcomes and closings must stand in the same order.</summary>
    [Theory]
    [InlineData(6)]
    [InlineData(7)]
    public void Process_WithOutcomes_WritesTheSameBytes(int seed)
    {
        using var engine = Scenario.Compile(Scenario.Options() with { Outcomes = Scenario.Outcomes }, new LinearModels(seed: 1));
        var one = Run(engine, seed, 1);
        Assert.True(one["outcomes"].Count > 500);
        AssertSame(one, Run(engine, seed, 7));
        AssertSame(one, Run(engine, seed, 1_000));
    }

    [Fact]
    public void Process_TwoSources_NotesTheirOrder()
    {
        using var engine = Scenario.Compile(Scenario.Options(twoSources: true), new LinearModels(seed: 1));
        var one = Run(engine, 5, 1, sources: 2);
        AssertSame(one, Run(engine, 5, 64, sources: 2));
    }

    /// <summary>
    /// Over files a shard follows its own numbers, at seconds of event time: budgets that are paced, and charged by outcomes, must come out
    /// the same wherever a batch ends.
    /// </summary>
    [Fact]
    public void Files_WithBudgets_AreDecidedTheSameInEveryBatch_AndNothingIsOverspent()
    {
        var options = Scenario.Options();
        options = options with
        {
            Outcomes = Scenario.Outcomes,
            Decisions = options.Decisions with
            {
                Budgets =
                [
                    new BudgetOptions { Name = "paced", Amount = 60, Period = BudgetPeriod.Day, Pacing = Pacing.Even, Offers = ["a", "b"] },
                    new BudgetOptions { Name = "clicks", Amount = 5, Offers = ["c"], Charge = BudgetCharge.Click },
                ],
            },
        };
        using var engine = Scenario.Compile(options, new LinearModels(seed: 1));
        var one = RunFiles(engine, 1);
        var drops = engine.Policy.Budgets.Select((b, i) => one.Counters.Drops[(int)DropReason.Budget]).Max();
        Assert.True(drops > 100, $"only {drops} were refused");
        Assert.All(one.Budgets.Where(b => b.Budget == "paced"), b => Assert.InRange(b.Spent, 1, b.Amount));
        Assert.Contains(one.Budgets, b => b.Budget == "clicks" && b.Spent >= b.Amount);
        Assert.Equal(one.Served.Values.Sum(), one.Budgets.Where(b => b.Budget == "paced").Sum(b => b.Spent));
        foreach (var batch in new[] { 7, 1_000 })
        {
            var other = RunFiles(engine, batch);
            AssertSame(one.Outputs, other.Outputs);
            Assert.Equal(one.Budgets, other.Budgets);
        }
    }

    /// <summary>The same for what placements learn, alone and beside budgets, and for events that are hours apart.</summary>
    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(false, 5_000)]
    [InlineData(true, 5_000)]
    public void Files_WithPlacementsThatLearn_AreDecidedTheSameInEveryBatch(bool withBudget, int apart)
    {
        var options = Scenario.Options();
        string[] placements = [.. options.Offers.SelectMany(o => o.Placements).Distinct()];
        options = options with
        {
            Outcomes = Scenario.Outcomes,
            Decisions = options.Decisions with
            {
                Exploration = [.. placements.Select(p => new ExplorationOptions
                {
                    Name = p,
                    Method = ExplorationMethod.Thompson,
                    Reward = RewardKind.Click,
                })],
                Budgets = withBudget ? [new BudgetOptions { Name = "day", Amount = 9, Period = BudgetPeriod.Day, Offers = ["a"] }] : [],
            },
        };
        using var engine = Scenario.Compile(options, new LinearModels(seed: 1));
        var one = RunFiles(engine, 1, apart);
        Assert.True(one.Counters.Rewards[0] > 20, $"only {one.Counters.Rewards[0]} rewards counted");
        foreach (var batch in new[] { 7, 1_000 })
        {
            var other = RunFiles(engine, batch, apart);
            AssertSame(one.Outputs, other.Outputs);
            Assert.Equal(one.Budgets, other.Budgets);
        }
    }

    private static (Dictionary<string, List<Written>> Outputs, ShardCounters Counters, List<BudgetState> Budgets,
        Dictionary<string, long> Served) RunFiles(CompiledEngine engine, int size,
        int apart = 1)
    {
        using var decisions = new DecisionBatch(engine);
        var outputs = new OutputBuffer();
        using var shard = new Shard(engine, 0, new MemoryStateStore(), outputs, decisions, TimeProvider.System);
        var pass = new FilePass(shard);
        var batch = new RecordBatch();
        var (offset, last) = (0, 0L);
        foreach (var (key, text, old) in Scenario.Events(apart == 1 ? 5_000 : 1_500, 40, seed: 9).OrderBy(e => e.Time))
        {
            var time = Scenario.Start + apart * (old - Scenario.Start);
            var json = text.Replace($"\"time\":{old}", $"\"time\":{time}", StringComparison.Ordinal);
            batch.Add(0, 0, offset++, time, Encoding.UTF8.GetBytes(key), true, Encoding.UTF8.GetBytes(json), true);
            last = time;
            if (batch.Count < size) continue;
            pass.Process(batch);
            decisions.Flush();
            batch.Clear();
        }
        pass.Process(batch);
        decisions.Flush();
        var written = Enumerable.Range(0, outputs.Count).Select(i => new Written(engine.Outputs.Names[outputs[i].Topic],
            outputs[i].Partition, Encoding.UTF8.GetString(outputs.Key(i)), outputs.Value(i).ToArray())).GroupBy(o => o.Topic)
            .ToDictionary(g => g.Key, g => g.ToList());
        var served = new[] { 0, 1 }.ToDictionary(o => engine.Policy.Offers[o].Name, o => shard.Counters.Actions[o]);
        return (written, shard.Counters, [.. BudgetState.All(engine.Policy, pass.Shared!, last)], served);
    }

    private static Dictionary<string, List<Written>> Run(CompiledEngine engine, int seed, int batch, int sources = 1)
    {
        using var driver = new ShardDriver(engine);
        var random = new Random(seed);
        var n = 0;
        foreach (var (key, json, time) in Scenario.Events(5_000, 40, seed))
        {
            driver.Add(key, json, time, random.Next(sources));
            if (++n % batch == 0) driver.Process();
        }
        driver.Process();
        return driver.Outputs.GroupBy(o => o.Topic).ToDictionary(g => g.Key, g => g.ToList());
    }

    private static void AssertSame(Dictionary<string, List<Written>> expected, Dictionary<string, List<Written>> actual)
    {
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        foreach (var (topic, records) in expected)
        {
            Assert.Equal(records.Count, actual[topic].Count);
            for (var i = 0; i < records.Count; i++)
                Assert.True(records[i].Value.AsSpan().SequenceEqual(actual[topic][i].Value), $"{topic}, record {i} differs");
        }
    }
}
