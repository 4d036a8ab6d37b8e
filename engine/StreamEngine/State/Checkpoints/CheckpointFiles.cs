using System.Buffers;
using System.Globalization;
using System.Threading.Channels;
using Microsoft.Win32.SafeHandles;

namespace StreamEngine.State.Checkpoints;

/// <summary>What happened to a shard's files, for metrics and messages.</summary>
/// <param name="Marker">The cut that is closed and on the disk; null for a failure.</param>
/// <param name="Bytes">Bytes of all files.</param>
/// <param name="Failure">Why there will be no further checkpoints until the shard is opened again.</param>
public readonly record struct CheckpointEvent(CutMarker? Marker, long Bytes, Exception? Failure);

/// <summary>
/// One shard's checkpoints on the local disk: an append-only file of <see cref="CutBlock"/>s, written in the background. A file that is
/// mostly superseded profiles is written anew (a generation), and the old one goes once the new one holds a cut of its own besides. The
/// folder is locked while it is open.
/// </summary>
public sealed class CheckpointFiles : IDisposable
{
    private const long SmallBytes = 16 << 20, MaxBacklog = 32 << 20;
    private const double WasteFactor = 2.5;

    private readonly FileStream _lock;
    private readonly Channel<Job> _jobs = Channel.CreateUnbounded<Job>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Action<CheckpointEvent> _report;
    private readonly bool _isInline;
    private SafeFileHandle? _file;
    private Task _writing = Task.CompletedTask;
    private long _backlog;
    private int _generation;
    private long _length;
    private long _profileBytes, _profiles;
    private volatile bool _failed;

    private readonly record struct Job(byte[] Block, int Length, CutMarker? Marker, int Profiles);

    /// <summary>Opens a folder, making it where it is missing.</summary>
    /// <param name="directory">The shard's own.</param>
    /// <param name="report">Told of closed cuts and of failures, where blocks are written.</param>
    /// <param name="isInline">Whether <see cref="Append"/> writes itself, for who wants everything in one order: a simulation.</param>
    /// <exception cref="IOException">Another process has it open, or it can't be written.</exception>
    public CheckpointFiles(string directory, Action<CheckpointEvent> report, bool isInline = false)
    {
        Folder = directory;
        _report = report;
        _isInline = isInline;
        Directory.CreateDirectory(directory);
        _lock = new FileStream(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1,
            FileOptions.DeleteOnClose);
        foreach (var unfinished in Directory.GetFiles(directory, "*.tmp")) File.Delete(unfinished);
    }

    /// <summary>The shard's folder.</summary>
    public string Folder { get; }

    /// <summary>Whether the writing thread keeps up: add no more where it does not.</summary>
    public bool HasRoom => !_failed && Interlocked.Read(ref _backlog) < MaxBacklog;

    /// <summary>A folder's files, newest first.</summary>
    public static IReadOnlyList<string> In(string directory) => Directory.Exists(directory)
        ? [.. Directory.GetFiles(directory, "checkpoint-*.bin").OrderDescending(StringComparer.Ordinal)] : [];

