using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Runtime;
using StreamEngine.State;

namespace StreamEngine.Testing;

/// <summary>One record that a shard wrote.</summary>
public sealed record Written(string Topic, int Partition, string Key, byte[] Value);

/// <summary>
/// Drives one shard without a log, for tests: pipe records in, read what it wrote. Deterministic: no threads, the clock is yours. What a
/// record of the real loop goes through (steps 2 to 9) is the same code.
/// </summary>
public sealed class ShardDriver : IDisposable
{
    private readonly OutputBuffer _outputs = new();
    private readonly DecisionBatch _decisions;
    private readonly RecordBatch _batch = new();
    private readonly CompiledEngine _engine;
    private readonly long[] _next;

    /// <summary>Makes a shard over a memory store, or the one given: partition 0 of so many.</summary>
    public ShardDriver(CompiledEngine engine, IStateStore? store = null, TimeProvider? time = null, int partitions = 1,
        SourceWatch? watch = null)
    {
        _engine = engine;
        _next = new long[engine.Events.Sources.Count];
        _decisions = new DecisionBatch(engine);
        Shard = new Shard(engine, 0, store ?? new MemoryStateStore(), _outputs, _decisions, time ?? TimeProvider.System,
            new PartitionCounts(partitions))
        {
            Watch = watch,
        };
    }

    /// <summary>The shard.</summary>
    public Shard Shard { get; }

    /// <summary>The most bytes of an output that the log behind it would take.</summary>
    public int MaxOutputBytes { set => _outputs.MaxRecordBytes = value; }

    /// <summary>Everything written so far, in order.</summary>
    public List<Written> Outputs { get; } = [];

    /// <summary>Adds a record to the batch being collected; its offset follows the last of its source.</summary>
    public ShardDriver Add(string key, byte[] value, long timestamp, int source = 0)
    {
        _batch.Add(source, 0, _next[source]++, timestamp, Encoding.UTF8.GetBytes(key), true, value, true);
        return this;
    }

    /// <summary>Adds a record with text as its value.</summary>
    public ShardDriver Add(string key, string value, long timestamp, int source = 0) =>
        Add(key, Encoding.UTF8.GetBytes(value), timestamp, source);

    /// <summary>Processes what was added as one batch.</summary>
    public ShardDriver Process()
    {
        // As a worker does before a shard's first record; of no effect where the config has no segments.
        if (ReferenceEquals(Shard.State.Switches, _engine.Policy.Unmarked)) Shard.Switch(_engine.Policy.AllOn);
        for (var from = 0; from < _batch.Count;)
        {
            var to = from + 1;
            while (to < _batch.Count && _batch[to].Topic == _batch[from].Topic) to++;
            Shard.Process(_batch, from, to);
            from = to;
        }
        _decisions.Flush();
        _batch.Clear();
        Collect();
        return this;
    }

    /// <summary>
    /// Makes the state of a fresh shard again, as a restart does: from records of its first source, and behind each the decisions that it
    /// caused.
    /// </summary>
    public void Restore(IEnumerable<(string Key, byte[] Value, long Timestamp, List<Written> Decisions)> log)
    {
        var pass = Shard.BeginRestore();
        foreach (var (key, value, timestamp, decisions) in log)
        {
            Add(key, value, timestamp);
            pass.Replay(_batch, 0, 1, 0);
            _batch.Clear();
            foreach (var decision in decisions)
            {
                var entry = default(LoggedDecision);
                if (!LoggedDecision.TryParse(decision.Value, ref entry)) throw new InvalidDataException(entry.Error);
                pass.Apply(entry, 0, decision.Value);
            }
        }
        pass.Done(null);
        Collect();
    }

    /// <summary>Moves the watermark and fires what is due.</summary>
    public void FinishAt(long watermark)
    {
        new FilePass(Shard).Finish(watermark);
        Collect();
    }

    /// <summary>Lets the shard look at the clock.</summary>
    public void AdvanceIdle()
    {
        Shard.AdvanceIdle();
        Collect();
    }

    /// <summary>The features of a customer as of a time, ms.</summary>
    public double[] Features(string customer, long at)
    {
        var vector = new double[_engine.Features.Width];
        Shard.ReadFeatures(Encoding.UTF8.GetBytes(customer), at, vector);
        return vector;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Shard.Dispose();
        _decisions.Dispose();
    }

    private void Collect()
    {
        for (var i = 0; i < _outputs.Count; i++)
            Outputs.Add(new Written(_engine.Outputs.Names[_outputs[i].Topic], _outputs[i].Partition,
                Encoding.UTF8.GetString(_outputs.Key(i)), _outputs.Value(i).ToArray()));
        _outputs.Clear();
    }
}
