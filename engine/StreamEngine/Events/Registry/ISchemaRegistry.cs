using StreamEngine.Configuration;
using StreamEngine.Events.Avro;

namespace StreamEngine.Events.Registry;

/// <summary>A schema with its place in a registry.</summary>
public sealed record RegisteredSchema(int Id, string Subject, int Version, AvroSchema Schema);

/// <summary>Finds Avro schemas. Thread-safe. Answers are kept, so that a schema is fetched once.</summary>
public interface ISchemaRegistry
{
    /// <summary>The schema of a registry id; null where the registry does not know it.</summary>
    /// <exception cref="SchemaRegistryException">The registry can't be asked, or its schema can't be used.</exception>
    AvroSchema? ById(int id);

    /// <summary>The schema of a fingerprint (CRC-64-AVRO); null where it is not known here.</summary>
    /// <exception cref="SchemaRegistryException">Several schemas have it that differ in what their values mean.</exception>
    AvroSchema? ByFingerprint(ulong fingerprint);

    /// <summary>The newest schema of a subject; null where there is none.</summary>
    /// <exception cref="SchemaRegistryException">The registry can't be asked, or its schema can't be used.</exception>
    RegisteredSchema? Latest(string subject);
}

/// <summary>
/// The registry is away, refuses, or holds what can't be used: no fault of a record, so it is not a reject reason. The caller may try
/// again.
/// </summary>
public sealed class SchemaRegistryException(string message, Exception? inner = null) : Exception(Printable.Short(message), inner)
{
    /// <summary>
    /// Whether the registry answered with something that can't be used (not Avro, rubbish): asking again does not help.
    /// </summary>
    public bool Unusable { get; init; }
}
