using StreamEngine.Connectors;
using StreamEngine.State.Savepoints;

namespace StreamEngine.Runtime.Savepoints;

/// <summary>
/// Whether an engine could go on from a savepoint in its log: asked before anything is written, because an engine that starts would pass
/// over a cut that does not fit.
/// </summary>
internal static class SavepointFit
{
    private const int Most = 5;

    /// <summary>Checks partitions, committed offsets and what the log still holds; all that is wrong is told.</summary>
    /// <exception cref="LogException">It can't.</exception>
    public static void Check(ILog log, CompiledEngine engine, SavepointManifest savepoint)
    {
        var partitions = Topics.Check(log, engine).Sources;
        if (partitions != savepoint.Partitions)
            throw new LogException($"The savepoint has {savepoint.Partitions} shards, the sources have {partitions} partitions: customers "
                + $"stand in other partitions than they did. Restore it on a log with {savepoint.Partitions} partitions, or start without "
                + "it.");
        var faults = new List<string>();
        foreach (var shard in savepoint.Shards)
        {
            for (var i = 0; i < shard.Offsets.Count; i++)
                CheckSource(log, engine, savepoint, new TopicPartition(engine.Events.Sources[i].Topic, shard.Shard), shard.Offsets[i],
                    faults);
            var at = new TopicPartition(savepoint.Decisions, shard.Shard);
            var (low, high) = log.Watermarks(at);
            if (shard.Decisions < low)
                faults.Add($"{at.Topic}[{at.Partition}] begins at offset {low}: what was decided since the savepoint, from offset "
                    + $"{shard.Decisions} on, was deleted");
            else if (shard.Decisions > high)
                faults.Add($"{at.Topic}[{at.Partition}] ends at offset {high}, the savepoint stands at {shard.Decisions}: it is not the "
                    + "log that the savepoint was made of");
        }
        if (faults.Count == 0) return;
        var rest = faults.Count > Most ? $"; and {faults.Count - Most} more" : "";
        throw new LogException($"The savepoint does not fit this log: {string.Join("; ", faults.Take(Most))}{rest}. Nothing was written. "
            + "Use a newer savepoint, or start without one: the engine is then rebuilt from its log.");
    }

    /// <summary>Whether the log no longer reaches back to the first record of any shard.</summary>
    public static bool IsPartial(ILog log, CompiledEngine engine, SavepointManifest savepoint) =>
        savepoint.Shards.Any(s => engine.Events.Sources.Select(e => e.Topic).Append(savepoint.Decisions)
            .Any(t => log.Watermarks(new TopicPartition(t, s.Shard)).Low > 0));

    private static void CheckSource(ILog log, CompiledEngine engine, SavepointManifest savepoint, TopicPartition at, long offset,
        List<string> faults)
    {
        var (low, high) = log.Watermarks(at);
        var known = log.Committed(engine.Options.Name, at);
        if (offset < low)
            faults.Add($"{at.Topic}[{at.Partition}] begins at offset {low}: what followed the savepoint, from offset {offset} on, was "
                + "deleted");
        else if (offset > high)
            faults.Add($"{at.Topic}[{at.Partition}] ends at offset {high}, the savepoint stands at {offset}: it is not the log that the "
                + "savepoint was made of");
        else if (known is null && offset > low)
            faults.Add($"group {engine.Options.Name} has committed nothing in {at.Topic}[{at.Partition}], the savepoint stands at {offset}"
                + (engine.Options.Name == savepoint.Engine ? ""
                : $" (it is one of {savepoint.Engine}: keep that name, or set the group's offsets to where {savepoint.Engine} stands)"));
        else if (known < offset)
            faults.Add($"group {engine.Options.Name} has committed {at.Topic}[{at.Partition}] up to {known}, behind the savepoint's "
                + $"{offset}");
    }
}
