using System.Diagnostics;
using StreamEngine.Connectors;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Runtime;

/// <summary>What a drained run did. Seconds and CPU seconds count from the first record processed to the last commit.</summary>
/// <param name="Totals">The shards' counts.</param>
/// <param name="Seconds">Time.</param>
/// <param name="CpuSeconds">CPU time of the process.</param>
/// <param name="AllocatedBytes">Managed memory that was allocated.</param>
/// <param name="PeakRssMb">The most memory of the process, MiB.</param>
public sealed record DrainSummary(ShardCounters Totals, double Seconds, double CpuSeconds, long AllocatedBytes, double PeakRssMb);

/// <summary>An engine's workers on their threads: starts, stops, drains, and says how it is.</summary>
public sealed class Engine : IDisposable
{
    private readonly WorkerSettings _settings;
    private readonly CompiledEngine _engine;
    private readonly CancellationTokenSource _stop = new();
    private readonly PartitionCounts _partitions;
    private readonly List<Thread> _threads = [];
    private readonly SortedDictionary<int, Worker> _workers = [];
    private readonly Standbys? _standbys;
    private readonly ControlReader? _control;
    private readonly TableFollower? _tables;
    private readonly SharedReader? _shared;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long[][]? _ends;
    private HashSet<int> _left = [];
    private int _running;
    private readonly LagWatch _lag;
    private readonly Outage _logOutage;
    private readonly SourceWatch _watch;
    private volatile bool _leaving;

    /// <summary>Prepares an engine; checks the topics.</summary>
    /// <param name="settings">What each worker gets; <see cref="WorkerSettings.InstanceId"/> is completed with the worker's number.</param>
    /// <exception cref="LogException">A topic is missing or has another number of partitions; says how to create it.</exception>
    public Engine(WorkerSettings settings)
    {
        _settings = settings;
        _engine = settings.Engine;
        _partitions = Topics.Check(settings.Log, _engine);
        Metrics = new EngineMetrics(_engine, settings.Time);
        _logOutage = new Outage("log", settings.Time, settings.Report);
        _lag = new LagWatch(settings.Log, Metrics, [.. _engine.Events.Sources.Select(s => s.Topic)], _logOutage);
        Metrics.Watch(() => Workers);
        Metrics.Watch(() => Dependencies);
        _watch = new SourceWatch(_engine, settings.Time, settings.Report);
        _settings = settings with { Watch = _watch };
        _standbys = Standbys.For(settings);
        if (_standbys is not null) _settings = _settings with { OpenCheckpoints = _standbys.OpenCheckpoints };
        if (_engine.Options.Control.Topic is { Length: > 0 } topic)
        {
            Switches = new SwitchBoard(_engine.Policy);
            _control = new ControlReader(settings.Log, topic, Switches, settings.Time, settings.Report);
            _settings = _settings with { Switches = Switches };
            Metrics.Watch(Switches);
        }
        if (_engine.HasTopicTables)
        {
            Tables = new TableBoard(_engine, settings.Time, settings.Report);
            _tables = new TableFollower(settings.Log, _engine, Tables, settings.Time, settings.Report);
            _settings = _settings with { Tables = Tables };
            Metrics.Watch(Tables);
        }
        if (_engine.Outputs.Shared >= 0)
        {
            Shared = new SharedBoard(_engine.Options.Name, _engine.Options.Shared.Topic, settings.Report);
            _shared = new SharedReader(settings.Log, _engine.Options.Shared, Shared, settings.Time, settings.Report);
            _settings = _settings with { Shared = Shared };
            Metrics.Watch(Shared);
        }
        if (!_engine.Options.Requests.Enabled) return;
        Directory = new ShardDirectory(Partitions);
        var feed = new CustomerFeed(Directory);
        Feed = feed;
        Metrics.Watch(feed);
        _settings = _settings with { Directory = Directory, Feed = feed };
        Shards = new LocalShards(_engine, Directory, settings.Time);
        Customers = new LocalGateway(Shards, _engine.Options.Requests, Metrics, settings.Time);
    }

    /// <summary>Partitions of the sources: the number of shards in all.</summary>
    public int Partitions => _partitions.Sources;

    /// <summary>How to ask for decisions and profiles; null where the config takes no requests.</summary>
    public ICustomerGateway? Customers { get; }

    /// <summary>
    /// What is switched off; null where the config names no control topic. Whoever has a record of the topic earlier than its reader may
    /// tell it there (<see cref="SwitchBoard.Hear"/>).
    /// </summary>
    public SwitchBoard? Switches { get; }

    /// <summary>The tables that are topics; null where the config has none.</summary>
    public TableBoard? Tables { get; }

    /// <summary>The numbers that all shards share; null where the config shares none.</summary>
    public SharedBoard? Shared { get; }

    /// <summary>The shards of this process that take requests; null where the config takes none.</summary>
    public ShardDirectory? Directory { get; }

    /// <summary>Asks a shard of this process once, for gateways that find the process themselves; null where the config takes no requests.
    /// </summary>
    public ICustomerGateway? Shards { get; }

    /// <summary>What happens to single customers of this process's shards; null where the config takes no requests.</summary>
    public ICustomerFeed? Feed { get; }

    /// <summary>The engine's numbers.</summary>
    public EngineMetrics Metrics { get; }

    /// <summary>Ends when every worker has ended; fails with the first worker's failure.</summary>
    public Task Completion => _ended.Task;

