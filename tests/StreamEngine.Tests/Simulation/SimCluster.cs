using System.Globalization;
using StreamEngine.Connectors;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;
using StreamEngine.State;
using StreamEngine.State.Checkpoints;
using StreamEngine.Testing.Simulation;

namespace StreamEngine.Tests.Simulation;

/// <summary>The processes of a simulation, and what happens to them.</summary>
/// <param name="driver">Drives them.</param>
/// <param name="random">Makes their choices.</param>
/// <param name="engines">The compiled configs.</param>
/// <param name="slots">How many there are, when all are up.</param>
/// <param name="disk">Where checkpoint files are; null where a seed keeps none.</param>
/// <param name="following">Makes the choices of standbys; null where a seed keeps none.</param>
internal sealed class SimCluster(SimDriver driver, Random random, SimEngines engines, int slots, SimDisk? disk, Random? following)
{
    public const string Group = "sim";

    private readonly SimTasks _tasks = new();
    private readonly List<SimProcess> _processes = [];
    private readonly List<string> _doubled = [];

    /// <summary>The processes that are there; once settled they hold every shard once.</summary>
    public IReadOnlyList<SimProcess> Processes => _processes;

    /// <summary>The process whose turn it is; null between turns.</summary>
    public SimProcess? Current { get; private set; }

    /// <summary>Processes that died.</summary>
    public int Crashes { get; private set; }

    /// <summary>Shards that were restored from checkpoint files.</summary>
    public int FromFiles { get; private set; }

    /// <summary>Those of them whose files a standby had filled.</summary>
    public int FromStandbys { get; private set; }

    /// <summary>A fresh process' settings with a model.</summary>
    public WorkerSettings Settings(string id, int version) => new()
    {
        Engine = engines[driver.Sources, version],
        Log = driver.Log,
        InstanceId = id,
        OpenStore = _ => new MemoryStateStore(),
        Time = driver.Time,
        Background = _tasks,
        SliceBytes = 3_000, // a profile or two, or a few
    };

    /// <summary>Does one piece of background work.</summary>
    public void RunTask() => _tasks.RunOne();

    /// <summary>Does all background work.</summary>
    public void RunTasks()
    {
        while (_tasks.Count > 0) _tasks.RunOne();
    }

    /// <summary>Starts every process that is not there.</summary>
    public void StartAll()
    {
        for (var i = 0; i < slots; i++) Start();
    }

    /// <summary>Starts a process that is not there.</summary>
    public void Start()
    {
        for (var slot = 0; slot < slots; slot++)
        {
            var id = $"n{slot}";
            if (_processes.Exists(p => p.Id == id)) continue;
            Start(id);
            return;
        }
    }

    public void Turn()
    {
        if (Idle() is not { IsPaused: false } process) return;
        driver.Tell($"{process.Id} turns");
        Do(process, worker => worker.Turn());
        for (var i = 0; i < 5; i++)
            if (following?.Next(3) > 0 && _processes.Count > 0) Follow(_processes[following.Next(_processes.Count)]);
    }

    public void Die(bool may)
    {
        if (!may || Idle() is not { } process) return;
        driver.Tell($"{process.Id} dies between turns");
        Crash(process);
    }

    public void PauseOrGoOn()
    {
        if (Idle() is not { } process) return;
        process.IsPaused = !process.IsPaused;
        driver.Tell($"{process.Id} {(process.IsPaused ? "is stopped" : "goes on")}");
    }

    public void Expel()
    {
        var id = $"n{random.Next(slots)}";
        if (random.Next(3) > 0 && _processes.Exists(p => p.Id == id && !p.IsPaused && !p.IsBusy)) return;
        driver.Tell($"{id} is taken for dead");
        driver.Log.Expel(Group, id);
    }

    public void Move()
    {
        var (partition, to) = (random.Next(driver.Partitions), random.Next(slots));
        driver.Tell($"partition {partition} is to move");
        driver.Log.Group(Group, driver.Partitions).Move(partition, to);
    }

