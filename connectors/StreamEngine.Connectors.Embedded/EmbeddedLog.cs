using StreamEngine.Connectors.Embedded.Groups;
using StreamEngine.Connectors.Embedded.Sharing;
using StreamEngine.Connectors.Embedded.Storage;

namespace StreamEngine.Connectors.Embedded;

/// <summary>
/// A log inside the process, durable in a directory: for demos, replays, tests and single machines. Transactions are appended as closed
/// groups, so that a commit is atomic over topics and offsets, and an aborted transaction never reaches the log. Workers, readers and
/// writers belong to one thread each; the log itself to all. Retention is unlimited: a topic's retention and compaction are not applied.
/// </summary>
public sealed class EmbeddedLog : ILog
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly EmbeddedLogOptions _options;
    private readonly FileStream _directoryLock;
    private readonly Lock _define = new();
    private readonly Dictionary<string, ConsumerGroup> _groups = [];
    private readonly Dictionary<string, long> _epochs = [];
    private LogServer? _server;
    private bool _disposed;

    /// <summary>Opens the log in the directory, a new one where there is none; cuts what a crash left unfinished.</summary>
    /// <exception cref="LogException">Another process has it open, it is corrupt, or the directory can't be used.</exception>
    public EmbeddedLog(EmbeddedLogOptions options)
        : this(options, TryTake(options.Directory, out var error) ?? throw InUse(options.Directory, error!)) { }

    private EmbeddedLog(EmbeddedLogOptions options, FileStream directoryLock)
    {
        _options = options;
        _directoryLock = directoryLock;
        try
        {
            Store = new GroupStore(options);
        }
        catch (Exception error)
        {
            _directoryLock.Dispose();
            if (error is IOException or UnauthorizedAccessException)
                throw new LogException($"The log in {options.Directory} can't be opened: {error.Message}", error);
            throw;
        }
    }

    /// <summary>
    /// Opens the log for a process that need not be alone with it: the first opens it and serves the others of its user, which read and
    /// write by way of it, but run no engine.
    /// </summary>
    /// <param name="options">Where the log lives.</param>
    /// <param name="asOwner">Whether only the log itself will do, for an engine: who just looks at it is waited for.</param>
    /// <exception cref="LogException">It is open in a process that does not serve others (or in any, for an owner), it is corrupt, or the
    /// directory can't be used.</exception>
    public static ILog OpenShared(EmbeddedLogOptions options, bool asOwner = false)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (TryTake(options.Directory, out var error) is { } free)
            {
                var log = new EmbeddedLog(options, free);
                if (Wire.PathOf(options.Directory) is { } path) log._server = new LogServer(log, path);
                return log;
            }
            // Who opens it is about to serve, or about to close it.
            var last = TimeProvider.System.GetElapsedTime(started) >= Patience;
            var shared = asOwner && !last ? null : SharedLog.TryConnect(options.Directory);
            if (shared is not null && !asOwner) return shared;
            using (shared)
                if (shared is not null) throw shared.Owned();
            if (last || error is not IOException) throw InUse(options.Directory, error!);
            Task.Delay(Pause, TimeProvider.System).GetAwaiter().GetResult();
        }
    }

    /// <summary>The log as another process has it open; null where none has.</summary>
    public static ILog? TryShare(EmbeddedLogOptions options) => SharedLog.TryConnect(options.Directory);

    internal GroupStore Store { get; }

    /// <inheritdoc/>
    public int Partitions(string topic) => Store.Catalog.Topic(topic)?.Partitions ?? 0;

    /// <inheritdoc/>
    public IReadOnlyList<string> CreateTopics(IReadOnlyList<TopicSpec> topics)
    {
        lock (_define)
        {
            foreach (var spec in topics)
            {
                if (spec.Partitions < 1)
                    throw new LogException($"Topic {spec.Name} can't have {spec.Partitions} partitions: at least one.");
                if (Store.Catalog.Topic(spec.Name) is { } known && known.Partitions != spec.Partitions)
                    throw new LogException($"Topic {spec.Name} exists with {known.Partitions} partitions, not {spec.Partitions}: "
                        + "partitions can't change, because keys would move. Use that number or another name.");
            }
            var created = new List<string>();
            foreach (var spec in topics)
            {
                if (Store.Catalog.Topic(spec.Name) is not null) continue;
                Store.WaitDurable(Store.Append([Store.Catalog.DefineTopic(spec.Name, spec.Partitions)]));
                created.Add(spec.Name);
            }
            return created;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<TopicInfo> ListTopics() =>
        [.. Store.Catalog.Topics().OrderBy(t => t.Name, StringComparer.Ordinal)
            .Select(t => new TopicInfo(t.Name, [.. Enumerable.Range(0, t.Partitions)
                .Select(p => (0L, Store.Catalog.Partition(t.FirstPartition + p).High))], "unlimited"))];

    /// <inheritdoc/>
    public (long Low, long High) Watermarks(TopicPartition partition) => (0, Known(partition).High);

    /// <inheritdoc/>
    public long? Committed(string group, TopicPartition partition)
    {
        Store.WaitDurable();
        return Store.Catalog.Group(group)?[Known(partition).Id];
    }

    /// <inheritdoc/>
    public ILogWorker OpenWorker(WorkerOptions options) => new EmbeddedWorker(this, options, GroupOf(options.Group));

    /// <inheritdoc/>
    public ILogReader OpenReader() => new EmbeddedReader(this);

    /// <inheritdoc/>
    public ILogWriter OpenWriter() => new EmbeddedWriter(this);

    /// <summary>Makes everything durable and gives the directory free.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _server?.Dispose();
        Store.Dispose();
        _directoryLock.Dispose();
    }

    /// <summary>Takes a member's partitions away without asking it, as a broker does with a member that it takes for dead.</summary>
    internal void Expel(string group, string instanceId)
    {
        var members = GroupOf(group);
        lock (members.Lock)
        {
            if (members.Find(instanceId) is { } member) members.Expel(member);
        }
        Store.Wake();
    }

    internal PartitionLog Known(TopicPartition partition) => Store.Catalog.Partition(partition)
        ?? throw new LogException($"{partition.Topic}[{partition.Partition}] does not exist: create the topic first (the log in "
        + $"{_options.Directory}).");

    internal Topic Known(string topic) => Store.Catalog.Topic(topic)
        ?? throw new LogException($"Topic {topic} does not exist: create it first (the log in {_options.Directory}).");

    /// <summary>The group's durable offsets, defined in the log by their first use.</summary>
    internal GroupOffsets Offsets(string group)
    {
        lock (_define)
        {
            if (Store.Catalog.Group(group) is null) Store.WaitDurable(Store.Append([Store.Catalog.DefineGroup(group)]));
            return Store.Catalog.Group(group)!;
        }
    }

    /// <summary>A new epoch for the producer with this id: all earlier ones are fenced.</summary>
    internal long NextEpoch(string instanceId)
    {
        lock (_epochs) return _epochs[instanceId] = _epochs.GetValueOrDefault(instanceId) + 1;
    }

    internal bool IsCurrent(string instanceId, long epoch)
    {
        lock (_epochs) return _epochs.GetValueOrDefault(instanceId) == epoch;
    }

    private ConsumerGroup GroupOf(string name)
    {
        lock (_groups)
        {
            if (!_groups.TryGetValue(name, out var group)) _groups[name] = group = new ConsumerGroup();
            return group;
        }
    }

    private static FileStream? TryTake(string directory, out Exception? error)
    {
        error = null;
        try
        {
            Directory.CreateDirectory(directory);
            return new FileStream(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error = e;
            return null;
        }
    }

    private static LogException InUse(string directory, Exception error) =>
        new($"The log in {directory} can't be opened: another process (or another log in this one) has it open, or the directory can't be "
            + $"written ({error.Message}). One process at a time"
            + $"{(Wire.PathOf(directory) is null ? ": the path is too long for a socket by which others could share the log." : ".")}",
            error);
}
