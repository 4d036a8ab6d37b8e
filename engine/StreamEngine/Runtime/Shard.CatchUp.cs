using StreamEngine.Connectors;
using StreamEngine.Decisions;

namespace StreamEngine.Runtime;

/// <content>At least once: how a shard goes on behind a predecessor that wrote more than it committed.</content>
public sealed partial class Shard
{
    private LoggedTail? _tail;
    private bool _switched;       // the newest logged mark says that another source follows

    /// <summary>
    /// Processes the events behind the committed offsets up to the last one that a logged entry names, live but for what the log holds
    /// already: a logged decision is not made again, so that one decision id never has two contents; the log's marks say where another
    /// source followed, where silence moved the watermark and what the clock refused. Actions, dead letters and late records may never have
    /// been written, so they are written again.
    /// </summary>
    internal void CatchUp(LoggedTail tail)
    {
        _tail = tail;
        _decisions.Logged = Reuse;
        _latest = long.MaxValue; // what the clock refused, the marks say
        for (var i = 0; i < tail.Count; i++)
        {
            var (source, entry, _) = tail[i];
            var (batch, from, to) = tail.Next(source, entry.Offset + 1);
            if (from < to)
            {
                Run(batch, from, to);
                _decisions.Flush();
            }
            // its event did, but for a trigger that the config has no more
            if (entry.Kind == DecisionKind.Decision) Reuse(new Cause(source, entry.Offset, entry.Ordinal));
            (_source, _ordinal, _switched) = (source, Math.Max(_ordinal, entry.Ordinal + 1), entry.Kind == DecisionKind.Order);
            if (entry.Kind == DecisionKind.Watermark) Silence(entry.Watermark);
        }
        (_tail, _decisions.Logged) = (null, null);
        Publish();
    }

    private void Silence(long watermark)
    {
        _clock.RaiseTo(watermark);
        AdvanceWatermark(watermark);
        _decisions.Flush();
    }

    private bool Reuse(Cause cause)
    {
        if (!_tail!.TryTake(cause, out var index)) return false;
        var (source, entry, value) = _tail[index];
        Counters.Reused++;
        ApplyDecided(entry, source, value);
        _out.Again(entry, value);
        return true;
    }

    /// <summary>Whether a predecessor refused the record by its clock (or for a schema that is known today).</summary>
    private bool WasRefused(in RecordInfo record, int source)
    {
        if (_tail is null || !_tail.Refuses(source, record.Offset)) return false;
        NoteRefused(record, source);
        return true;
    }
}
