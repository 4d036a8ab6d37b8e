namespace StreamEngine.Events.Tables;

/// <summary>
/// The rows of a topic's records, every version of each: a record adds a row and changes none. A row knows its record's offset and the row
/// that it supersedes, so that a look as of any <see cref="TableView.Version"/> goes from the newest row of the key to the one of then. An
/// update costs as much as its row, however many rows there are, and all views share the memory.
/// <para>
/// One thread adds. Any thread looks at the same time, without a lock and without allocating: a row is written before it becomes the newest
/// of its key, nothing that is written changes, and arrays that grow are copied, then replaced.
/// </para>
/// </summary>
internal sealed class TopicRows
{
    private const int FirstLength = 16;

    private readonly TextSet _keys = new();
    private readonly TableColumn[] _columns;
    private readonly bool _numbers;
    private int[] _newest = new int[FirstLength];       // by key, the newest row and one; 0 where there is none
    private long[] _stamps = new long[FirstLength];     // by row, twice the offset; and one where it is a deletion
    private int[] _superseded = new int[FirstLength];   // by row, the row before it of the same key; -1 where there is none
    private ulong[] _hashes = new ulong[FirstLength];   // by row, of its record
    private ulong[] _sums = new ulong[FirstLength];     // by row, of the table up to and with it
    private int _count;

    /// <param name="shape">The table as declared.</param>
    public TopicRows(TableShape shape)
    {
        Shape = shape;
        _numbers = shape.KeyType == FieldType.Int;
        _columns = [.. shape.Fields.Fields.Select(f => new TableColumn(f.Type))];
    }

    /// <summary>The table as declared.</summary>
    public TableShape Shape { get; }

    /// <summary>How many rows the newest version has.</summary>
    public int Live { get; private set; }

    /// <summary>How many rows there are of all versions, deletions among them.</summary>
    public int Count => _count;

    /// <summary>The newest version: one past the offset of the newest record that is in it; 0 for none.</summary>
    public long Version => _count == 0 ? 0 : (_stamps[_count - 1] >> 1) + 1;

    /// <summary>Bytes of memory.</summary>
    public long Memory => _keys.Memory + _columns.Sum(c => c.Memory) + sizeof(int) * (_newest.LongLength + _superseded.LongLength)
        + sizeof(long) * (_stamps.LongLength + _hashes.LongLength + _sums.LongLength);

    /// <summary>
    /// Adds the row of a record, or the deletion of a row. The deletion of a row that is not there adds nothing.
    /// </summary>
    /// <param name="key">The row's key, as <see cref="LookupTable.Find"/> has it.</param>
    /// <param name="offset">The record's offset; it rises from record to record.</param>
    /// <param name="values">The row's values in the order of the table's fields; empty for a deletion.</param>
    /// <param name="hash">Of the record's bytes; what a deletion has is of no meaning.</param>
    /// <exception cref="InvalidDataException">There is no room for more.</exception>
    public void Add(in FieldValue key, long offset, ReadOnlySpan<FieldValue> values, ulong hash)
    {
        var text = _numbers ? LookupTable.Bytes(in key.Bits) : key.Text;
        var number = _keys.Find(text);
        var superseded = number < 0 ? -1 : _newest[number] - 1;
        var had = superseded >= 0 && !IsDeletion(superseded);
        var deletes = values.IsEmpty;
        if (deletes && !had) return;
        if (number < 0)
        {
            if (_keys.Count == _newest.Length) Array.Resize(ref _newest, 2 * _newest.Length);
            number = _keys.Add(text, out _);
        }
        Grow();
        for (var i = 0; i < _columns.Length; i++) _columns[i].Add(deletes ? default : values[i]);
        var row = _count;
        _stamps[row] = offset << 1 | (deletes ? 1L : 0);
        _superseded[row] = superseded;
        _hashes[row] = deletes ? 0 : hash;
        _sums[row] = (row == 0 ? 0 : _sums[row - 1]) + _hashes[row] - (had ? _hashes[superseded] : 0);
        _count++;
        Live += (deletes ? 0 : 1) - (had ? 1 : 0);
        Volatile.Write(ref _newest[number], row + 1);
    }

    /// <summary>The row of a key as of a version; -1 where there is none. Any thread.</summary>
    public int Find(in FieldValue key, long version)
    {
        var number = _keys.Find(_numbers ? LookupTable.Bytes(in key.Bits) : key.Text);
        if (number < 0) return -1;
        var row = Volatile.Read(ref Volatile.Read(ref _newest)[number]) - 1;
        while (row >= 0 && _stamps[row] >> 1 >= version) row = _superseded[row];
        return row < 0 || IsDeletion(row) ? -1 : row;
    }

    /// <summary>As <see cref="LookupTable.TryGet"/>. Any thread.</summary>
    public bool TryGet(int row, int column, ref FieldValue to) => _columns[column].TryGet(row, ref to);

    /// <summary>
    /// The sum over the rows of a version: two versions with the same one have the same rows. Only the thread that adds, or one that keeps
    /// it from adding.
    /// </summary>
    public ulong Sum(long version)
    {
        var at = Before(version);
        return at == 0 ? 0 : _sums[at - 1];
    }

    /// <summary>
    /// The same rows without the versions before one: of each key the row of then stays, and what came later. Only the thread that adds.
    /// </summary>
    public TopicRows From(long version)
    {
        var first = Before(version);
        var keep = new bool[first];
        for (var number = 0; number < _keys.Count; number++)
        {
            var row = _newest[number] - 1;
            while (row >= first) row = _superseded[row];
            if (row >= 0) keep[row] = !IsDeletion(row);
        }
        var rows = new TopicRows(Shape);
        var keys = new int[_count];
        for (var number = 0; number < _keys.Count; number++)
            for (var row = _newest[number] - 1; row >= 0; row = _superseded[row]) keys[row] = number;
        var values = new FieldValue[_columns.Length];
        for (var row = 0; row < _count; row++)
        {
            if (row < first && !keep[row]) continue;
            Array.Clear(values);
            for (var i = 0; i < values.Length; i++) TryGet(row, i, ref values[i]);
            var key = KeyOf(keys[row]);
            rows.Add(key, _stamps[row] >> 1, IsDeletion(row) ? default : values, _hashes[row]);
        }
        return rows;
    }

    private FieldValue KeyOf(int number)
    {
        var (key, text) = (default(FieldValue), _keys[number]);
        if (_numbers) key.Set(BitConverter.ToInt64(text.Of(_keys.Bytes)));
        else key.Set(_keys.Bytes, text.Start, text.Length);
        return key;
    }

    private bool IsDeletion(int row) => (_stamps[row] & 1) != 0;

    /// <summary>How many rows a version has, and those that it supersedes: rows are in the order of their offsets.</summary>
    private int Before(long version)
    {
        var (low, high) = (0, _count);
        while (low < high)
        {
            var middle = (int)(((uint)low + (uint)high) / 2);
            if (_stamps[middle] >> 1 < version) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private void Grow()
    {
        if (_count < _stamps.Length) return;
        var length = Math.Max(_count + 1, (int)Math.Min(Array.MaxLength, 2L * _count));
        Array.Resize(ref _stamps, length);
        Array.Resize(ref _superseded, length);
        Array.Resize(ref _hashes, length);
        Array.Resize(ref _sums, length);
    }
}
