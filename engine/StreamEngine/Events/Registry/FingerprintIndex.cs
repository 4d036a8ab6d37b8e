using System.Collections.Concurrent;
using StreamEngine.Events.Avro;

namespace StreamEngine.Events.Registry;

/// <summary>A registry's schemas by fingerprint, which leaves out what values mean: several schemas may share one. Thread-safe.</summary>
internal sealed class FingerprintIndex
{
    /// <summary>Null where schemas that mean different things share the fingerprint.</summary>
    private readonly ConcurrentDictionary<ulong, AvroSchema?> _schemas = new();

    /// <summary>Adds a schema.</summary>
    public void Add(AvroSchema schema) =>
        _schemas.AddOrUpdate(schema.Fingerprint, schema, (_, known) => known?.Identity == schema.Identity ? known : null);

    /// <summary>The schema, or null where none has the fingerprint.</summary>
    /// <exception cref="SchemaRegistryException">Several have it, and differ in what their values mean.</exception>
    public AvroSchema? Find(ulong fingerprint)
    {
        if (!_schemas.TryGetValue(fingerprint, out var schema)) return null;
        return schema ?? throw new SchemaRegistryException($"Several schemas have the fingerprint {fingerprint:x16} and differ in what "
            + "their values mean (logical types, scales): single-object records can't be told apart; frame them with a registry's id")
        { Unusable = true };
    }
}
