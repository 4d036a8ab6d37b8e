using StreamEngine.Events.Avro;

namespace StreamEngine.Events.Registry;

/// <summary>The schema that a container file was written with.</summary>
/// <param name="Path">The first file that has it.</param>
/// <param name="Schema">The schema.</param>
public sealed record AvroFileSchema(string Path, AvroSchema Schema);

/// <summary>The schemas of a source's container files: a schema's id is its place in the list, from 1.</summary>
internal sealed class FileSchemaRegistry(IReadOnlyList<AvroFileSchema> files) : ISchemaRegistry
{
    /// <inheritdoc/>
    public AvroSchema? ById(int id) => id > 0 && id <= files.Count ? files[id - 1].Schema : null;

    /// <inheritdoc/>
    public AvroSchema? ByFingerprint(ulong fingerprint) => null;

    /// <inheritdoc/>
    public RegisteredSchema? Latest(string subject) => null;
}
