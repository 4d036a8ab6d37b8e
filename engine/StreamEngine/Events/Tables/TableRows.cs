using StreamEngine.Configuration;
using StreamEngine.Events.Decoding;

namespace StreamEngine.Events.Tables;

/// <summary>
/// Takes the rows of a table one after another and makes the table of them. Rows are read as events are. Every row that can't be used, and
/// every key that is there already, is told with its line.
/// </summary>
public sealed class TableRows
{
    /// <summary>More mistakes of one file than that are counted and not told: they are mostly the same one.</summary>
    private const int MostErrors = 20;

    private readonly TableShape _table;
    private readonly string _path;
    private readonly ConfigErrors _errors;
    private readonly RowDecoder _rows;
    private readonly TextSet _keys = new();
    private readonly TableColumn[] _columns;
    private readonly List<long> _lines = [];
    private byte[] _buffer = [];
    private int _faults;

    /// <param name="table">The table as declared.</param>
    /// <param name="path">The file that the rows are from.</param>
    /// <param name="source">The file as a source of events (<see cref="TableShape.Source"/>).</param>
    /// <param name="errors">Takes the mistakes.</param>
    public TableRows(TableShape table, string path, EventSourceOptions source, ConfigErrors errors)
    {
        ArgumentNullException.ThrowIfNull(table);
        (_table, _path, _errors) = (table, path, errors);
        _rows = new RowDecoder(table, source, errors);
        _columns = [.. table.Fields.Fields.Select(f => new TableColumn(f.Type))];
    }

    /// <summary>Takes the next row.</summary>
    /// <param name="record">Its bytes.</param>
    /// <param name="line">The line that it begins in.</param>
    /// <exception cref="InvalidDataException">There is no room for more.</exception>
    public void Add(ReadOnlySpan<byte> record, long line)
    {
        if (record.Length > _buffer.Length) _buffer = new byte[Math.Max(record.Length, 2 * _buffer.Length)];
        record.CopyTo(_buffer);
        var reason = _rows.Decode(_buffer, new Range32(0, record.Length), default);
        if (reason != RejectReason.None)
        {
            Fault(line, _rows.Explain(reason), reason == RejectReason.BadUtf8 ? TableShape.EncodingRemedy
                : "Mend the row, or declare its fields as what they are.");
            return;
        }
        ref readonly var key = ref _rows.Key;
        var row = _keys.Add(_table.KeyType == FieldType.Int ? LookupTable.Bytes(in key.Bits) : key.Text, out var isNew);
        if (!isNew)
        {
            Fault(line, $"the key '{FaultText.Show(_rows.KeyText)}' is there already, in line {_lines[row]}",
                "Leave one row of each key.");
            return;
        }
        _lines.Add(line);
        for (var i = 0; i < _columns.Length; i++) _columns[i].Add(_rows[i]);
    }

    /// <summary>Tells that a row can't be used, which makes the table unusable.</summary>
    /// <param name="line">The line that it begins in.</param>
    /// <param name="message">What is wrong with it.</param>
    /// <param name="remedy">What to do about it.</param>
    public void Refuse(long line, string message, string remedy) => Fault(line, message, remedy);

    /// <summary>The table of all rows; null where there were mistakes.</summary>
    /// <param name="sha256">The hash of the file, in hex.</param>
    public LookupTable? Close(string sha256)
    {
        if (_faults > MostErrors)
            _errors.Add(new ConfigLocation(_path, 0, 0, $"tables.{_table.Name}"),
                $"{_faults - MostErrors} more of its rows can't be used", "Mend those that are told first.");
        if (_faults > 0) return null;
        _keys.Close(indexed: true);
        foreach (var column in _columns) column.Close();
        return new LookupTable(_table, _keys, _columns, sha256);
    }

    private void Fault(long line, string message, string remedy)
    {
        if (_faults++ < MostErrors)
            _errors.Add(new ConfigLocation(_path, (int)Math.Min(int.MaxValue, line), 1, $"tables.{_table.Name}"), message, remedy);
    }
}
