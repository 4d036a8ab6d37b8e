using StreamEngine.Connectors;

namespace StreamEngine.Testing.Simulation;

/// <summary>A record or, without key and value, a transaction's marker.</summary>
internal readonly record struct SimRecord(byte[]? Key, byte[]? Value, long Timestamp, SimTransaction? Transaction, bool IsMarker,
    byte[]? TraceParent = null);

/// <summary>
/// A partition as its broker keeps it: records of open and aborted transactions and the markers that ended them take offsets too.
/// </summary>
internal sealed class SimPartition(TopicPartition name)
{
    private readonly List<SimRecord> _records = [];
    private readonly List<(SimTransaction Transaction, long First)> _undecided = [];

    public TopicPartition Name { get; } = name;

    /// <summary>The offset past the last entry.</summary>
    public long High => _records.Count;

    /// <summary>The offset past the last entry that a committed reader may pass: what is behind it waits for a marker.</summary>
    public long Stable => _undecided.Count == 0 ? High : _undecided[0].First;

    /// <summary>Appends a record; one of a transaction is hidden until the transaction's marker is here.</summary>
    public void Append(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long timestamp, SimTransaction? transaction = null,
        byte[]? traceParent = null)
    {
        if (transaction is not null && transaction.Join(this)) _undecided.Add((transaction, High));
        _records.Add(new SimRecord(key.ToArray(), value.ToArray(), timestamp, transaction, false, traceParent));
    }

    /// <summary>The marker arrives: the transaction's records are seen, or passed over, from now on.</summary>
    public void Mark(SimTransaction transaction)
    {
        _undecided.RemoveAll(u => u.Transaction == transaction);
        _records.Add(new SimRecord(null, null, 0, transaction, true));
    }

    /// <summary>
    /// Appends the committed records from a position on to the batch, moving the position past everything decided; stops at <paramref
    /// name="max"/> records.
    /// </summary>
    public int Read(RecordBatch batch, int topic, ref long position, int max)
    {
        var end = Stable;
        var taken = 0;
        for (; position < end; position++)
        {
            var record = _records[(int)position];
            if (record.IsMarker || record.Transaction is { Committed: false }) continue;
            if (taken == max) return taken;
            if (batch.TakesTraceParent && record.TraceParent is { Length: > 0 } traceParent) batch.TraceParents.Add(traceParent);
            batch.Add(topic, Name.Partition, position, record.Timestamp, record.Key, record.Key!.Length > 0, record.Value, true);
            taken++;
        }
        return taken;
    }

    /// <summary>The committed records with their offsets; for judging, once everything is decided.</summary>
    public IEnumerable<(long Offset, SimRecord Record)> Committed()
    {
        for (var i = 0; i < _records.Count; i++)
            if (_records[i] is { IsMarker: false, Transaction: null or { Committed: true } }) yield return (i, _records[i]);
    }
}
