using StreamEngine.Events;

namespace StreamEngine.Runtime;

/// <summary>
/// Says in the log, when it happens, what of a source's records goes wrong and ends nothing: that all of the first ones are rejected (<see
/// cref="FirstRecords"/>), and that records lie in partitions that their customers do not hash to (<see cref="Misplacements"/>). One for
/// all workers of an engine; any thread may call it.
/// </summary>
public sealed class SourceWatch
{
    private readonly FirstRecords[] _first;
    private readonly Misplacements _misplaced;

    /// <summary>Watches an engine's sources.</summary>
    /// <param name="engine">The compiled config.</param>
    /// <param name="time">Measures how long nothing was told.</param>
    /// <param name="report">Takes the lines for the log.</param>
    public SourceWatch(CompiledEngine engine, TimeProvider time, Action<WorkerEvent> report)
    {
        _first = [.. engine.Events.Sources.Select(s => new FirstRecords(s, report))];
        _misplaced = new Misplacements(engine, time, report);
    }

    /// <summary>Nothing more comes: tells of sources that had fewer records than are waited for, and none was let in.</summary>
    public void Finish()
    {
        foreach (var source in _first) source.Finish();
    }

    /// <summary>A record was let in.</summary>
    internal void Admitted(int source) => _first[source].Admitted();

    /// <summary>A record was rejected; the writer knows why in words.</summary>
    internal void Rejected(in Connectors.RecordInfo record, Event e, RejectReason reason, ShardOutputs writer) =>
        _first[e.Source].Rejected(record, e, reason, writer);

    /// <summary>Takes what a shard has seen of misplaced records since it was asked last.</summary>
    internal void TakeMisplaced(Shard shard)
    {
        if (shard.State.Misplaced.Any) _misplaced.Take(shard.Partition, shard.State.Misplaced);
    }
}
