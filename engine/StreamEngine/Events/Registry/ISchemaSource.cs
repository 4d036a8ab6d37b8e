using StreamEngine.Configuration;
using StreamEngine.Events.Avro;

namespace StreamEngine.Events.Registry;

/// <summary>A registry over a network: asked each time, nothing is kept. What keeps its answers is <see
/// cref="CachedSchemaRegistry"/>.</summary>
public interface ISchemaSource : IDisposable
{
    /// <summary>The schema of a registry id; null where the registry does not know it.</summary>
    /// <exception cref="SchemaRegistryException">The registry can't be asked, or its schema can't be used.</exception>
    Task<AvroSchema?> ByIdAsync(int id, CancellationToken stop);

    /// <summary>The newest schema of a subject; null where there is none.</summary>
    /// <exception cref="SchemaRegistryException">The registry can't be asked, or its schema can't be used.</exception>
    Task<RegisteredSchema?> LatestAsync(string subject, CancellationToken stop);

    /// <summary>Registers a schema under a subject, where it is not there already; its id.</summary>
    /// <exception cref="SchemaRegistryException">The registry can't be asked, or (unusable) refuses it.</exception>
    Task<int> RegisterAsync(string subject, string schema, CancellationToken stop);

    /// <summary>The id of a schema under a subject; null where it is not registered.</summary>
    /// <exception cref="SchemaRegistryException">The registry can't be asked.</exception>
    Task<int?> FindAsync(string subject, string schema, CancellationToken stop);

    /// <summary>Whether a schema may be registered under a subject by its rule of compatibility.</summary>
    /// <exception cref="SchemaRegistryException">The registry can't be asked.</exception>
    Task<bool> AcceptsAsync(string subject, string schema, CancellationToken stop);
}

/// <summary>How a start reaches a registry.</summary>
public sealed record RegistryAccess
{
    /// <summary>
    /// Connects to the registry that the options name by its URL, relative paths from a folder; null, with the mistakes told, where the
    /// options can't be used. Connects to nothing yet.
    /// </summary>
    public Func<SchemaOptions, string, ConfigErrors, ISchemaSource?>? Connect { get; init; }

    /// <summary>Whether the start may wait for a registry that is away, where the config says so.</summary>
    public bool MayWait { get; init; }

    /// <summary>Ends such a wait.</summary>
    public CancellationToken Stop { get; init; }

    /// <summary>Told what is worth a line in the log.</summary>
    public Action<string> Say { get; init; } = _ => { };
}
