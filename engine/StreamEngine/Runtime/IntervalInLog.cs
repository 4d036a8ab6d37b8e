using StreamEngine.Connectors;

namespace StreamEngine.Runtime;

/// <summary>
/// Answers, after a commit whose outcome nobody told, whether the interval is in the log: a transaction is there as a whole or not at all.
/// </summary>
internal static class IntervalInLog
{
    /// <summary>Markers and aborted tries that may stand behind the interval's records.</summary>
    private const int Slack = 10_000;

    /// <summary>
    /// Looks for all of the interval's entries in the decision topic where it wrote some (offsets alone say nothing where only a timer or a
    /// request wrote), else compares the stable committed offsets. The predecessor's transaction must be resolved already (<see
    /// cref="ILogWorker.Rebuild"/>). All, and not the last alone: whoever took a shard over makes the same decisions of the same events,
    /// but knows nothing of our requests and marks of silence, and state that holds those must not pass for committed.
    /// </summary>
    public static bool Contains(ILog log, CompiledEngine engine, OutputBuffer outputs, IEnumerable<Shard> shards)
    {
        var wanted = new Dictionary<int, List<int>>();
        for (var i = 0; i < outputs.Count; i++)
        {
            if (outputs[i].Topic != engine.Outputs.Decisions) continue;
            if (!wanted.TryGetValue(outputs[i].Partition, out var entries)) wanted.Add(outputs[i].Partition, entries = []);
            entries.Add(i);
        }
        if (wanted.Count > 0)
            return wanted.All(w => AreThere(log, new TopicPartition(engine.Options.Outputs.Decisions, w.Key), outputs, w.Value));
        foreach (var shard in shards.Where(s => s.IsSealed))
            for (var source = 0; source < engine.Events.Sources.Count; source++)
            {
                var at = new TopicPartition(engine.Events.Sources[source].Topic, shard.Partition);
                var sealedAt = shard.SealedNext(source);
                if (sealedAt != shard.CommittedNext(source)) return log.Committed(engine.Options.Name, at) >= sealedAt;
            }
        // Nothing but profiles of a checkpoint, if anything: they may be written twice, but must not be missing.
        return outputs.Count == 0;
    }

    /// <summary>Whether the entries stand in the partition, in their order.</summary>
    private static bool AreThere(ILog log, TopicPartition at, OutputBuffer outputs, List<int> entries)
    {
        var (low, high) = log.Watermarks(at);
        using var reader = log.OpenReader();
        reader.Assign(at, Math.Max(low, high - outputs.Count - Slack));
        var batch = new RecordBatch();
        var found = 0;
        while (reader.Position < high && found < entries.Count)
        {
            reader.Read(batch, 5_000, TimeSpan.FromMilliseconds(100));
            for (var i = 0; i < batch.Count && found < entries.Count; i++)
                if (batch.Value(i).SequenceEqual(outputs.Value(entries[found]))) found++;
        }
        return found == entries.Count;
    }
}
