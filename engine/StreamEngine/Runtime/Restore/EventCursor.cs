using StreamEngine.Connectors;

namespace StreamEngine.Runtime;

/// <summary>(3) Reads one source of a shard again, as far as it is asked to and no further.</summary>
internal sealed class EventCursor : IDisposable
{
    private readonly ILogReader _reader;
    private readonly TopicPartition _partition;
    private readonly RestorePass _shard;
    private readonly int _source;
    private readonly RecordBatch _batch = new();
    private int _at;
    private bool _reads;

    /// <param name="log">The log.</param>
    /// <param name="partition">The source's partition.</param>
    /// <param name="source">The source's index.</param>
    /// <param name="shard">The shard, which knows its next offset.</param>
    public EventCursor(ILog log, TopicPartition partition, int source, RestorePass shard)
    {
        _reader = log.OpenReader();
        (_partition, _source, _shard) = (partition, source, shard);
    }

    /// <summary>Begins to read at the shard's next offset, where that is below an offset and it does not read yet.</summary>
    public void Start(long end)
    {
        if (_reads || _shard.Next(_source) >= end) return;
        _reads = true;
        _reader.Assign(_partition, _shard.Next(_source));
    }

    /// <summary>Applies the shard's events up to an offset (exclusive), as far as one read brings them.</summary>
    public void ReplayTo(long end)
    {
        if (_at == _batch.Count) Read();
        var to = _at;
        while (to < _batch.Count && _batch[to].Offset < end) to++;
        _at = _shard.Replay(_batch, _at, to, _source);
        if (_at < to) return; // it waits for a schema
        // Markers and aborted records leave gaps: the position, not the last record, says how far the reader is.
        _shard.SkipTo(_source, _at < _batch.Count ? end : Math.Min(end, _reader.Position));
    }

    /// <summary>Hands the events that were read and not applied to a tail; true once it has all that its entries name.</summary>
    public bool Collect(LoggedTail tail)
    {
        for (; _at < _batch.Count; _at++)
        {
            if (_batch[_at].Offset < _shard.Next(_source)) continue;
            // Its schema is found now: the shard goes on behind the tail in one go.
            if (!_shard.Knows(_batch, _at, _source)) return false;
            tail.Add(_source, _batch, _at);
        }
        var end = tail.End(_source);
        if (end <= Math.Max(_shard.Next(_source), _reads ? _reader.Position : 0)) return true;
        Start(end);
        Read();
        return false;
    }

    public void Dispose() => _reader.Dispose();

    private void Read()
    {
        _reader.Read(_batch, ShardRestore.ReadRecords, TimeSpan.FromMilliseconds(5));
        _at = 0;
    }
}
