using StreamEngine.Connectors;
using StreamEngine.Runtime;

namespace StreamEngine.Tests.Simulation;

/// <summary>
/// The processes follow the topic of shared numbers, each when a seed says so: late, a few records at once, and no further than what is
/// decided, as a reader of committed records does.
/// </summary>
/// <param name="driver">Drives the processes.</param>
/// <param name="random">Makes the choices.</param>
internal sealed class SimShared(SimDriver driver, Random random)
{
    private static readonly TopicPartition Topic = new("shared", 0);

    private readonly RecordBatch _batch = new();

    /// <summary>A fresh process' view; null where the config shares nothing.</summary>
    public static SharedBoard? Open(CompiledEngine engine) =>
        engine.Outputs.Shared < 0 ? null : new SharedBoard(engine.Options.Name, engine.Options.Shared.Topic);

    /// <summary>A view that has read everything.</summary>
    public SharedBoard? All(CompiledEngine engine)
    {
        if (Open(engine) is not { } board) return null;
        Hear(board, 0, int.MaxValue);
        return board;
    }

    /// <summary>At a boundary between two steps a process may look at the topic.</summary>
    public void May()
    {
        foreach (var process in driver.Cluster.Processes)
            if (process.Shared is not null && random.Next(2) == 0)
                process.SharedPosition = Hear(process.Shared, process.SharedPosition,
                    random.Next(3) == 0 ? random.Next(1, 6) : int.MaxValue);
    }

    /// <summary>A process has read the topic as far as it can be read.</summary>
    public void Hear(SimProcess process)
    {
        if (process.Shared is not null) process.SharedPosition = Hear(process.Shared, process.SharedPosition, int.MaxValue);
    }

    private long Hear(SharedBoard board, long position, int most)
    {
        var partition = driver.Log.Known(Topic);
        _batch.Clear();
        partition.Read(_batch, 0, ref position, most);
        board.Take(_batch, partition.High, position);
        board.ReadTo(position);
        board.Publish(isComplete: position >= partition.High);
        return position;
    }
}