    public void Stop()
    {
        if (Idle() is not { IsPaused: false } process) return;
        driver.Tell($"{process.Id} is told to stop");
        Do(process, worker =>
        {
            worker.Run(new CancellationToken(canceled: true));
            worker.Dispose();
            process.Standbys?.Dispose();
        });
        Forget(process);
    }

    /// <summary>A process is thought dead and started anew; the old one goes on.</summary>
    public void Double()
    {
        if (_processes.Count > slots || _processes.Count == 0) return;
        var id = _processes[random.Next(_processes.Count)].Id;
        _doubled.Add(id);
        Start(id);
    }

    /// <summary>Everybody goes on, but nothing comes.</summary>
    public void Silence(int seconds, bool untilAtRest = false)
    {
        driver.Tell($"[ {seconds} seconds of silence");
        for (var until = driver.Time.GetUtcNow() + TimeSpan.FromSeconds(seconds); driver.Time.GetUtcNow() < until
            && !(untilAtRest && _processes.TrueForAll(IsAtRest));)
        {
            driver.Time.Advance(TimeSpan.FromMilliseconds(600)); // a loop that stands still for a second takes the silence for its own
            _tasks.RunOne();
            driver.Log.Tick();
            foreach (var process in _processes.ToArray())
            {
                driver.Switches.Hear(process);
                driver.Tables.Hear(process);
                driver.Shared.Hear(process);
                if (!process.IsBusy && !process.IsPaused && _processes.Contains(process)) Do(process, worker => worker.Turn());
                Follow(process);
            }
        }
        driver.Tell("]");
    }

    /// <summary>Lets everybody go on in peace until nothing happens any more.</summary>
    public void Settle()
    {
        driver.Tell("peace");
        foreach (var process in _processes.ToArray())
        {
            process.IsPaused = false;
            if (process.IsOvertaken) Forget(process);
        }
        foreach (var id in _doubled) driver.Log.Expel(Group, id); // an old one may have been let in again, and died
        _doubled.Clear();
        var quiet = 0;
        for (var round = 0; quiet < 10; round++)
        {
            if (round == 3_000)
            {
                var each = _processes.Select(p => $"{p.Id} has {p.Worker.Shards.Count} shards and restores {p.Worker.Restoring.Count}");
                throw new SimFailure($"the workers do not come to rest: {string.Join(", ", each)}; "
                    + $"{driver.Log.Group(Group, driver.Partitions)}");
            }
            var before = Doings();
            StartAll();
            RunTasks();
            driver.Log.Tick();
            foreach (var process in _processes.ToArray())
            {
                driver.Switches.Hear(process);
                driver.Tables.Hear(process);
                driver.Shared.Hear(process);
                Do(process, worker => worker.Turn());
                Follow(process);
            }
            var live = _processes.Sum(p => p.Worker.Shards.Count);
            quiet = Doings() == before && !driver.Log.IsBusy && _tasks.Count == 0 && live == driver.Partitions ? quiet + 1 : 0;
            driver.Time.Advance(TimeSpan.FromMilliseconds(30));
        }
    }

