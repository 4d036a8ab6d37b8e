using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.State.Checkpoints;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>
/// A timer that a late event armed is due already, yet fires only with the next record. A checkpoint may catch it in between.
/// </summary>
public sealed class CheckpointTimerTests : IDisposable
{
    private const long Minute = 60_000, Late = Scenario.Start + 120 * Minute;

    private readonly string _folder = Directory.CreateTempSubdirectory("timer-").FullName;
    private readonly CompiledEngine _engine;
    private readonly OutputBuffer _outputs = new();
    private readonly RecordBatch _batch = new();
    private readonly DecisionBatch _decisions;

    public CheckpointTimerTests()
    {
        var options = Scenario.Options();
        _engine = Scenario.Compile(options with
        {
            Time = options.Time with { Lateness = TimeSpan.FromHours(3) },
            Timers = [options.Timers[0]],
            Decisions = options.Decisions with { Triggers = [options.Decisions.Triggers[1]], Holdout = null },
            Checkpoints = new CheckpointOptions { Interval = TimeSpan.FromTicks(1) },
        }, new LinearModels(1));
        _decisions = new DecisionBatch(_engine);
    }

    public void Dispose()
    {
        _decisions.Dispose();
        _engine.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static void Commit(Shard shard)
    {
        shard.Seal();
        shard.Committed();
    }

    [Fact]
    public void A_timer_that_waited_when_its_slice_was_copied_fires_once_and_not_before()
    {
        using (var first = Open(out var files))
        {
            files.Begin(null, null);
            Process(first, 0, ("c", "search", Scenario.Start));
            Commit(first); // a cut begins behind the first event
            Process(first, 1, ("other", "search", Late), ("c", "cart_add", Late - 40 * Minute));
            Commit(first); // its slice: c's cart is due since 20 minutes, and waits for the next record
        }
        Assert.Equal(0, _outputs.Count);

        using var second = Open(out var again);
        var (path, cut) = Assert.Single(CheckpointFiles.Cuts(_folder));
        Assert.Equal([1L], cut.Marker.Start.Next);
        Assert.Equal([3L], cut.Highest);
        again.Begin(path, cut);
        var restore = second.BeginRestore();
        restore.StartAt(cut.Marker);
        using (var load = new FileCutLoad(path, cut))
            while (load.Step(restore)) { }
        Fill(1, ("other", "search", Late), ("c", "cart_add", Late - 40 * Minute));
        restore.Replay(_batch, 0, _batch.Count, 0);
        restore.Done(cut.Marker);
        Assert.Equal(1, second.Counters.TimersWaiting);

        Process(second, 3, ("other", "search", Late + 1));
        Process(second, 4, ("other", "search", Late + 2));
        var decision = default(LoggedDecision);
        var carts = Enumerable.Range(0, _outputs.Count).Count(i => _outputs[i].Topic == _engine.Outputs.Decisions
            && LoggedDecision.TryParse(_outputs.Value(i), ref decision) && decision.Kind == DecisionKind.Decision);
        Assert.Equal(1, carts);
    }

    private Shard Open(out CheckpointFiles files)
    {
        var shard = new Shard(_engine, 0, new MemoryStateStore(), _outputs, _decisions, TimeProvider.System);
        files = new CheckpointFiles(_folder, _ => { });
        shard.KeepCheckpoints(files, 1 << 18, () => Task.FromResult(0L));
        return shard;
    }

    private void Process(Shard shard, long offset, params (string Customer, string Type, long Time)[] events)
    {
        Fill(offset, events);
        shard.Process(_batch, 0, _batch.Count);
        _decisions.Flush();
    }

    private void Fill(long offset, params (string Customer, string Type, long Time)[] events)
    {
        _batch.Clear();
        foreach (var (customer, type, time) in events)
            _batch.Add(0, 0, offset, 0, default, false, Encoding.UTF8.GetBytes($$"""{"id":"e{{offset++}}","customer":"{{customer}}","type":"{{type}}","time":{{time}},"value":1,"placement":"","consent":["personalization"]}"""), true);
    }
}
