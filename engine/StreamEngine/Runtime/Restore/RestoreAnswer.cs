using StreamEngine.Connectors;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>(1) What the log says when a restore asks it.</summary>
/// <param name="Committed">By source, the committed offset: events before it are applied.</param>
/// <param name="Start">By source, the first offset that the log still holds.</param>
/// <param name="End">By source, the offset past the last record.</param>
/// <param name="First">The first offset of the decision partition.</param>
/// <param name="Mark">The decision partition's end: every decision before the committed offsets lies below it.</param>
/// <param name="NoOffsets">Whether the group has no committed offsets in some source.</param>
/// <param name="Cuts">The cuts that the shard may start from.</param>
/// <param name="SharedEnd">The end of the topic of shared numbers: whatever was committed with the offsets lies below it.</param>
internal sealed record RestoreAnswer(long[] Committed, long[] Start, long[] End, long First, long Mark, bool NoOffsets, CutChoice Cuts,
    long SharedEnd)
{
    /// <summary>Asks: stable offsets first, the mark after them, so that every decision before the offsets lies below the mark.</summary>
    /// <param name="log">The log.</param>
    /// <param name="engine">The compiled config.</param>
    /// <param name="partition">The shard's partition.</param>
    /// <param name="inTopic">Whether the checkpoint topic is looked through for a cut.</param>
    /// <param name="folder">The folder of the checkpoint files that are looked through; null for none.</param>
    /// <param name="bounds">Where the restore ends; null where that is what is committed.</param>
    public static RestoreAnswer Ask(ILog log, CompiledEngine engine, int partition, bool inTopic, string? folder,
        RestoreBounds? bounds = null)
    {
        var sources = engine.Events.Sources;
        var none = false;
        var committed = new long[sources.Count];
        var start = new long[sources.Count];
        var end = new long[sources.Count];
        for (var i = 0; i < sources.Count; i++)
        {
            var at = new TopicPartition(sources[i].Topic, partition);
            start[i] = log.Watermarks(at).Low;
            var known = bounds is null ? log.Committed(engine.Options.Name, at) : bounds.Offsets[i];
            none |= known is null;
            committed[i] = known ?? start[i];
            end[i] = log.Watermarks(at).High;
            if (committed[i] < start[i] || committed[i] > end[i]) throw new OffsetOutOfRangeException(at, committed[i], start[i], end[i]);
        }
        var decisions = new TopicPartition(engine.Options.Outputs.Decisions, partition);
        var (low, high) = log.Watermarks(decisions);
        if (bounds is not null) high = Math.Min(high, bounds.Decisions);
        var cuts = CutChoice.Find(log, engine, partition, inTopic, folder, Fits);
        // A running engine may have written a cut since we asked: what that holds lies below a mark that is asked after it.
        if (bounds is not null) high = Math.Min(log.Watermarks(decisions).High, bounds.Decisions);
        var shared = engine.Outputs.Shared >= 0 && bounds is null
            ? log.Watermarks(new TopicPartition(engine.Options.Shared.Topic, 0)).High : 0;
        return new RestoreAnswer(committed, start, end, low, high, none, cuts, shared);

        // Whole it is; it must also belong to this config, be committed in full, and have its following events and decisions still in the
        // log.
        bool Fits(CutMarker marker, long[] highest)
        {
            if (marker.Version != engine.StateVersion || highest.Length != committed.Length || marker.Decisions < low
                || marker.Decisions > high) return false;
            for (var i = 0; i < committed.Length; i++)
                if (highest[i] > committed[i] || marker.Start.Next[i] < start[i]) return false;
            return true;
        }
    }
}
