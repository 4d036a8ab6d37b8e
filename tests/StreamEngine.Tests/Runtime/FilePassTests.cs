using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.Testing;
using StreamEngine.Tests.Decisions.Outcomes;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>What differs where records come from files.</summary>
public sealed class FilePassTests : IDisposable
{
    private readonly CompiledEngine _engine = Scenario.Compile(Scenario.Options(twoSources: true), new LinearModels(1));
    private readonly OutputBuffer _outputs = new();
    private readonly RecordBatch _batch = new();
    private readonly DecisionBatch _decisions;
    private readonly Shard _shard;

    public FilePassTests()
    {
        _decisions = new DecisionBatch(_engine);
        _shard = new Shard(_engine, 0, new MemoryStateStore(), _outputs, _decisions, TimeProvider.System);
    }

    public void Dispose()
    {
        _shard.Dispose();
        _decisions.Dispose();
        _engine.Dispose();
    }

    [Fact]
    public void Each_source_has_come_as_far_as_the_newest_of_any()
    {
        Fill(source: 0, "cart_add", Scenario.Start);
        new FilePass(_shard).Process(_batch);
        Assert.Equal(Scenario.Start, _shard.Counters.Watermark);

        // Live, the other source holds the watermark back.
        using var live = new Shard(_engine, 0, new MemoryStateStore(), _outputs, _decisions, TimeProvider.System);
        live.Process(_batch, 0, _batch.Count);
        Assert.Equal(long.MinValue, live.Counters.Watermark);
    }

    [Fact]
    public void The_end_fires_what_is_due()
    {
        var pass = new FilePass(_shard);
        Fill(source: 1, "cart_add", Scenario.Start);
        pass.Process(_batch);
        Assert.Equal(2, _shard.Counters.TimersWaiting);
        pass.Finish(Scenario.Start + 1_200_001); // the watermark has passed it
        Assert.Equal((1, 1), (_shard.Counters.TimersFired, _shard.Counters.TimersWaiting));
    }

    /// <summary>
    /// Seconds between events are what most histories have: where no reward has counted meanwhile, decisions go on waiting for each other's
    /// scores, and nothing is made anew. With budgets only what has changed is taken.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_has_not_changed_is_not_shared_again(bool withBudget)
    {
        const int views = 200;
        var options = OutcomeShop.Options();
        using var engine = OutcomeShop.Compile(options with
        {
            Decisions = options.Decisions with
            {
                Exploration = [new ExplorationOptions { Name = "home", Method = ExplorationMethod.Thompson, Reward = RewardKind.Click }],
                Budgets = withBudget ? [new BudgetOptions { Name = "all", Amount = 50 }] : [],
            },
        });
        using var decisions = new DecisionBatch(engine);
        using var shard = new Shard(engine, 0, new MemoryStateStore(), _outputs, decisions, TimeProvider.System);
        _batch.Clear();
        for (var i = 0; i < views; i++)
            _batch.Add(0, 0, i, 0, default, false, Encoding.UTF8.GetBytes(OutcomeShop.Json($"e{i}", $"c{i}", "page_view",
                Scenario.Start + 3_000 * i, placement: "home")), true);
        var before = decisions.Generation;
        new FilePass(shard).Process(_batch);
        decisions.Flush();
        Assert.Equal(views, shard.Counters.Decisions);
        var (flushes, generations) = (decisions.Generation - before, shard.State.Shared!.View.Generation);
        // The budget is granted before the first event, and no more of it later.
        if (withBudget) Assert.Equal((1, 50L), (generations, shard.Counters.Actions.Sum()));
        else Assert.Equal((true, 0), (flushes < 20, generations));
    }

    private void Fill(int source, string type, long time)
    {
        _batch.Clear();
        _batch.Add(source, 0, 0, 0, default, false, Encoding.UTF8.GetBytes($$"""{"id":"e","customer":"c","type":"{{type}}","time":{{time}},"value":1,"placement":"","consent":["personalization"]}"""), true);
    }
}
