using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Events.Decoding;
using StreamEngine.Events.Registry;

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
    private readonly EventSource _source;
    private readonly IEventDecoder _decoder;
    private readonly Event _row;
    private readonly int _key;
    private readonly int[] _fields;
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
        var catalog = EventCatalog.Compile([source], [], new NoSchemas(), "", errors);
        _source = catalog.Sources[0];
        _decoder = _source.CreateDecoder();
        _row = new Event(catalog.Fields);
        _key = catalog.Fields.Find(TableShape.KeyName)!.Index;
        _fields = [.. table.Fields.Fields.Select(f => catalog.Fields.Find(TableShape.ColumnName(f.Index))!.Index)];
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
        _row.BeginBatch();
        _row.Clear();
        var reason = _decoder.Decode(_buffer, new Range32(0, record.Length), default, _row);
        if (reason != RejectReason.None)
        {
            Fault(line, reason == RejectReason.MissingCustomer ? $"the row has no key: there is no value in '{_table.Options.Key.Field}'"
                : Words(reason), reason == RejectReason.BadUtf8 ? TableShape.EncodingRemedy
                : "Mend the row, or declare its fields as what they are.");
            return;
        }
        ref readonly var key = ref _row.Fields[_key];
        var row = _keys.Add(_table.KeyType == FieldType.Int ? LookupTable.Bytes(in key.Bits) : key.Text, out var isNew);
        if (!isNew)
        {
            Fault(line, $"the key '{FaultText.Show(_row.Customer.Text)}' is there already, in line {_lines[row]}",
                "Leave one row of each key.");
            return;
        }
        _lines.Add(line);
        for (var i = 0; i < _columns.Length; i++) _columns[i].Add(_row.Fields[_fields[i]]);
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

    private string Words(RejectReason reason)
    {
        Span<byte> text = stackalloc byte[1_024];
        var length = _source.Explain(_row, reason, text);
        return length > 0 ? Encoding.UTF8.GetString(text[..length]) : $"the row is {Spelling.Kebab($"{reason}")}";
    }

    /// <summary>Rows are no Avro.</summary>
    private sealed class NoSchemas : ISchemaRegistry
    {
        public Avro.AvroSchema? ById(int id) => null;

        public Avro.AvroSchema? ByFingerprint(ulong fingerprint) => null;

        public RegisteredSchema? Latest(string subject) => null;
    }
}