    /// <summary>The closed cuts of all files, newest first, with the file of each.</summary>
    /// <param name="directory">The shard's folder.</param>
    /// <param name="damaged">Told of each file that is damaged or can't be read, with what is wrong, as far as the files are read.</param>
    public static IEnumerable<(string Path, FileCut Cut)> Cuts(string directory, Action<string>? damaged = null)
    {
        foreach (var path in In(directory))
        {
            FileContent content;
            try
            {
                content = CheckpointReader.Inspect(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                damaged?.Invoke($"{path} can't be read: {e.Message.TrimEnd('.')}");
                continue;
            }
            if (content.Damage is { } damage) damaged?.Invoke($"{path} is damaged: {damage}");
            foreach (var cut in content.Cuts.Reverse()) yield return (path, cut);
        }
    }

    /// <summary>
    /// Goes on behind a cut: what follows it is cut off. Without one every file goes and a new one begins, and every profile must be added
    /// again.
    /// </summary>
    public void Begin(string? path, FileCut? cut)
    {
        foreach (var other in In(Folder))
            if (path is null || string.CompareOrdinal(other, path) > 0) File.Delete(other);
        Start(path is null ? 1 : GenerationOf(path), cut?.End ?? 0);
    }

    /// <summary>Begins a new file beside those that are there, which stay and count until the new one closes a cut.</summary>
    public void BeginBeside() => Start(In(Folder) is [var newest, ..] ? GenerationOf(newest) + 1 : 1, 0);

    /// <summary>Adds a block (copied). Nothing waits for the disk here.</summary>
    /// <param name="block">The block's bytes.</param>
    /// <param name="marker">What it says where it closes a cut.</param>
    /// <param name="profiles">How many profiles it holds.</param>
    public void Append(ReadOnlySpan<byte> block, CutMarker? marker, int profiles)
    {
        if (_failed) return;
        var copy = ArrayPool<byte>.Shared.Rent(block.Length);
        block.CopyTo(copy);
        Interlocked.Add(ref _backlog, block.Length);
        var job = new Job(copy, block.Length, marker, profiles);
        if (_isInline) Do(job);
        else _jobs.Writer.TryWrite(job);
    }

    /// <summary>Writes what was added, and closes.</summary>
    public void Dispose()
    {
        _jobs.Writer.TryComplete();
        _writing.Wait();
        _file?.Dispose();
        _lock.Dispose();
    }

    private void Start(int generation, long length)
    {
        (_generation, _length) = (generation, length);
        _file = Open(PathOf(_generation), FileMode.OpenOrCreate);
        RandomAccess.SetLength(_file, _length);
        if (!_isInline) _writing = Task.Run(Write);
    }

    private async Task Write()
    {
        await foreach (var job in _jobs.Reader.ReadAllAsync().ConfigureAwait(false)) Do(job);
    }

    private void Do(in Job job)
    {
        try
        {
            if (!_failed) Write(job);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A checkpoint spares re-reading the log; without one nothing is lost. The unfinished cut is cut off at the next start.
            _failed = true;
            _report(new CheckpointEvent(null, TotalBytes(), e));
        }
        Interlocked.Add(ref _backlog, -job.Length);
        ArrayPool<byte>.Shared.Return(job.Block);
    }

    private void Write(in Job job)
    {
        RandomAccess.Write(_file!, job.Block.AsSpan(0, job.Length), _length);
        _length += job.Length;
        _profiles += job.Profiles;
        if (job.Profiles > 0) _profileBytes += job.Length;
        if (job.Marker is not { } marker) return;
        RandomAccess.FlushToDisk(_file!);
        foreach (var older in In(Folder))
            if (string.CompareOrdinal(older, PathOf(_generation)) < 0) File.Delete(older);
        var live = _profiles == 0 ? 0 : marker.Profiles * (_profileBytes / (double)_profiles);
        if (_length > SmallBytes && _length > WasteFactor * live) NextGeneration();
        _report(new CheckpointEvent(marker, TotalBytes(), null));
    }

    /// <summary>
    /// Writes each profile's newest version and the last marker into a new file. The old file stays until the new one has a cut of its own.
    /// </summary>
    private void NextGeneration()
    {
        var old = PathOf(_generation);
        var path = PathOf(_generation + 1);
        var length = CheckpointCompaction.Run(old, path + ".tmp");
        File.Move(path + ".tmp", path);
        _file!.Dispose();
        _generation++;
        _file = Open(path, FileMode.Open);
        _length = length;
    }

    private long TotalBytes() => In(Folder).Sum(f => new FileInfo(f).Length);

    private static int GenerationOf(string path) =>
        int.Parse(Path.GetFileNameWithoutExtension(path)["checkpoint-".Length..], CultureInfo.InvariantCulture);

    private string PathOf(int generation) =>
        Path.Combine(Folder, string.Create(CultureInfo.InvariantCulture, $"checkpoint-{generation:D8}.bin"));

    private static SafeFileHandle Open(string path, FileMode mode) =>
        File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
}
