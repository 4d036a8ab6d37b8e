using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Events.Registry;

namespace StreamEngine.Events.Tables;

/// <summary>Decodes the rows of one table, by the decoders and the rules that events are read by. For one thread.</summary>
internal sealed class RowDecoder
{
    private readonly TableShape _table;
    private readonly EventSource _source;
    private readonly IEventDecoder _decoder;
    private readonly Event _row;
    private readonly int _key;
    private readonly int[] _fields;

    /// <param name="table">The table as declared.</param>
    /// <param name="source">Its rows as a source of events (<see cref="TableShape.Source"/>).</param>
    /// <param name="errors">Takes mistakes.</param>
    public RowDecoder(TableShape table, EventSourceOptions source, ConfigErrors errors)
    {
        _table = table;
        var catalog = EventCatalog.Compile([source], [], new NoSchemas(), "", errors);
        _source = catalog.Sources[0];
        _decoder = _source.CreateDecoder();
        _row = new Event(catalog.Fields);
        _key = catalog.Fields.Find(TableShape.KeyName)?.Index ?? -1;
        _fields = [.. table.Fields.Fields.Select(f => catalog.Fields.Find(TableShape.ColumnName(f.Index))!.Index)];
    }

    /// <summary>The row's key as the row has it; absent where that is not among its values.</summary>
    public ref readonly FieldValue Key => ref _row.Fields[_key];

    /// <summary>Whether the key is among a row's values.</summary>
    public bool HasKey => _key >= 0;

    /// <summary>The key as text, as the row has it.</summary>
    public ReadOnlySpan<byte> KeyText => _row.Customer.Text;

    /// <summary>A value of the row, by the place of the table's field.</summary>
    public ref readonly FieldValue this[int field] => ref _row.Fields[_fields[field]];

    /// <summary>Decodes a row; why it can't be used, where it can't.</summary>
    /// <param name="buffer">What holds it.</param>
    /// <param name="value">Its bytes.</param>
    /// <param name="key">The bytes of its record's key; none in a file.</param>
    public RejectReason Decode(byte[] buffer, Range32 value, Range32 key)
    {
        _row.BeginBatch();
        _row.Clear();
        var reason = _decoder.Decode(buffer, value, key, _row);
        // Where the record's key is the row's, the row needs nothing that could be an event's id.
        return reason == RejectReason.MissingId && !HasKey ? RejectReason.None : reason;
    }

    /// <summary>Says in words why the row that was decoded last can't be used.</summary>
    public string Explain(RejectReason reason)
    {
        if (reason == RejectReason.MissingCustomer)
            return _table.Options.Topic.Length > 0 && _table.Options.Key.Field == RecordPart.Key ? "the record has no key"
                : $"the row has no key: there is no value in '{_table.Options.Key.Field}'";
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
