using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Files;
using StreamEngine.Decisions;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Run;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Replay;

/// <summary>
/// A whole engine over files instead of a log: one shard, fed in event-time order. Nothing in it depends on the clock or on how records are
/// batched, so the same files and config give the same outputs, byte for byte.
/// </summary>
internal sealed class FileRun : IDisposable
{
    private const int BatchLength = 1_000;

    private readonly RecordBatch _batch = new();
    private readonly StateStores _stores;
    private readonly DecisionBatch _decisions;
    private readonly FilePass _pass;
    private readonly EventFiles _files;
    private readonly SourceWatch _watch;
    private bool _finished, _ended;

    private FileRun(CompiledEngine engine, EventFiles files, LoadedConfig config, long memory, Action<string> say, DateTimeOffset now)
    {
        _files = files;
        Engine = engine;
        _stores = new StateStores(config.Options.State, config.BaseDirectory, temporary: true);
        _decisions = new DecisionBatch(engine);
        var decoders = files.CreateDecoders(engine.Events);
        Source = new EventFileSource(files, decoders, engine.Events.Fields, memory);
        var clock = new StoppedClock(now);
        Shard = new Shard(engine, 0, _stores.Open(0, engine.LargestProfile), Outputs, _decisions, clock, decoders: decoders)
        {
            Watch = _watch = new SourceWatch(engine, clock, e => say(e.Text)),
        };
        _pass = new FilePass(Shard);
        Future = clock.GetUtcNow().ToUnixTimeMilliseconds() + (long)engine.Options.Time.MaxFuture.TotalMilliseconds + 1;
    }

    /// <summary>The files that are read.</summary>
    public IEnumerable<string> Inputs => _files.Files.Select(f => f.Path);

    /// <summary>The compiled config.</summary>
    public CompiledEngine Engine { get; }

    /// <summary>The records in order.</summary>
    public EventFileSource Source { get; }

    /// <summary>Whether all records are read and in order.</summary>
    public bool Loaded { get; private set; }

    /// <summary>The one shard.</summary>
    public Shard Shard { get; }

    /// <summary>What the last step wrote.</summary>
    public OutputBuffer Outputs { get; } = new();

    /// <summary>How a model failed last, other than by a score out of range; null where it never did.</summary>
    public string? LastFailure(string model) => _decisions.LastFailure(model);

    /// <summary>Event time of the newest event that was let in, ms; null before the first. A rejected record moves no time.</summary>
    public long? Newest { get; private set; }

    /// <summary>Records of this time and later are rejected as from the future, ms.</summary>
    public long Future { get; }

    /// <summary>Reads config and file headers, and compiles.</summary>
    /// <param name="config">The config as read.</param>
    /// <param name="events">The files, folders and patterns.</param>
    /// <param name="memory">Bytes of records that may be held for sorting.</param>
    /// <param name="errors">Mistakes so far.</param>
    /// <param name="say">Told what is allowed and worth a line in the log.</param>
    /// <exception cref="ConfigException">The config, or a file that it must fit, has mistakes.</exception>
    public static FileRun Open(LoadedConfig config, IReadOnlyList<string> events, long memory, ConfigErrors errors, Action<string> say)
    {
        // Files are looked at where the sources are known; else the config's other mistakes are found without them, as every command does.
        var files = errors.Any ? null : FindFiles(config, events, errors);
        var run = TryOpen(config, files, memory, errors, say, TimeProvider.System.GetUtcNow());
        errors.ThrowIfAny();
        return run!;
    }

    /// <summary>The same for a caller that has more to find mistakes in; null where there are any (earlier ones too) or no files.</summary>
    /// <param name="config">The config as read.</param>
    /// <param name="files">Its files (<see cref="FindFiles"/>); null where they were not looked at.</param>
    /// <param name="memory">Bytes of records that may be held for sorting.</param>
    /// <param name="errors">Mistakes so far; takes those of this config.</param>
    /// <param name="say">Told what is allowed and worth a line in the log.</param>
    /// <param name="now">The clock's time for the whole run: what is from the future depends on it.</param>
    public static FileRun? TryOpen(LoadedConfig config, EventFiles? files, long memory, ConfigErrors errors, Action<string> say,
        DateTimeOffset now)
    {
        var engine = ConfigCheck.Compile(files is null ? config : config with { Options = config.Options with { Events = files.Sources } },
            errors, say);
        if (!errors.Any && files is not null) return new FileRun(engine!, files, config, memory, say, now);
        engine?.Dispose();
        return null;
    }

