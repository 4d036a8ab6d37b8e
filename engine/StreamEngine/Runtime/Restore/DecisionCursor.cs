using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Decisions;

namespace StreamEngine.Runtime;

/// <summary>What a move of a <see cref="DecisionCursor"/> came to.</summary>
internal enum CursorMove : byte
{
    /// <summary>Nothing yet: move again.</summary>
    Waits,

    /// <summary>There is an entry at hand.</summary>
    Entry,

    /// <summary>Everything below the mark was dealt with.</summary>
    End,
}

/// <summary>
/// (2) Reads a shard's decision partition up to a mark, one entry at a time, and finds the source of each one's cause. An entry that was
/// written again after an attempt that failed is passed over: the first stands.
/// </summary>
internal sealed class DecisionCursor : IDisposable
{
    private readonly ILogReader _reader;
    private readonly TopicPartition _partition;
    private readonly EngineOptions _options;
    private readonly byte[][] _topics;
    private readonly long[]? _until;
    private readonly (long Offset, int Ordinal)[] _newest;   // entry of each source
    private readonly RecordBatch _batch = new();
    private LoggedDecision _entry;
    private string _topic = "";
    private int _at;
    private bool _has;

    /// <param name="log">The log.</param>
    /// <param name="engine">The compiled config.</param>
    /// <param name="partition">The shard's partition.</param>
    /// <param name="until">By source, the offset at which a restore ends that follows a running engine; null for another.</param>
    public DecisionCursor(ILog log, CompiledEngine engine, int partition, long[]? until)
    {
        var sources = engine.Events.Sources;
        _options = engine.Options;
        _reader = log.OpenReader();
        _partition = new TopicPartition(_options.Outputs.Decisions, partition);
        _topics = [.. sources.Select(s => Encoding.UTF8.GetBytes(s.Topic))];
        _until = until;
        _newest = new (long, int)[sources.Count];
        Array.Fill(_newest, (-1, -1));
    }

    /// <summary>The entry at hand.</summary>
    public ref readonly LoggedDecision Entry => ref _entry;

    /// <summary>Its record's bytes, which its texts are slices of.</summary>
    public ReadOnlySpan<byte> Value => _batch.Value(_at - 1);

    /// <summary>The source of its cause; -1 where the config has no such source.</summary>
    public int Source { get; private set; } = -1;

    /// <summary>The offset before which entries are read; 0 where there are none.</summary>
    public long Mark { get; set; }

    /// <summary>The next offset to read.</summary>
    public long Position => _reader.Position;

    /// <summary>Once at the end: the offset from which on no entry was dealt with.</summary>
    public long End { get; private set; }

    /// <summary>Begins.</summary>
    public void Start(long first, long mark)
    {
        End = Math.Max(mark, first);
        if (mark <= first) return;
        Mark = mark;
        _reader.Assign(_partition, first);
    }

    /// <summary>Makes the next entry the one at hand, unless there is one.</summary>
    /// <exception cref="LogException">The topic holds something else.</exception>
    public CursorMove Move()
    {
        if (_has) return CursorMove.Entry;
        if (_at == _batch.Count)
        {
            if (Mark == 0 || Position >= Mark) return CursorMove.End;
            _reader.Read(_batch, ShardRestore.ReadRecords, TimeSpan.FromMilliseconds(5));
            _at = 0;
            return CursorMove.Waits;
        }
        var offset = _batch[_at++].Offset;
        if (offset >= Mark) return Stop();
        if (!LoggedDecision.TryParse(Value, ref _entry))
            throw new LogException($"{_partition.Topic}[{_partition.Partition}] offset {offset}: not a decision record ({_entry.Error}). "
                + "Something else writes to the decision topic: give the engine a topic of its own.");
        FindSource(_entry.Topic.Of(Value));
        if (_until is not null && Source >= 0 && _entry.Offset >= _until[Source])
        {
            // The first of what the engine did meanwhile: the picture ends before it.
            Mark = End = offset;
            return Stop();
        }
        _has = Source < 0 || !IsRepeated();
        return _has ? CursorMove.Entry : CursorMove.Waits;
    }

    /// <summary>The entry at hand is dealt with.</summary>
    public void Settled() => _has = false;

    /// <summary>The entry at hand names a record that is not committed, and that can't be.</summary>
    /// <param name="noOffsets">Whether the group has no offsets.</param>
    public LogException NotCommitted(bool noOffsets)
    {
        var why = noOffsets
            ? $"group {_options.Name} has no offsets any more; Kafka forgets those of a group that was stopped for longer than "
                + "offsets.retention.minutes (7 days). Set them to where the group stood "
                + "(kafka-consumer-groups.sh --reset-offsets --to-offset)"
            : "the group's offsets or the config's event sources were changed by hand. Set the offsets back";
        var delivery = _options.Runtime.Delivery == Delivery.AtLeastOnce
            ? ""
            : " Where it ran with runtime.delivery: at_least_once until it was killed, run it so once more and stop it in the ordinary "
                + "way.";
        return new LogException($"{_partition.Topic}[{_partition.Partition}]: a decision names {_topic}, offset {_entry.Offset}, which is "
            + $"not committed: {why}, or give the engine a name and a decision topic of its own.{delivery}");
    }

    public void Dispose() => _reader.Dispose();

    private CursorMove Stop()
    {
        _at = _batch.Count;
        return CursorMove.End;
    }

    private void FindSource(ReadOnlySpan<byte> topic)
    {
        if (Source >= 0 && topic.SequenceEqual(_topics[Source])) return;
        _topic = Encoding.UTF8.GetString(topic);
        Source = -1;
        for (var i = 0; i < _topics.Length && Source < 0; i++)
            if (topic.SequenceEqual(_topics[i])) Source = i;
    }

    /// <summary>Whether the entry was read before; a source's entries are in the order of their causes.</summary>
    private bool IsRepeated()
    {
        var cause = (_entry.Offset, _entry.Ordinal);
        if (cause.CompareTo(_newest[Source]) <= 0) return true;
        _newest[Source] = cause;
        return false;
    }
}
