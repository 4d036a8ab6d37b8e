using StreamEngine.Connectors;

namespace StreamEngine.Runtime;

/// <summary>
/// Where a restore that makes or fills a savepoint ends, and what it may start from. Nothing past it is applied, whatever the engine does
/// meanwhile.
/// </summary>
/// <param name="Offsets">By source, the offset before which events are applied.</param>
/// <param name="Decisions">The decision partition's offset before which entries are applied.</param>
/// <param name="Checkpoints">The folder of the shard's checkpoints, which is only read; null where the restore starts from none.</param>
/// <param name="Cuts">Whether the checkpoint topic counts.</param>
internal sealed record RestoreBounds(long[] Offsets, long Decisions, string? Checkpoints, bool Cuts)
{
    private const int Tries = 200;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(3);

    /// <summary>
    /// What is committed now. The sources' offsets are committed together and asked one by one: they belong to one commit where asking
    /// twice gives the same.
    /// </summary>
    /// <exception cref="LogException">The engine commits faster than the log answers.</exception>
    public static RestoreBounds Committed(ILog log, CompiledEngine engine, int partition, string? checkpoints, TimeProvider time,
        CancellationToken stop)
    {
        var offsets = Ask();
        for (var tries = 0; engine.Events.Sources.Count > 1; tries++)
        {
            var again = Ask();
            if (again.AsSpan().SequenceEqual(offsets)) break;
            if (tries == Tries)
                throw new LogException($"Shard {partition}: the engine commits faster than the log tells its offsets. Try again when less "
                    + "is going on, raise runtime.commit_interval, or stop the engine.");
            offsets = again;
            Task.Delay(Pause, time).Wait(stop);
        }
        return new RestoreBounds(offsets, long.MaxValue, checkpoints, Cuts: true);

        long[] Ask() => [.. engine.Events.Sources.Select(s => new TopicPartition(s.Topic, partition))
            .Select(at => log.Committed(engine.Options.Name, at) ?? log.Watermarks(at).Low)];
    }
}
