using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Decisions;

namespace StreamEngine.Host.Explanation;

/// <summary>What a search for a decision came to.</summary>
/// <param name="From">The partition that was searched.</param>
/// <param name="Offset">The offset of the decision's record; -1 where there is none.</param>
/// <param name="Value">The record's value; null where there is none.</param>
/// <param name="Missing">Why there is none, and what to do; empty where there is one.</param>
internal sealed record FoundDecision(TopicPartition From, long Offset, byte[]? Value, string Missing = "");

/// <summary>
/// Finds a decision's record by its id without reading the topic. The id names the cause, whose partition is the record's too, and there
/// the records of one source stand in the order of their causes: half of what is left is ruled out with each look, so that a partition of a
/// hundred million records takes some twenty looks. A look reads on from the middle to the next record of the same source.
/// </summary>
/// <param name="log">The log.</param>
/// <param name="reader">A reader of it, used by one search at a time.</param>
/// <param name="topic">The topic of the decision records.</param>
internal sealed class DecisionFinder(ILog log, ILogReader reader, string topic)
{
    /// <summary>So few records are read one after the other.</summary>
    private const int Few = 256;

    private const int AtOnce = 64;

    private static readonly TimeSpan Wait = TimeSpan.FromMilliseconds(50);

    /// <summary>For how long a record that is in a transaction may keep a look waiting.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly RecordBatch _batch = new();
    private TopicPartition _partition;
    private DecisionId _id;
    private byte[] _text = [], _source = [];
    private (long Offset, int Ordinal)? _before;

    /// <summary>How many records the last search has read.</summary>
    public int Read { get; private set; }

    /// <summary>Searches.</summary>
    /// <param name="id">The decision.</param>
    /// <param name="stop">Ends the search.</param>
    /// <exception cref="LogException">The log can't be read.</exception>
    /// <exception cref="OperationCanceledException">The search was ended.</exception>
    public FoundDecision Find(DecisionId id, CancellationToken stop)
    {
        _partition = new TopicPartition(topic, id.Partition);
        (_id, _before, Read) = (id, null, 0);
        (_text, _source) = (Encoding.UTF8.GetBytes(id.ToString()), Encoding.UTF8.GetBytes(id.Topic));
        var partitions = log.Partitions(topic);
        if (partitions == 0)
            return None($"The topic of decisions, '{topic}', does not exist: is this the log, and the config, of the engine that decided?");
        if (id.Partition < 0 || id.Partition >= partitions)
            return None($"The topic of decisions, '{topic}', has the partitions 0 to {partitions - 1}, and the id names partition "
                + $"{id.Partition}.");
        var (low, high) = log.Watermarks(_partition);
        return Halve(low, high, stop) ?? None(Nearby(low, high));
    }

    private FoundDecision? Halve(long low, long high, CancellationToken stop)
    {
        while (high - low > Few)
        {
            var middle = low + (high - low) / 2;
            var next = From(middle, high, stop).FirstOrDefault();
            if (next is null) high = middle;
            else if (next.Order == 0) return Judge(next);
            else if (next.Order < 0) low = next.Offset + 1;
            else high = middle;
        }
        return From(low, high, stop).FirstOrDefault(e => e.Order == 0) is { } found ? Judge(found) : null;
    }

    /// <summary>The records of the same source from an offset on.</summary>
    private IEnumerable<Entry> From(long offset, long high, CancellationToken stop)
    {
        reader.Assign(_partition, offset);
        var waits = TimeProvider.System.GetTimestamp();
        while (offset < high)
        {
            stop.ThrowIfCancellationRequested();
            reader.Read(_batch, AtOnce, Wait);
            for (var i = 0; i < _batch.Count && _batch[i].Offset < high; i++)
            {
                offset = _batch[i].Offset + 1;
                Read++;
                if (Of(i) is { } entry) yield return entry;
            }
            if (_batch.Count > 0)
            {
                if (_batch[_batch.Count - 1].Offset >= high) yield break;
                waits = TimeProvider.System.GetTimestamp();
            }
            offset = Math.Max(offset, Math.Min(high, reader.Position)); // past markers
            if (TimeProvider.System.GetElapsedTime(waits) >= Patience) yield break;
        }
    }

    /// <summary>The record at hand; null where it is of another source.</summary>
    private Entry? Of(int index)
    {
        var value = _batch.Value(index);
        var logged = new LoggedDecision();
        if (!LoggedDecision.TryParse(value, ref logged))
            throw new LogException($"{_partition.Topic}[{_partition.Partition}] offset {_batch[index].Offset}: not a decision record "
                + $"({logged.Error}). Something else writes to the topic of decisions.");
        if (!logged.Topic.Of(value).SequenceEqual(_source)) return null;
        var cause = (logged.Offset, logged.Ordinal);
        var order = cause.CompareTo((_id.Offset, _id.Ordinal));
        if (order < 0 && logged.Kind == DecisionKind.Decision && (_before is null || cause.CompareTo(_before.Value) > 0)) _before = cause;
        return new Entry(_batch[index].Offset, order, logged.Kind, order == 0 ? value.ToArray() : [],
            order == 0 ? Encoding.UTF8.GetString(logged.Id.Of(value)) : "");
    }

    private FoundDecision Judge(Entry entry) => entry.Kind != DecisionKind.Decision
        ? None($"At this position the log has a mark, '{StreamEngine.Configuration.Spelling.Snake(entry.Kind.ToString())}', which only "
            + "recovery reads, and no decision.")
        : !Encoding.UTF8.GetBytes(entry.Id).AsSpan().SequenceEqual(_text)
            ? None($"The decision at this position has the id '{entry.Id}'.")
            : new FoundDecision(_partition, entry.Offset, entry.Value);

    private FoundDecision None(string why) => new(_partition, -1, null, why);

    private string Nearby(long low, long high)
    {
        var where = $"{_partition.Topic}[{_partition.Partition}]";
        return $"{where}, which holds the offsets from {low} to {high}, has no decision of {_id.Topic}[{_id.Partition}], offset "
            + $"{_id.Offset}, ordinal {_id.Ordinal}; "
            + (_before is { } b ? $"the newest one seen before it is of offset {b.Offset}, ordinal {b.Ordinal}. "
                : low > 0 ? "everything it has is newer: the record may have been deleted with the topic's old records. "
                : "it has none of that source before it. ")
            + "A decision that was told before its commit (requests.reply: decided) is there after it; an event that opened no decision "
            + "has none.";
    }

    /// <summary>A record of the source that is searched.</summary>
    /// <param name="Offset">Its offset.</param>
    /// <param name="Order">Below 0 where its cause lies before the one that is searched, 0 where it is that one.</param>
    /// <param name="Kind">What it is.</param>
    /// <param name="Value">Its value, where it is the one.</param>
    /// <param name="Id">Its id, where it is the one.</param>
    private sealed record Entry(long Offset, int Order, DecisionKind Kind, byte[] Value, string Id);
}
