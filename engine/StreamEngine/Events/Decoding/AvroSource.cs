using System.Collections.Concurrent;
using StreamEngine.Events.Avro;
using StreamEngine.Events.Registry;

namespace StreamEngine.Events.Decoding;

/// <summary>
/// An Avro source's programs by writer's schema, compiled when a schema is first met. Shared by the source's decoders; thread-safe.
/// </summary>
internal sealed class AvroSource(EventShape shape, AvroSchema? reader, AvroSchema? bare, AvroFraming framing, ISchemaRegistry registry,
    Action<string> problem)
{
    private readonly ConcurrentDictionary<int, ProjectionProgram> _byId = new();
    private readonly ConcurrentDictionary<ulong, byte> _unusable = new(), _unusableFingerprints = new();
    private readonly ConcurrentDictionary<ulong, ProjectionProgram> _byFingerprint = new();

    /// <summary>The source compiled.</summary>
    public EventShape Shape { get; } = shape;

    /// <summary>The schema whose names the config uses; null where the writer's is used as it is.</summary>
    public AvroSchema? Reader { get; } = reader;

    /// <summary>How records are framed.</summary>
    public AvroFraming Framing { get; } = framing;

    /// <summary>The program for records without a frame; null where no schema is given for them.</summary>
    public ProjectionProgram? Bare { get; } = bare is null ? null : ProjectionBuilder.Build(bare, reader, shape);

    /// <summary>The schema of records without a frame; null where there is none.</summary>
    public AvroSchema? BareSchema { get; } = bare;

    /// <summary>The program for a registry id; null where the registry does not know it.</summary>
    /// <exception cref="SchemaRegistryException">The registry can't be asked.</exception>
    public ProjectionProgram? ById(int id)
    {
        if (_byId.TryGetValue(id, out var program)) return program;
        return SchemaById(id) is { } schema ? _byId.GetOrAdd(id, Compile(schema, $"schema id {id}")) : null;
    }

    /// <summary>The program for a fingerprint; null where neither the source nor the registry knows it.</summary>
    /// <exception cref="SchemaRegistryException">The registry can't be asked.</exception>
    public ProjectionProgram? ByFingerprint(ulong fingerprint)
    {
        if (_byFingerprint.TryGetValue(fingerprint, out var program)) return program;
        return SchemaByFingerprint(fingerprint) is { } schema
            ? _byFingerprint.GetOrAdd(fingerprint, Compile(schema, $"schema fingerprint {fingerprint:x16}")) : null;
    }

    /// <summary>
    /// The writer's schema of a registry id, or null where the registry does not know it or has no Avro schema that can be read.
    /// </summary>
    /// <exception cref="SchemaRegistryException">The registry can't be asked.</exception>
    public AvroSchema? SchemaById(int id) => Usable(_unusable, (uint)id, n => registry.ById((int)n));

    /// <summary>
    /// The writer's schema of a fingerprint, or null. The registry's goes before the source's own, which has the same bytes but may give
    /// them another meaning.
    /// </summary>
    public AvroSchema? SchemaByFingerprint(ulong fingerprint) => Usable(_unusableFingerprints, fingerprint, f => registry.ByFingerprint(f)
        ?? (BareSchema?.Fingerprint == f ? BareSchema : Reader?.Fingerprint == f ? Reader : null));

    private AvroSchema? Usable(ConcurrentDictionary<ulong, byte> unusable, ulong key, Func<ulong, AvroSchema?> find)
    {
        if (unusable.ContainsKey(key)) return null;
        try
        {
            return find(key);
        }
        catch (SchemaRegistryException e) when (e.Unusable)
        {
            // The records are at fault, or their producer is; the registry answered. Told once; asked again after a restart.
            if (unusable.TryAdd(key, 0)) problem($"{e.Message}; its records are rejected as unknown-schema");
            return null;
        }
    }

    private ProjectionProgram Compile(AvroSchema writer, string name)
    {
        var program = ProjectionBuilder.Build(writer, Reader, Shape);
        if (program.Unresolved is { } reason)
            problem($"{name} does not resolve to the reader's schema: {reason}; its records are rejected as unknown-schema");
        return program;
    }
}