    /// <summary>Looks at the files: which source each belongs to, and whether it fits; what does not is added to the mistakes.</summary>
    /// <param name="config">The config as read.</param>
    /// <param name="events">The files, folders and patterns.</param>
    /// <param name="errors">Takes the mistakes.</param>
    public static EventFiles FindFiles(LoadedConfig config, IReadOnlyList<string> events, ConfigErrors errors)
    {
        var files = EventFiles.Find(events, config.Options.Events, errors,
            (int)Math.Min(1 << 29, config.Options.Runtime.MaxRecordBytes.Bytes));
        foreach (var file in files.Files.DistinctBy(f => f.Source))
            foreach (var unfit in ConfigCheck.UnfitForFiles(files.Sources[file.Source]))
                errors.Add(unfit.Node, unfit.Key, unfit.Message, unfit.Remedy);
        return files;
    }

    /// <summary>Reads and sorts the files.</summary>
    /// <param name="progress">Told the share read, 0 to 1.</param>
    /// <param name="stop">Ends the reading.</param>
    public void Load(Action<double> progress, CancellationToken stop)
    {
        var (read, all) = (0L, Math.Max(1, _files.Length));
        Source.Load(n => progress((double)(read += n) / all), stop);
        Loaded = true;
    }

    /// <summary>
    /// Goes a step on through a whole replay: batches of records, then the timers that are due at the end, then what is from the future,
    /// which is rejected and moves nothing. False where all is done. What the step wrote is in <see cref="Outputs"/>.
    /// </summary>
    /// <param name="asOf">The time up to which events count, and at which timers fire last, ms; the newest event's where null.</param>
    /// <param name="beside">The newest event's time in a run over the same files; where it is later, timers fire up to it.</param>
    public bool Advance(long? asOf, long? beside = null)
    {
        var before = asOf is { } last && last < long.MaxValue ? last + 1 : long.MaxValue;
        if (_ended) return Step(before);
        if (Step(Math.Min(before, Future))) return true;
        _ended = true;
        if ((asOf ?? Later(Newest, beside)) is { } end) Finish(end);
        return true;
    }

    /// <summary>
    /// Processes the next batch of records before a time; false where there are none. What it wrote is in <see cref="Outputs"/>.
    /// </summary>
    public bool Step(long before = long.MaxValue)
    {
        Outputs.Clear();
        if (!Source.Read(_batch, BatchLength, before)) return false;
        if (_pass.Process(_batch) < _batch.Count)
            throw new IOException($"A record's schema can't be asked for: {Shard.WaitsFor}");
        _decisions.Flush();
        if (!_finished && Shard.Counters.Watermark != long.MinValue)
            Newest = Shard.Counters.Watermark + (long)Engine.Options.Time.OutOfOrderness.TotalMilliseconds;
        return true;
    }

    /// <summary>The later of two times; null where there is neither.</summary>
    public static long? Later(long? one, long? other) => one is null || other > one ? other : one;

    /// <summary>Fires the timers that are due at a time.</summary>
    private void Finish(long at)
    {
        _finished = true;
        _pass.Finish(at);
    }

    /// <summary>How each budget stands in every period in which something was wanted of it.</summary>
    /// <param name="at">The time by which they are paced, ms.</param>
    public IEnumerable<BudgetState> Budgets(long at) => _pass.Shared is { } numbers ? BudgetState.All(Engine.Policy, numbers, at) : [];

    /// <summary>Says of which sources nothing was let in; after the last step.</summary>
    public void TellRejected() => _watch.Finish();

    public void Dispose()
    {
        Shard.Dispose();
        Source.Dispose();
        _decisions.Dispose();
        Engine.Dispose();
        _stores.Dispose();
    }

    /// <summary>
    /// One reading of the clock for the whole run, so that what is from the future does not depend on how long the run takes.
    /// </summary>
    private sealed class StoppedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
