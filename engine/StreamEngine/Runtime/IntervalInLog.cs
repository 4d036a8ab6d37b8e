using StreamEngine.Connectors;

namespace StreamEngine.Runtime;

/// <summary>Answers, after a commit whose outcome nobody told, whether the interval is in the log: a transaction is there as a whole or not at all.</summary>
internal static class IntervalInLog
{
    /// <summary>Markers and aborted tries that may stand behind the interval's records.</summary>
    private const int Slack = 10_000;

    /// <summary>
    /// Looks for the interval's last decision in the decision topic where it wrote one (offsets alone say nothing where only a timer wrote), else compares the
    /// stable committed offsets. The predecessor's transaction must be resolved already (<see cref="ILogWorker.Rebuild"/>).
    /// </summary>
    public static bool Contains(ILog log, CompiledEngine engine, OutputBuffer outputs, IEnumerable<Shard> shards)
    {
        for (var i = outputs.Count - 1; i >= 0; i--)
            if (outputs[i].Topic == engine.Outputs.Decisions) return Find(log, engine, outputs, i);
        foreach (var shard in shards)
            for (var source = 0; source < engine.Events.Sources.Count; source++)
            {
                var at = new TopicPartition(engine.Events.Sources[source].Topic, shard.Partition);
                if (shard.Next(source) != shard.CommittedNext(source)) return log.Committed(engine.Options.Name, at) >= shard.Next(source);
            }
        // Nothing but profiles of a checkpoint, if anything: they may be written twice, but must not be missing.
        return outputs.Count == 0;
    }

    private static bool Find(ILog log, CompiledEngine engine, OutputBuffer outputs, int wanted)
    {
        var at = new TopicPartition(engine.Options.Outputs.Decisions, outputs[wanted].Partition);
        var (low, high) = log.Watermarks(at);
        using var reader = log.OpenReader();
        reader.Assign(at, Math.Max(low, high - outputs.Count - Slack));
        var batch = new RecordBatch();
        while (reader.Position < high)
        {
            reader.Read(batch, 5_000, TimeSpan.FromMilliseconds(100));
            for (var i = 0; i < batch.Count; i++)
                if (batch.Value(i).SequenceEqual(outputs.Value(wanted))) return true;
        }
        return false;
    }
}
