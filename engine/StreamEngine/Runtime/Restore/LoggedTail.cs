using StreamEngine.Connectors;
using StreamEngine.Decisions;

namespace StreamEngine.Runtime;

/// <summary>
/// What a predecessor logged under at-least-once before it could commit the offsets, in the order in which it happened, and the events that
/// caused it. A decision in it may have been read by others already, so it stands (<see cref="CatchUpPass"/>); the rest of what those
/// events gave is written again.
/// </summary>
internal sealed class LoggedTail
{
    private readonly List<(int Source, LoggedDecision Entry, byte[] Value)> _entries = [];
    private readonly Dictionary<Cause, int> _decisions = [];
    private readonly HashSet<(int, long)> _refused = [];
    private readonly RecordBatch[] _events;
    private readonly int[] _at;
    private readonly long[] _end;

    /// <param name="sources">The number of sources.</param>
    public LoggedTail(int sources)
    {
        _events = [.. Enumerable.Range(0, sources).Select(_ => new RecordBatch())];
        _at = new int[sources];
        _end = new long[sources];
    }

    /// <summary>Entries in order.</summary>
    public int Count => _entries.Count;

    /// <summary>Bytes of the entries.</summary>
    public long Bytes { get; private set; }

    /// <summary>An entry.</summary>
    public (int Source, LoggedDecision Entry, byte[] Value) this[int index] => _entries[index];

    /// <summary>The offset past the last event that an entry names; 0 where none does.</summary>
    public long End(int source) => _end[source];

    /// <summary>Keeps an entry.</summary>
    public void Add(int source, in LoggedDecision entry, ReadOnlySpan<byte> value)
    {
        if (entry.Kind == DecisionKind.Decision) _decisions.Add(new Cause(source, entry.Offset, entry.Ordinal), _entries.Count);
        _entries.Add((source, entry, value.ToArray()));
        if (entry.Kind == DecisionKind.Refused) _refused.Add((source, entry.Offset));
        _end[source] = Math.Max(_end[source], entry.Offset + 1);
        Bytes += value.Length;
    }

    /// <summary>Keeps an event; they come in the order of their offsets, and those behind the last entry are of no use.</summary>
    public void Add(int source, RecordBatch batch, int index)
    {
        ref readonly var record = ref batch[index];
        if (record.Offset < _end[source])
            _events[source].Add(source, record.Partition, record.Offset, record.Timestamp, batch.Key(index), record.Key.Length >= 0,
                batch.Value(index), record.Value.Length >= 0);
    }

    /// <summary>The source's next events below an offset: a run of its batch.</summary>
    public (RecordBatch Batch, int From, int To) Next(int source, long end)
    {
        var from = _at[source];
        while (_at[source] < _events[source].Count && _events[source][_at[source]].Offset < end) _at[source]++;
        return (_events[source], from, _at[source]);
    }

    /// <summary>Takes the decision that was logged for a cause; false where none was, or it is taken.</summary>
    public bool TryTake(Cause cause, out int index) => _decisions.Remove(cause, out index);

    /// <summary>Whether the predecessor's clock or registry refused the record.</summary>
    public bool Refuses(int source, long offset) => _refused.Contains((source, offset));
}
