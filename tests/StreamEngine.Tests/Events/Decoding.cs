using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Events.Avro;
using StreamEngine.Events.Registry;

namespace StreamEngine.Tests.Events;

/// <summary>Compiles sources and decodes single records.</summary>
internal sealed class Decoding
{
    private readonly IEventDecoder _decoder;

    public Decoding(EventSourceOptions source, ISchemaRegistry? registry = null, params string[] purposes)
    {
        var errors = new ConfigErrors();
        Catalog = EventCatalog.Compile([source], purposes, registry ?? new Schemas(), AppContext.BaseDirectory, errors,
            say: Problems.Add);
        errors.ThrowIfAny();
        _decoder = Catalog.Sources[0].CreateDecoder();
        Event = new Event(Catalog.Fields);
    }

    public EventCatalog Catalog { get; }

    public List<string> Problems { get; } = [];

    public Event Event { get; }

    public FieldValue this[string field] => Event.Fields[Catalog.Fields.Find(field)!.Index];

    public RejectReason Decode(string value, string? key = null) => Decode(Encoding.UTF8.GetBytes(value), key);

    /// <summary>Decodes from the middle of a larger array whose other bytes would be noticed.</summary>
    public RejectReason Decode(ReadOnlySpan<byte> value, string? key = null)
    {
        var keyBytes = Encoding.UTF8.GetBytes(key ?? "");
        byte[] buffer = [.. keyBytes, 2, 2, 2, .. value, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2];
        Event.BeginBatch();
        Event.Clear();
        return _decoder.Decode(buffer, new Range32(keyBytes.Length + 3, value.Length), new Range32(0, key is null ? -1 : keyBytes.Length),
            Event);
    }

    public RejectReason Decode(byte[] buffer, Range32 value, Event target) => _decoder.Decode(buffer, value, new Range32(0, -1), target);

    public string Text(string field) => Encoding.UTF8.GetString(this[field].Text);

    /// <summary>A field for the options.</summary>
    public static FieldOptions Field(string name, string type, string? from = null) => new() { Name = name, Type = type, From = from };
}

/// <summary>A registry in memory.</summary>
internal sealed class Schemas(params (int Id, AvroSchema Schema)[] schemas) : ISchemaRegistry
{
    public AvroSchema? ById(int id) => schemas.FirstOrDefault(s => s.Id == id).Schema;

    public AvroSchema? ByFingerprint(ulong fingerprint) => schemas.FirstOrDefault(s => s.Schema.Fingerprint == fingerprint).Schema;

    public RegisteredSchema? Latest(string subject) => subject == "events-value" && schemas.Length > 0
        ? new(schemas[^1].Id, subject, 1, schemas[^1].Schema) : null;
}
