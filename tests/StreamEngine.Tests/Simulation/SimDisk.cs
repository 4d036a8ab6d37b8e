using StreamEngine.State.Checkpoints;

namespace StreamEngine.Tests.Simulation;

/// <summary>
/// The checkpoint files of a simulation's nodes: real ones, in memory where the system has such a folder. What a node that dies had on its
/// disk is whole, torn, damaged or gone.
/// </summary>
internal sealed class SimDisk(Random random) : IDisposable
{
    private static readonly string Root = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
    private readonly string _folder = Path.Combine(Root, $"streamengine-sim-{Guid.NewGuid():N}");

    /// <summary>Files that were damaged or lost.</summary>
    public int Damaged { get; private set; }

    /// <summary>Opens a shard's files on a node.</summary>
    /// <exception cref="IOException">Another process of the node has them open.</exception>
    public CheckpointFiles Open(string node, int partition, Action<CheckpointEvent> report) =>
        new(Path.Combine(_folder, node, $"shard-{partition}"), report, isInline: true);

    /// <summary>A node died, its files are closed: draws what is left of them.</summary>
    public void Crash(IEnumerable<CheckpointFiles> files)
    {
        foreach (var path in files.Select(f => f.Folder).Distinct().Where(IsFree).SelectMany(CheckpointFiles.In))
        {
            var fate = random.Next(6);
            if (fate < 3) continue;
            Damaged++;
            if (fate == 3) File.Delete(path);
            else Damage(path, cut: fate == 4);
        }
    }

    /// <summary>Does something that leaves the files as they are: who dies cleans nothing up.</summary>
    public static void Untouched(IEnumerable<CheckpointFiles> files, Action what)
    {
        var kept = files.Select(f => f.Folder).Distinct().SelectMany(CheckpointFiles.In).Select(p => (Path: p, Bytes: File.ReadAllBytes(p)))
            .ToList();
        what();
        foreach (var (path, bytes) in kept)
            if (!File.Exists(path)) File.WriteAllBytes(path, bytes);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Not where another process of the node has opened a shard's files since.</summary>
    private static bool IsFree(string folder)
    {
        try
        {
            new CheckpointFiles(folder, _ => { }).Dispose();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private void Damage(string path, bool cut)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        var length = RandomAccess.GetLength(file);
        if (length == 0) return;
        var at = random.NextInt64(length);
        if (cut)
        {
            RandomAccess.SetLength(file, at);
            return;
        }
        var one = new byte[1];
        _ = RandomAccess.Read(file, one, at);
        one[0] ^= 64;
        RandomAccess.Write(file, one, at);
    }
}