    private void Start(string id)
    {
        var version = random.Next(SimEngines.Versions);
        driver.Tell($"{id} starts with model {version}");
        foreach (var before in _processes)
            if (before.Id == id) before.IsOvertaken = true;
        var engine = engines[driver.Sources, version];
        var partitions = Topics.Check(driver.Log, engine);
        var metrics = new EngineMetrics(engine);
        var files = new List<CheckpointFiles>();
        var directory = new ShardDirectory(driver.Partitions);
        var board = driver.Switches.Open(engine);
        var tables = driver.Tables.Open(engine);
        var shared = SimShared.Open(engine);
        var settings = Settings(id, version) with
        {
            Directory = driver.Repeats ? null : directory,
            Switches = board,
            Tables = tables,
            Shared = shared,
            Feed = driver.Watches.Open(directory),
        };
        Standbys? standbys = null;
        if (disk is not null)
        {
            HashSet<int> ready = [], filled = []; // partitions whose standby is up to date, or was when the worker took it over
            settings = settings with
            {
                OpenCheckpoints = (partition, report) =>
                {
                    var opened = disk.Open(id, partition, report);
                    files.Add(opened);
                    return opened;
                },
                Report = e =>
                {
                    if (e.Text.Contains("standby is up to date", StringComparison.Ordinal)) ready.Add(ShardOf(e));
                    if (!e.Text.Contains("profiles from files", StringComparison.Ordinal)) return;
                    FromFiles++;
                    if (filled.Remove(ShardOf(e))) FromStandbys++;
                },
            };
            standbys = following is null ? null : Standbys.For(settings);
            if (standbys is not null)
                settings = settings with
                {
                    OpenCheckpoints = (partition, report) =>
                    {
                        if (ready.Remove(partition)) filled.Add(partition);
                        else filled.Remove(partition);
                        return standbys.OpenCheckpoints(partition, report);
                    }
                };
        }
        _processes.Add(new SimProcess(id, version, new Worker(settings, metrics, partitions), directory, metrics, files)
        {
            Standbys = standbys,
            Board = board,
            Tables = tables,
            Shared = shared,
            IsSlowReader = driver.Tables.IsSlow(),
        });
        driver.Tables.Begin(_processes[^1]);
    }

    private static int ShardOf(WorkerEvent e) =>
        int.Parse(string.Concat(e.Text["Shard ".Length..].TakeWhile(char.IsAsciiDigit)), CultureInfo.InvariantCulture);

    /// <summary>A turn of a process' standbys, as on their own thread: its worker may be in the middle of one.</summary>
    private void Follow(SimProcess process)
    {
        if (process.Standbys is null || process.IsPaused || process.IsFollowing || !_processes.Contains(process)) return;
        driver.Tell($"{process.Id}'s standbys turn");
        process.IsFollowing = true;
        try
        {
            As(process, process.Follow);
        }
        finally
        {
            process.IsFollowing = false;
        }
    }

    private void Do(SimProcess process, Action<Worker> what)
    {
        process.IsBusy = true;
        try
        {
            As(process, () => what(process.Worker));
        }
        finally
        {
            process.IsBusy = false;
        }
    }

    private void As(SimProcess process, Action what)
    {
        var before = Current;
        Current = process;
        try
        {
            what();
        }
        catch (SimCrash) when (!_processes.Contains(process))
        {
            // It died already.
        }
        catch (SimCrash)
        {
            Crash(process);
            if (random.Next(2) == 0) driver.Log.Expel(Group, process.Id); // before it is started again
        }
        catch (LogException e) when (e.Message.StartsWith("Stopped without a commit", StringComparison.Ordinal))
        {
            driver.Tell($"{process.Id} stops without a commit");
        }
        catch (SimReplacedException)
        {
            driver.Tell($"{process.Id} finds another in its place and ends");
            Forget(process);
        }
        finally
        {
            Current = before;
        }
    }

    private void Crash(SimProcess process)
    {
        Crashes++;
        Forget(process);
        disk?.Crash(process.Files);
    }

    private void Forget(SimProcess process)
    {
        _processes.Remove(process);
        process.Forget();
    }

    private SimProcess? Idle()
    {
        if (_processes.Count == 0) return null;
        var process = _processes[random.Next(_processes.Count)];
        return process.IsBusy || process.IsFollowing ? null : process;
    }

    private static bool IsAtRest(SimProcess process) => process.Worker.Shards.Values.All(s => s.Counters.TimersWaiting == 0);

    /// <summary>Changes whenever anything was done, committed or not.</summary>
    private long Doings()
    {
        var doings = driver.Log.Changes;
        foreach (var process in _processes)
            foreach (var shard in process.Worker.Shards.Values) doings += shard.Counters.Records + shard.Counters.Watermark;
        return doings;
    }
}
