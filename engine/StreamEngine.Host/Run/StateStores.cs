using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.State.Faster;

namespace StreamEngine.Host.Run;

/// <summary>Opens the state stores that the config asks for; their files go when this is disposed.</summary>
internal sealed class StateStores : IDisposable
{
    private readonly StateOptions _options;
    private readonly string _root;

    /// <summary>Chooses the folder.</summary>
    /// <param name="options">The config's state section.</param>
    /// <param name="baseDirectory">What a relative folder starts from.</param>
    /// <param name="temporary">Whether to leave the configured folder alone, as a replay beside a live engine must.</param>
    public StateStores(StateOptions options, string baseDirectory, bool temporary = false)
    {
        _options = options;
        // Two processes of one config must not share files: each has a folder of its own below the configured one.
        var parent = options.Directory is null || temporary ? Path.GetTempPath() : Path.GetFullPath(Path.Combine(baseDirectory, options.Directory));
        _root = Path.Combine(parent, $"streamengine-state-{Environment.ProcessId}-{Guid.NewGuid():N}");
    }

    /// <summary>A shard's store.</summary>
    public IStateStore Open(int partition) => _options.Store == StoreKind.Memory
        ? new MemoryStateStore()
        : new FasterStateStore(new FasterStateOptions(Path.Combine(_root, $"shard-{partition}-{Guid.NewGuid():N}"), _options.Memory.Bytes, Math.Max(1 << 20, _options.Memory.Bytes / 16)));

    public void Dispose()
    {
        if (Directory.Exists(_root)) Directory.Delete(_root, recursive: true);
    }
}
