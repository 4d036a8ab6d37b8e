using StreamEngine.Connectors;

namespace StreamEngine.Runtime;

/// <content>At least once: what the decision log holds behind the committed offsets.</content>
public sealed partial class ShardRestore
{
    private readonly bool _atLeastOnce;
    private readonly (long Offset, int Ordinal)[] _applied;   // the newest entry of each source

    /// <summary>What is to be processed once the shard is live, before anything else; null where nothing is.</summary>
    internal LoggedTail? Tail { get; private set; }

    /// <summary>Whether the entry was written again after an attempt that failed. The first stands; a source's entries are in the order of their causes.</summary>
    private bool IsRepeated(int source)
    {
        var cause = (_entry.Offset, _entry.Ordinal);
        if (cause.CompareTo(_applied[source]) <= 0) return true;
        _applied[source] = cause;
        return false;
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
        // No more was written than one interval holds: where there is, the offsets are not ours.
        if (_entry.Offset >= _end[source] || tail.Bytes > 2 * _engine.Options.Runtime.MaxIntervalBytes.Bytes + ReadRecords * 1024) throw NotCommitted();
        tail.Add(source, _entry, _decisionBatch.Value(_decisionAt - 1));
        _hasEntry = false;
    }

    /// <summary>Reads the events of the entries that were kept; true once all are there.</summary>
    private bool HasEvents(LoggedTail tail)
    {
        for (var source = 0; source < _events.Length; source++)
        {
            var batch = _eventBatches[source];
            for (; _eventAt[source] < batch.Count; _eventAt[source]++)
                if (batch[_eventAt[source]].Offset >= Shard.Next(source)) tail.Add(source, batch, _eventAt[source]);
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