    /// <summary>Shards that are being restored, by partition, with their progress from 0 to 1.</summary>
    public IEnumerable<KeyValuePair<int, double>> Restoring
    {
        get
        {
            lock (_workers) return [.. _workers.Values.SelectMany(w => w.Restoring)];
        }
    }

    /// <summary>The workers that have joined, with the time since each one's last turn.</summary>
    public IReadOnlyList<WorkerTurn> Workers
    {
        get
        {
            var limit = WorkerTurn.Limit(_settings.Log.TransactionTimeout);
            lock (_workers)
                return [.. _workers.Select(w => (w.Key, Since: w.Value.SinceTurn))
                    .Select(w => new WorkerTurn(w.Key, w.Since, w.Since > limit))];
        }
    }

    /// <summary>What the loops depend on, whether it is away or not: the log, and each worker's view of the schema registry.</summary>
    public IReadOnlyList<Outage> Dependencies
    {
        get
        {
            lock (_workers) return [_logOutage, .. _workers.Values.Select(w => w.Registry)];
        }
    }

    /// <summary>Partitions of the shards that this engine owns, restored or not.</summary>
    public IReadOnlyList<int> Owned => Metrics.Owned;

    /// <summary>Records that are not committed yet, of the sources of each shard that this engine owns, by partition.</summary>
    public IReadOnlyDictionary<int, long> Lags => Metrics.Lags;

    /// <summary>
    /// The committed offsets of the sources of each shard that this engine owns, by partition, in the order of the config's sources.
    /// </summary>
    public IReadOnlyDictionary<int, IReadOnlyList<long>> Positions => Metrics.Positions;

    /// <summary>Starts the workers.</summary>
    /// <param name="drain">Ends by itself once everything that is in the source topics now has been processed and committed.</param>
    public void Start(bool drain = false)
    {
        if (drain)
        {
            _ends = [.. _engine.Events.Sources.Select(s =>
                Enumerable.Range(0, Partitions).Select(p => _settings.Log.Watermarks(new TopicPartition(s.Topic, p)).High).ToArray())];
            _left = [.. Enumerable.Range(0, Partitions)];
        }
        else _standbys?.Start();
        _control?.Start();
        _tables?.Start();
        _shared?.Start();
        _lag.Start(_settings.Time);
        _running = _engine.Options.Runtime.Workers;
        for (var i = 0; i < _engine.Options.Runtime.Workers; i++)
        {
            var number = i;
            var thread = new Thread(() => Work(number)) { Name = $"worker-{i}", IsBackground = true };
            _threads.Add(thread);
            thread.Start();
        }
    }

    /// <summary>Stops the workers: each commits what it has done and leaves. Wait for <see cref="Completion"/>.</summary>
    public void Stop() => _stop.Cancel();

    /// <summary>
    /// Stops the workers, and each leaves its group for good: others take over at once. Wait for <see cref="Completion"/>.
    /// </summary>
    public void Leave()
    {
        _leaving = true;
        Stop();
    }

    /// <summary>What a drained run did.</summary>
    public DrainSummary Summary()
    {
        var totals = Metrics.Totals();
        if (Metrics.First is not { } first) return new DrainSummary(totals, 0, 0, 0, PeakRssMb());
        var (timestamp, cpu, allocated) = _last ?? Now();
        return new DrainSummary(totals, _settings.Time.GetElapsedTime(first.Timestamp, timestamp).TotalSeconds,
            (cpu - first.Cpu).TotalSeconds, allocated - first.Allocated, PeakRssMb());
    }

    private (long Timestamp, TimeSpan Cpu, long Allocated)? _last;

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        foreach (var thread in _threads) thread.Join();
        _standbys?.Dispose();
        _control?.Dispose();
        _tables?.Dispose();
        _shared?.Dispose();
        _lag.Dispose();
        Metrics.Dispose();
        _stop.Dispose();
    }

    private void Work(int number)
    {
        try
        {
            using var worker = new Worker(_settings with { InstanceId = $"{_settings.InstanceId}-{number}" }, Metrics, _partitions);
            lock (_workers) _workers.Add(number, worker);
            worker.Run(_stop.Token, _ends is null ? null : Drained);
            if (_leaving) worker.Leave();
        }
        catch (OperationCanceledException)
        {
            _settings.Report(new WorkerEvent(true, $"Worker {number} was stopped while it waited for the log. Nothing is lost; what is not "
                + "committed is made again after the next start."));
            _stop.Cancel();
        }
        catch (Exception e)
        {
            // A worker that can't go on stops the process with its reason: half an engine would be a silent loss.
            _ended.TrySetException(e);
            _stop.Cancel();
        }
        if (Interlocked.Decrement(ref _running) > 0) return;
        _watch.Finish();
        _ended.TrySetResult();
    }

    /// <summary>Ticks off what is done; false, for every worker, once nothing is left.</summary>
    private bool Drained(Worker worker)
    {
        lock (_left)
        {
            if (_left.Count == 0) return false;
            worker.Reached(_ends!, p => _left.Remove(p));
            if (_left.Count > 0) return true;
            _last = Now();
            return false;
        }
    }

    private (long Timestamp, TimeSpan Cpu, long Allocated) Now() =>
        (_settings.Time.GetTimestamp(), Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes());

    private static double PeakRssMb()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 / 1048576.0;
    }
}
