using StreamEngine.Connectors;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>
/// What the log and the checkpoint files say: offsets by source, the decision partition's bounds, whether the group has no offsets, and the
/// newest fitting cuts in the files and in the topic.
/// </summary>
internal sealed record RestoreAnswer(long[] Committed, long[] Start, long[] End, long First, long Mark, bool NoOffsets, string? Path,
    FileCut? Cut, CutMarker? InTopic, long TopicLow, long TopicHigh)
{
    /// <summary>
    /// (1) Asks the log: stable offsets first, the mark after them, so that every decision before the offsets lies below the mark.
    /// </summary>
    public static RestoreAnswer Ask(ILog log, CompiledEngine engine, int partition, bool cuts, string? checkpoints,
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
        var (low, high) = log.Watermarks(new TopicPartition(engine.Options.Outputs.Decisions, partition));
        if (bounds is not null) high = Math.Min(high, bounds.Decisions);
        var (path, file) = checkpoints is null ? default : CheckpointFiles.Cuts(checkpoints)
            .FirstOrDefault(c => Fits(c.Cut.Marker, c.Cut.Highest));
        CutMarker? inTopic = null;
        long topicLow = 0, topicHigh = 0;
        if (cuts && engine.Outputs.Checkpoints >= 0)
        {
            var at = new TopicPartition(engine.Options.Checkpoints.Topic, partition);
            (topicLow, topicHigh) = log.Watermarks(at);
            inTopic = TopicCutLoad.Newest(log, at, topicLow, topicHigh, engine.StateVersion, m => Fits(m, m.Start.Next));
        }
        // A running engine may have written a cut since we asked: what that holds lies below a mark that is asked after it.
        if (bounds is not null)
            high = Math.Min(log.Watermarks(new TopicPartition(engine.Options.Outputs.Decisions, partition)).High, bounds.Decisions);
        return new RestoreAnswer(committed, start, end, low, high, none, path, file, inTopic, topicLow, topicHigh);

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
