using StreamEngine.Events;

namespace StreamEngine.Connectors.Files;

/// <summary>
/// The records of files as one stream in event-time order; equal times in the order of the files. Records without a readable time
/// (malformed ones too) keep their place behind the record before them, so that the pipeline rejects and counts them. The key is the
/// customer id where it can be read.
/// </summary>
public sealed class EventFileSource : IDisposable
{
    private const long Year1990 = 631_152_000_000;

    private readonly EventFiles _files;
    private readonly IReadOnlyList<IEventDecoder> _decoders;
    private readonly Event _event;
    private readonly string _temporaryFolder;
    private readonly RecordSorter _sorter;
    private IEnumerator<SortedRecord>? _sorted;
    private readonly List<string> _early = [];
    private readonly List<(int File, long Number)> _places = [];   // of the batch's records
    private bool _pending;
    private long _timed, _before1990;

    /// <summary>Prepares to read.</summary>
    /// <param name="files">The files.</param>
    /// <param name="decoders">The decoder of each source.</param>
    /// <param name="catalog">The fields that the decoders fill.</param>
    /// <param name="memoryLimit">How many bytes of records are held before runs go to a temporary folder.</param>
    public EventFileSource(EventFiles files, IReadOnlyList<IEventDecoder> decoders, FieldCatalog catalog, long memoryLimit = 1L << 29)
    {
        _files = files;
        _decoders = decoders;
        _event = new Event(catalog);
        _temporaryFolder = Path.Combine(Path.GetTempPath(), $"streamengine-sort-{Guid.NewGuid():N}");
        _sorter = new RecordSorter(memoryLimit, _temporaryFolder);
    }

    /// <summary>Records read so far.</summary>
    public long Count { get; private set; }

    /// <summary>Records handed out so far: the next one's offset.</summary>
    public long Position { get; private set; }

    /// <summary>Files most of whose records lie before 1990, in words: their times are likely to be in another unit.</summary>
    public IReadOnlyList<string> Early => _early;

    /// <summary>Runs that did not fit into memory.</summary>
    public int Runs => _sorter.Runs;

    /// <summary>Event time of the next record to be handed out, ms; null at the end.</summary>
    public long? NextTime => Peek() ? _sorted!.Current.Time : null;

    /// <summary>Reads all files and sorts them.</summary>
    /// <param name="progress">Told of the bytes read from disk.</param>
    /// <param name="stop">Ends the reading.</param>
    public void Load(Action<int>? progress = null, CancellationToken stop = default)
    {
        for (var i = 0; i < _files.Files.Count; i++)
        {
            var file = _files.Files[i];
            using var records = file.Open(progress);
            var last = long.MinValue;
            (_timed, _before1990) = (0, 0);
            while (records.Read())
            {
                stop.ThrowIfCancellationRequested();
                // Of a record past the limit no more is kept than tells that it is.
                var record = records.Record;
                if (record.Length > file.MaxRecordBytes) record = record[..(file.MaxRecordBytes + 1)];
                last = Keep(record, i, records.Number, last);
            }
            if (_before1990 * 2 > _timed)
                _early.Add($"{file.Path}: {_before1990} of {_timed} records are from before 1990, the last one from "
                    + $"{DateTimeOffset.FromUnixTimeMilliseconds(last).UtcDateTime:yyyy-MM-dd}: are their times in seconds? Then set the "
                    + "source's time to { field: ..., format: seconds }");
        }
        _sorted = _sorter.Read().GetEnumerator();
    }

    /// <summary>
    /// Adds the next records to a batch (cleared first) as partition 0: at most <paramref name="max"/>, and none at or after <paramref
    /// name="before"/>.
    /// </summary>
    /// <returns>Whether there were any.</returns>
    public bool Read(RecordBatch batch, int max, long before = long.MaxValue)
    {
        batch.Clear();
        _places.Clear();
        while (batch.Count < max && Peek())
        {
            var record = _sorted!.Current;
            if (record.Time >= before) break;
            _places.Add((record.File, record.Number));
            batch.Add(_files.Files[record.File].Source, 0, Position++, Math.Max(0, record.Time), record.Key, record.KeyLength > 0,
                record.Value, true);
            _pending = false;
        }
        return batch.Count > 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _sorted?.Dispose();
        _sorter.Dispose();
        if (Directory.Exists(_temporaryFolder)) Directory.Delete(_temporaryFolder, recursive: true);
    }

    /// <summary>The file of a record of the batch read last, and where it stands there (<see cref="IRecordFile.Number"/>).</summary>
    /// <param name="offset">The record's offset.</param>
    public (EventFile File, long Number) PlaceOf(long offset)
    {
        var (file, number) = _places[(int)(offset - Position + _places.Count)];
        return (_files.Files[file], number);
    }

    private bool Peek() => _pending || (_pending = _sorted is not null && _sorted.MoveNext());

    private long Keep(ReadOnlySpan<byte> record, int file, long number, long last)
    {
        // The key is at most as long as the record it is part of; unescaping only shortens.
        var at = _sorter.Reserve(record.Length * 2, out var buffer);
        record.CopyTo(buffer.AsSpan(at));
        _event.BeginBatch();
        _event.Clear();
        // The decoder leaves the time alone where there is none; 0 is one, the first moment of 1970.
        _event.Time = long.MinValue;
        _decoders[_files.Files[file].Source].Decode(buffer, new Range32(at, record.Length), new Range32(at, 0), _event);
        var time = _event.Time != long.MinValue ? _event.Time : last;
        if (_event.Time != long.MinValue)
        {
            _timed++;
            if (time < Year1990) _before1990++;
        }
        var customer = _event.Customer.Text;
        if (customer.Length > record.Length) customer = default;
        customer.CopyTo(buffer.AsSpan(at + record.Length));
        _sorter.Add(time, file, number, record.Length, customer.Length);
        Count++;
        return time;
    }
}
