using StreamEngine.Connectors;
using StreamEngine.Runtime;
using StreamEngine.State;

namespace StreamEngine.Testing;

/// <summary>
/// A shard with its buffers, driven in batches of 1,000 and emptied after each: the pipeline without a log, for benchmarks and allocation
/// tests.
/// </summary>
public sealed class ShardBench : IDisposable
{
    private readonly OutputBuffer _outputs = new();
    private readonly RecordBatch _batch = new();
    private readonly DecisionBatch _decisions;
    private long _next;

    /// <summary>Makes a shard over a memory store, or the one given.</summary>
    public ShardBench(CompiledEngine engine, IStateStore? store = null)
    {
        _decisions = new DecisionBatch(engine);
        Shard = new Shard(engine, 0, store ?? new MemoryStateStore(), _outputs, _decisions, TimeProvider.System);
    }

    /// <summary>The shard.</summary>
    public Shard Shard { get; }

    /// <summary>Processes records <paramref name="from"/> to <paramref name="from"/> + <paramref name="count"/>.</summary>
    public void Run(IReadOnlyList<byte[]> records, int from, int count)
    {
        for (var i = from; i < from + count;)
        {
            _batch.Clear();
            for (var n = 0; n < 1_000 && i < from + count; n++, i++) _batch.Add(0, 0, _next++, 0, default, false, records[i], true);
            Shard.Process(_batch, 0, _batch.Count);
            _decisions.Flush();
            _outputs.Clear();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Shard.Dispose();
        _decisions.Dispose();
    }
}
