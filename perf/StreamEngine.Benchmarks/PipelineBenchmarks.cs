using BenchmarkDotNet.Attributes;
using StreamEngine.Connectors;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.State.Faster;

namespace StreamEngine.Benchmarks;

/// <summary>
/// Steps 2 to 9 of the measured job on one thread, without a log: what one core can do at most. One operation is one event.
/// </summary>
public abstract class PipelineBenchmarks(string when, bool faster)
{
    private readonly JobEvents _events = new();
    private readonly OutputBuffer _outputs = new();
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"streamengine-benchmark-{Guid.NewGuid():N}");
    private CompiledEngine _engine = null!;
    private DecisionBatch _decisions = null!;
    private Shard _shard = null!;

    [GlobalSetup]
    public void Setup()
    {
        _engine = MeasuredJob.Compile($"decisions.triggers.placed_view.when={when}");
        _decisions = new DecisionBatch(_engine);
        IStateStore store = faster ? new FasterStateStore(new FasterStateOptions(_directory)) : new MemoryStateStore();
        _shard = new Shard(_engine, 0, store, _outputs, _decisions, TimeProvider.System);
        for (var i = 0; i < 100; i++) Events();
        var counters = _shard.Counters;
        if (counters.Admitted != counters.Records || counters.Decisions == 0 != (when == "false"))
            throw new InvalidOperationException($"of {counters.Records} records {counters.Admitted} were admitted and {counters.Decisions} "
                + "decided");
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _shard.Dispose();
        _decisions.Dispose();
        _engine.Dispose();
        if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
    }

    [Benchmark(OperationsPerInvoke = JobEvents.BatchSize)]
    public void Events()
    {
        var batch = _events.Next();
        _shard.Process(batch, 0, batch.Count);
        _decisions.Flush();
        _outputs.Clear();
    }
}

/// <summary>No event opens a decision; profiles in memory.</summary>
public class PipelineWithoutDecisions() : PipelineBenchmarks("false", faster: false);

/// <summary>No event opens a decision; profiles in FASTER.</summary>
public class PipelineWithoutDecisionsFaster() : PipelineBenchmarks("false", faster: true);

/// <summary>The job as it is: about every seventh event opens a decision; profiles in FASTER.</summary>
public class PipelineOfJob() : PipelineBenchmarks("event.type == 'page_view' && event.placement != ''", faster: true);

/// <summary>Every event opens a decision; profiles in FASTER.</summary>
public class PipelineDecidingAlways() : PipelineBenchmarks("true", faster: true);
