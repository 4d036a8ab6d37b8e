using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Decisions;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.Testing;
using StreamEngine.Tests.Simulation;
using Xunit;

namespace StreamEngine.Tests.Sharing;

/// <summary>A running engine shares a budget over its shards, and one that goes on behind it spends the rest.</summary>
public sealed class BudgetRunTests : IDisposable
{
    private const int Amount = 40, Partitions = 3;

    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("budget-").FullName;
    private readonly EmbeddedLog _log;
    private readonly CompiledEngine _compiled;
    private long _time = Scenario.Start;
    private int _sent;

    public BudgetRunTests()
    {
        var options = Scenario.Options();
        _compiled = Scenario.Compile(options with
        {
            Decisions = options.Decisions with
            {
                Holdout = null,
                Caps = [],
                Triggers = [options.Decisions.Triggers[0]],
                Budgets = [new BudgetOptions { Name = "money", Amount = Amount, Cost = "1.0" }],
            },
            Shared = new SharingOptions { Refresh = TimeSpan.FromMilliseconds(10) },
        }, new LinearModels(1));
        _log = new EmbeddedLog(new EmbeddedLogOptions(Path.Combine(_folder, "log")));
        _log.CreateTopics(Topics.Needed(_compiled.Options, Partitions));
    }

    public void Dispose()
    {
        _log.Dispose();
        _compiled.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task What_all_shards_spend_is_never_more_than_the_amount_and_in_the_end_no_less()
    {
        await SpendAsync(Amount / 2);
        var first = Served();
        Assert.InRange(first, Amount / 2, Amount);
        Assert.Equal(first, State().Spent); // the engine is stopped: the topic agrees with the log
        await SpendAsync(Amount);
        Assert.Equal(Amount, Served());
        Assert.Equal(new BudgetState("money", "all", Amount, Amount, Amount, Amount), State());
        // What a shard decided by is in its log: never more than the marks before have granted.
        for (var shard = 0; shard < Partitions; shard++)
        {
            var (granted, spent, refused) = (0.0, 0.0, 0);
            foreach (var entry in Logged(shard))
            {
                if (entry.Shared is { } mark)
                {
                    var (name, values) = Assert.Single(mark.Numbers);
                    Assert.Equal($"grant/money@all/{shard}", name);
                    granted = values[0] / Budget.Units;
                }
                else if (entry.Offer is not null) Assert.True(++spent <= granted, $"{spent} of {granted} in shard {shard}");
                else
                {
                    Assert.Equal("no_offer", entry.Outcome);
                    Assert.Contains(entry.Candidates, c => c.Drop == "budget:money");
                    Assert.True(spent + 1 > granted);
                    refused++;
                }
            }
            Assert.True(refused > 0);
        }
    }

    /// <summary>
    /// Where the topic is deleted and made anew while engines run, what live shards add is written again: grants too, so shards spend on.
    /// </summary>
    [Fact]
    public async Task A_topic_that_is_made_anew_under_way_has_all_numbers_of_live_shards_again()
    {
        using var engine = Start();
        await SpendAllAsync(Amount / 2);
        await Until(() => Sums(engine)["budget/money@all"][0] == Served() * Budget.Units, "what is spent to be read");
        var before = Sums(engine);
        engine.Shared!.Forget();
        // Every number is there again, and none of them ever shrinks.
        await Until(() => engine.Shared.IsReady && Sums(engine) is var now && before.All(n => now.TryGetValue(n.Key, out var values)
            && values.Zip(n.Value).All(v => v.First >= v.Second)), "the numbers to be there again");
        await SpendAllAsync(Amount);
        engine.Stop();
        await engine.Completion.WaitAsync(Long);
        Assert.Equal(Amount, Served());
    }

    private static Dictionary<string, double[]> Sums(Engine engine) =>
        engine.Shared!.Current.Sums.ToDictionary(s => s.Key, s => s.Value.Values, StringComparer.Ordinal);

    /// <summary>An engine runs until so much is spent, while customers come.</summary>
    private async Task SpendAsync(int wanted)
    {
        using var engine = Start();
        await SpendAllAsync(wanted);
        engine.Stop();
        await engine.Completion.WaitAsync(Long);
        Assert.True(engine.Metrics.Totals().SharedWritten > 0 && engine.Metrics.Totals().SharedMarks > 0);
    }

    private Engine Start()
    {
        var engine = new Engine(new WorkerSettings
        {
            Engine = _compiled,
            Log = _log,
            InstanceId = "w",
            OpenStore = _ => new MemoryStateStore(),
        });
        engine.Start();
        return engine;
    }

    /// <summary>Customers come until so much is spent.</summary>
    private Task SpendAllAsync(int wanted) => Until(() =>
    {
        if (Served() >= wanted) return true;
        Send(6);
        return false;
    }, $"{wanted} to be spent");

    private async Task Until(Func<bool> condition, string what)
    {
        for (var began = TimeProvider.System.GetTimestamp(); !condition(); await Task.Delay(30))
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Long, $"Waited for {what}; {Served()} are spent");
    }

    private void Send(int views)
    {
        using var writer = _log.OpenWriter();
        for (; views > 0; views--)
        {
            var customer = $"c{_sent++}";
            var view = $$"""{"id":"e{{_sent}}","customer":"{{customer}}","type":"page_view","time":"""
                + $$"""{{_time += 1_000}},"value":0,"placement":"home","consent":["personalization"]}""";
            writer.Write("shop", Encoding.UTF8.GetBytes(customer), Encoding.UTF8.GetBytes(view), _time);
        }
        writer.Flush();
    }

    private BudgetState State() => Assert.Single(BudgetState.Now(_compiled.Policy, SharedBoard.ReadAll(_log, _compiled, _ => { }, default),
        TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()));

    private int Served() => Enumerable.Range(0, Partitions).Sum(p => Logged(p).Count(d => d.Offer is not null));

    private List<SimDecision> Logged(int partition)
    {
        var at = new TopicPartition("decisions", partition);
        var (low, high) = _log.Watermarks(at);
        using var reader = _log.OpenReader();
        reader.Assign(at, low);
        var (all, batch) = (new List<SimDecision>(), new RecordBatch());
        while (reader.Position < high)
        {
            reader.Read(batch, 1_000, TimeSpan.FromMilliseconds(100));
            for (var i = 0; i < batch.Count; i++) all.Add(new SimDecision(batch.Value(i).ToArray()));
        }
        return all;
    }
}
