using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.Testing;
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

    private void Fill(int source, string type, long time)
    {
        _batch.Clear();
        _batch.Add(source, 0, 0, 0, default, false, Encoding.UTF8.GetBytes($$"""{"id":"e","customer":"c","type":"{{type}}","time":{{time}},"value":1,"placement":"","consent":["personalization"]}"""), true);
    }
}
