using System.Diagnostics.CodeAnalysis;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.State.Faster;

namespace StreamEngine.Host.Run;

/// <summary>
/// Opens the state stores that the config asks for, in a folder of this process that goes when this is disposed, and knows where
/// checkpoints are.
/// </summary>
internal sealed class StateStores : IDisposable
{
    private const string Prefix = "streamengine-state-";

    private readonly StateOptions _options;
    private readonly string? _directory;
    private readonly string _root;
    private readonly FileStream _lock;

    /// <summary>Chooses the folder, and removes those that killed processes left.</summary>
    /// <param name="options">The config's state section.</param>
    /// <param name="baseDirectory">What a relative folder starts from.</param>
    /// <param name="temporary">Whether to leave the configured folder alone, as a replay beside a live engine must.</param>
    /// <exception cref="IOException">The folder can't be written.</exception>
    public StateStores(StateOptions options, string baseDirectory, bool temporary = false)
    {
        _options = options;
        _directory = options.Directory is null || temporary ? null : Path.GetFullPath(Path.Combine(baseDirectory, options.Directory));
        // Two processes of one config must not share a store's files: each has a folder of its own, locked while it lives.
        var parent = _directory ?? Path.GetTempPath();
        Directory.CreateDirectory(parent);
        RemoveLeftovers(parent);
        _root = Path.Combine(parent, $"{Prefix}{Environment.ProcessId}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(_root);
        _lock = new FileStream(LockOf(_root), FileMode.Create, FileAccess.ReadWrite, FileShare.None);
    }

    /// <summary>A shard's store.</summary>
    /// <param name="partition">The shard's partition.</param>
    /// <param name="largestProfile">The most bytes that a profile will have.</param>
    public IStateStore Open(int partition, int largestProfile) => _options.Store == StoreKind.Memory
        ? new MemoryStateStore()
        : new FasterStateStore(new FasterStateOptions(Path.Combine(_root, $"shard-{partition}-{Guid.NewGuid():N}"), _options.Memory.Bytes,
        Math.Max(1 << 20, _options.Memory.Bytes / 16))
        { LargestProfile = largestProfile });

    /// <summary>Whether there is a place for checkpoints, and they are wanted.</summary>
    [MemberNotNullWhen(true, nameof(_directory))]
    public bool KeepsCheckpoints(CheckpointOptions options) => _directory is not null && options.Interval > TimeSpan.Zero;

    /// <summary>Where a shard's checkpoints are.</summary>
    public string CheckpointFolder(string engine, int partition) =>
        Path.Combine(CheckpointFolder(_directory!, engine), $"shard-{partition}");

    /// <summary>Where an engine's checkpoints are below a state directory.</summary>
    public static string CheckpointFolder(string stateDirectory, string engine) =>
        Path.Combine(stateDirectory, "checkpoints", Uri.EscapeDataString(engine));

    public void Dispose()
    {
        _lock.Dispose();
        try
        {
            if (Directory.Exists(_root)) Directory.Delete(_root, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Another process that starts has taken it for a leftover, as it is from here on.
        }
    }

    private static void RemoveLeftovers(string parent)
    {
        foreach (var folder in Directory.GetDirectories(parent, $"{Prefix}*"))
            try
            {
                // Whose lock is held lives; a folder whose lock is not made yet is left to a later start.
                using (new FileStream(LockOf(folder), FileMode.Open, FileAccess.ReadWrite, FileShare.None))
                    Directory.Delete(folder, recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
            }
    }

    private static string LockOf(string folder) => Path.Combine(folder, "lock");
}
