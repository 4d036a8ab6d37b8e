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

    [Fact]
    public void A_timer_that_waited_when_its_slice_was_copied_fires_once_and_not_before()
    {
        using (var first = UpToTheSlice()) Assert.Equal(0, _outputs.Count);

        using var second = Open(out var files);
        var restore = Load(second, files, out var cut);
        Fill(1, Behind);
        restore.Replay(_batch, 0, _batch.Count, 0);
        restore.Done(cut);
        Assert.Equal(1, second.Counters.TimersWaiting);

        Process(second, 3, ("other", "search", Late + 1));
        Process(second, 4, ("other", "search", Late + 2));
        Assert.Single(Decisions());
    }

    [Fact]
    public void One_that_fired_behind_its_slice_fires_there_again_in_a_restore_and_not_when_that_is_over()
    {
        using (var first = UpToTheSlice()) Process(first, 3, ("other", "search", Late + 1));
        var (entry, value) = Assert.Single(Decisions());

        using var second = Open(out var files);
        var restore = Load(second, files, out var cut);
        Fill(1, [.. Behind, ("other", "search", Late + 1)]);
        restore.Replay(_batch, 0, _batch.Count, 0);
        restore.Apply(entry, 0, value);
        restore.Done(cut);
        Assert.Equal(0, second.Counters.TimersWaiting);

        Process(second, 4, ("other", "search", Late + 2));
        Assert.Single(Decisions());
    }

    /// <summary>Behind the first event, where the cut begins: c's cart is due since 20 minutes, and waits for the next record.</summary>
    private static readonly (string, string, long)[] Behind = [("other", "search", Late), ("c", "cart_add", Late - 40 * Minute)];

    private Shard UpToTheSlice()
    {
        var shard = Open(out var files);
        files.Begin(null, null);
        Process(shard, 0, ("c", "search", Scenario.Start));
        Commit(shard); // a cut begins
        Process(shard, 1, Behind);
        Commit(shard); // its slice
        return shard;
    }

    private static void Commit(Shard shard)
    {
        shard.Seal();
        shard.Committed();
    }

    private RestorePass Load(Shard shard, CheckpointFiles files, out CutMarker marker)
    {
        var (path, cut) = Assert.Single(CheckpointFiles.Cuts(_folder));
        Assert.Equal([1L], cut.Marker.Start.Next);
        Assert.Equal([3L], cut.Highest);
        files.Begin(path, cut);
        var restore = shard.BeginRestore();
        restore.StartAt(marker = cut.Marker);
        using var load = new FileCutLoad(path, cut);
        while (load.Step(restore)) { }
        return restore;
    }

    private List<(LoggedDecision Entry, byte[] Value)> Decisions()
    {
        var found = new List<(LoggedDecision, byte[])>();
        for (var i = 0; i < _outputs.Count; i++)
        {
            var entry = default(LoggedDecision);
            if (_outputs[i].Topic == _engine.Outputs.Decisions && LoggedDecision.TryParse(_outputs.Value(i), ref entry)
                && entry.Kind == DecisionKind.Decision) found.Add((entry, _outputs.Value(i).ToArray()));
        }
        return found;
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
