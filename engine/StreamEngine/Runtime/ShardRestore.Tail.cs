using StreamEngine.Connectors;
using StreamEngine.Decisions;

namespace StreamEngine.Runtime;

/// <content>At least once: what the decision log holds behind the committed offsets.</content>
public sealed partial class ShardRestore
{
    private readonly bool _atLeastOnce;
    private readonly (long Offset, int Ordinal)[] _applied;   // the newest entry of each source

    private bool _silent;   // the tail holds a mark of silence and what that caused, nothing else
    private bool _moved;    // the committed offsets did, since we first asked

    /// <summary>What is to be processed once the shard is live, before anything else; null where nothing is.</summary>
    internal LoggedTail? Tail { get; private set; }

    /// <summary>
    /// Whether the entry was written again after an attempt that failed. The first stands; a source's entries are in the order of their
    /// causes.
    /// </summary>
    private bool IsRepeated(int source)
    {
        var cause = (_entry.Offset, _entry.Ordinal);
        if (cause.CompareTo(_applied[source]) <= 0) return true;
        _applied[source] = cause;
        return false;
    }

    /// <summary>Whether the entry lies behind the committed offsets, or may: then it is dealt with here.</summary>
    private bool IsBehind(int source)
    {
        if (!_atLeastOnce || _bounds is not null || source < 0) return false;
        var behind = _entry.Offset >= _committed![source];
        if (Tail is null && !behind) return false;
        Tail ??= new LoggedTail(_events.Length);
        if (behind) _silent = false;
        else if (_silent && _entry.Kind == DecisionKind.Watermark) Settle();
        Keep(Tail, source);
        return true;
    }

    /// <summary>
    /// A mark of silence behind the last record: offsets don't say whether it was committed. What it caused is done again, and comes to
    /// nothing where it was done. An interval has one such mark at most, so where another one follows, this one was committed.
    /// </summary>
    private bool OpensTail(bool covered)
    {
        if (!_atLeastOnce || _bounds is not null || covered || _entry.Kind != DecisionKind.Watermark || !StandsAtCommitted()) return false;
        Tail = new LoggedTail(_events.Length);
        return _silent = true;
    }

    private void Settle()
    {
        for (var i = 0; i < Tail!.Count; i++) Shard.Apply(Tail[i].Entry, Tail[i].Source, Tail[i].Value);
        Tail = new LoggedTail(_events.Length);
    }

    private bool StandsAtCommitted()
    {
        for (var source = 0; source < _events.Length; source++)
            if (Shard.Next(source) < _committed![source]) return false;
        return true;
    }

    /// <summary>Keeps an entry that lies behind the committed offsets, as all that follow it do.</summary>
    private void Keep(LoggedTail tail, int source)
    {
        // No more was written than one interval holds: where there is, the offsets are not ours, or the shard went to another owner since
        // we asked.
        if (_entry.Offset >= _end[source] || tail.Bytes > 2 * _engine.Options.Runtime.MaxIntervalBytes.Bytes + ReadRecords * 1024)
        {
            if (!_askedAgain)
            {
                AskAgain();
                return;
            }
            if (!_moved) throw NotCommitted();
        }
        tail.Add(source, _entry, _decisionBatch.Value(_decisionAt - 1));
        _hasEntry = _askedAgain = false;
    }

    /// <summary>Reads the events of the entries that were kept; true once all are there.</summary>
    private bool HasEvents(LoggedTail tail)
    {
        for (var source = 0; source < _events.Length; source++)
        {
            var batch = _eventBatches[source];
            for (; _eventAt[source] < batch.Count; _eventAt[source]++)
            {
                if (batch[_eventAt[source]].Offset < Shard.Next(source)) continue;
                // Its schema is found now: the shard goes on behind the tail in one go.
                if (!Shard.Knows(batch, _eventAt[source], source)) return false;
                tail.Add(source, batch, _eventAt[source]);
            }
            if (tail.End(source) <= Math.Max(Shard.Next(source), _reading[source] ? _events[source].Position : 0)) continue;
            if (!_reading[source])
            {
                _reading[source] = true;
                _events[source].Assign(new TopicPartition(_engine.Events.Sources[source].Topic, Shard.Partition), Shard.Next(source));
            }
            _events[source].Read(batch, ReadRecords, TimeSpan.FromMilliseconds(5));
            _eventAt[source] = 0;
            return false;
        }
        return true;
    }
}
