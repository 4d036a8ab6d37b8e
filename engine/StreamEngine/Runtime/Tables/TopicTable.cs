using System.Buffers.Text;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Events;
using StreamEngine.Events.Tables;

namespace StreamEngine.Runtime;

/// <summary>
/// One topic's table as its records are taken, in order. A record that can't be used is passed over: the row that was there stays. Used
/// under the lock of its board; its views are for any thread.
/// </summary>
internal sealed class TopicTable
{
    /// <summary>Fewer superseded rows than that are kept, whatever their share.</summary>
    private const int FewSuperseded = 65_536;

    private readonly RowDecoder _decoder;
    private readonly FieldValue[] _values;
    private readonly TimeProvider _time;
    private readonly Queue<(long At, long Version)> _published = [];
    private TopicRows _rows;
    private long _oldest, _trimmed;   // the version of a while ago; the one before which superseded rows were let go
    private bool _isFull;

    public TopicTable(TableShape shape, TimeProvider time)
    {
        var errors = new ConfigErrors();
        _decoder = new RowDecoder(shape, shape.Source(RecordFormat.Json, []), errors);
        errors.ThrowIfAny();
        _values = new FieldValue[shape.Fields.Count];
        _rows = new TopicRows(shape);
        _time = time;
        View = new TableView(_rows, 0, 0);
    }

    /// <summary>
    /// For how long a version stays exact, at least: as long as the topic keeps what is superseded, and then as long again, for checkpoints
    /// that were made meanwhile.
    /// </summary>
    public static TimeSpan History { get; } = 2 * TopicSpec.CompactionLag;

    /// <summary>The newest version, as it was last published.</summary>
    public TableView View { get; private set; }

    /// <summary>Records that were passed over.</summary>
    public long Refused { get; private set; }

    /// <summary>Times that a restore asked for a version whose rows are not all there any more.</summary>
    public long Inexact { get; set; }

    /// <summary>The newest time of a record since the last view, ms; 0 where there was none.</summary>
    public long Newest { get; private set; }

    /// <summary>How many rows the newest version has.</summary>
    public long Rows => _rows.Live;

    /// <summary>Bytes of memory, those of earlier versions among them.</summary>
    public long Memory => _rows.Memory;

    /// <summary>Up to which offset the topic was read.</summary>
    public long Position { get; set; }

    /// <summary>How often the topic was looked at and read to the end that it had.</summary>
    public long Looks { get; set; }

    /// <summary>Whether the newest version is another one than the published one.</summary>
    public bool IsNews => !View.IsOf(_rows) || View.Version != _rows.Version;

    /// <summary>Whether its topic was not read to its end yet.</summary>
    public bool IsBeginning { get; private set; } = true;

    /// <summary>Takes a record.</summary>
    /// <returns>Why it is passed over; null where it is not.</returns>
    public string? Take(RecordBatch batch, int index)
    {
        var fault = Fault(batch, index);
        if (fault is not null) Refused++;
        return fault;
    }

    /// <summary>Makes the newest version the one that is looked up in.</summary>
    public void Publish()
    {
        Trim();
        View = new TableView(_rows, _rows.Version, _rows.Sum(_rows.Version));
        (Newest, IsBeginning) = (0, false);
        _published.Enqueue((_time.GetTimestamp(), View.Version));
    }

    /// <summary>A version; where rows of it are not there any more its sum is another one than it was.</summary>
    public TableView At(long version) => new(_rows, version, _rows.Sum(version));

    /// <summary>The topic was made anew.</summary>
    public void Clear()
    {
        _rows = new TopicRows(_rows.Shape);
        _published.Clear();
        IsBeginning = true;
        (Position, _oldest, _trimmed, _isFull) = (0, 0, 0, false);
    }

    private string? Fault(RecordBatch batch, int index)
    {
        ref readonly var record = ref batch[index];
        if (record.Key.Length <= 0) return "the record has no key";
        var key = default(FieldValue);
        if (_rows.Shape.KeyType == FieldType.String) key.Set(batch.Buffer, record.Key.Start, record.Key.Length);
        else if (Utf8Parser.TryParse(batch.Key(index), out long number, out var read) && read == record.Key.Length) key.Set(number);
        else return "the record's key is no whole number";
        var values = record.Value.Length < 0 ? [] : _values.AsSpan();
        if (!values.IsEmpty)
        {
            var reason = _decoder.Decode(batch.Buffer, record.Value, record.Key);
            if (reason != RejectReason.None) return _decoder.Explain(reason);
            if (_decoder.HasKey && !IsKey(key)) return $"'{_rows.Shape.Options.Key.Field}' is another key than the record's";
            for (var i = 0; i < values.Length; i++) values[i] = _decoder[i];
        }
        if (_isFull) return "the table has no room for more";
        try
        {
            _rows.Add(key, record.Offset, values, Hash64.Of(batch.Value(index), Hash64.Of(batch.Key(index))));
        }
        catch (InvalidDataException e)
        {
            _isFull = true; // a row may be there in part: nothing may be added behind it
            return e.Message;
        }
        Newest = Math.Max(Newest, record.Timestamp);
        return null;
    }

    private bool IsKey(in FieldValue key) => key.Buffer is null ? _decoder.Key.Present && _decoder.Key.Bits == key.Bits
        : _decoder.Key.Text.SequenceEqual(key.Text);

    /// <summary>Lets go of rows that were superseded long ago, once they are most: a row is copied a few times.</summary>
    private void Trim()
    {
        while (_published.TryPeek(out var published) && _time.GetElapsedTime(published.At) > History)
            _oldest = _published.Dequeue().Version;
        if (_oldest <= _trimmed || _rows.Count - _rows.Live <= Math.Max(FewSuperseded, _rows.Live)) return;
        _rows = _rows.From(_oldest);
        _trimmed = _oldest;
    }
}
