using StreamEngine.Connectors;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.Testing.Simulation;

namespace StreamEngine.Tests.Simulation;

/// <summary>
/// Runs workers over a simulated log by a seed: one thread, one clock, every choice from one random number generator. At every boundary between two steps the
/// worker that is at it may die, or others may go on before it does. Ends when the stream is used up and everything is committed.
/// </summary>
internal sealed class SimDriver : SimSchedule
{
    private const int Slots = 3;
    private const int MostBoundaries = 100_000; // some hundreds are usual
    private const string Group = "sim";

    private readonly Random _random;
    private readonly SimFaults _faults;
    private readonly SimEngines _engines;
    private readonly SimTasks _tasks = new();
    private readonly List<SimProcess> _processes = [];
    private readonly List<SimInput> _stream;
    private readonly List<string>? _told;
    private readonly List<string> _doubled = [];
    private readonly int _slots;
    private int _fed, _crashes, _nested, _jumps;
    private bool _calm;
    private SimProcess? _current;

    /// <summary>Prepares a seed.</summary>
    /// <param name="seed">Decides everything.</param>
    /// <param name="kind">Which log.</param>
    /// <param name="engines">The compiled config.</param>
    /// <param name="told">Receives the schedule, a line per step; null where nobody asks.</param>
    public SimDriver(int seed, SimLogKind kind, SimEngines engines, List<string>? told)
    {
        _random = new Random(seed);
        _engines = engines;
        _told = told;
        _faults = SimFaults.Draw(_random);
        Time.Advance(TimeSpan.FromMinutes(4));
        Sources = _random.Next(3) == 0 ? 2 : 1;
        Partitions = _random.Next(1, 4);
        _slots = _random.Next(1, Slots + 1);
        _stream = SimStream.Make(_random, Sources, Partitions, Time.GetUtcNow().ToUnixTimeMilliseconds());
        Log = new SimLog(kind, this);
        Log.CreateTopics(Topics.Needed(SimEngines.Options(Sources == 2), Partitions));
        Tell($"{kind}, {Sources} sources, {Partitions} partitions, {_slots} processes, {_stream.Count} records, {_faults}");
    }

    public SimLog Log { get; }

    public int Sources { get; }

    public int Partitions { get; }

    /// <summary>The processes that are left; after <see cref="Run"/> they hold every shard once.</summary>
    public IReadOnlyList<SimProcess> Processes => _processes;

    /// <summary>Step boundaries that were passed.</summary>
    public long Boundaries { get; private set; }

    /// <summary>Processes that died.</summary>
    public int Crashes => _crashes;

    /// <summary>Runs to the end.</summary>
    public void Run()
    {
        for (var i = 0; i < _slots; i++) Start();
        for (var steps = 0; _fed < _stream.Count || steps < 200; steps++) Step();
        _calm = true;
        Settle();
        // A silence long enough for every timer: the watermarks follow the clock.
        Silence(seconds: 150);
        Settle();
    }

    /// <summary>A fresh process' settings with a model.</summary>
    public WorkerSettings Settings(string id, int version) => new()
    {
        Engine = _engines[Sources, version],
        Log = Log,
        InstanceId = id,
        OpenStore = _ => new MemoryStateStore(),
        Time = Time,
        Background = _tasks,
    };

    /// <summary>Does all background work.</summary>
    public void RunTasks()
    {
        while (_tasks.Count > 0) _tasks.RunOne();
    }

    public override void At(SimPoint point)
    {
        if (++Boundaries > MostBoundaries) throw new SimFailure("this has no end");
        if (_random.Next(4) == 0) Time.Advance(TimeSpan.FromMilliseconds(_random.Next(1, 12)));
        if (_calm) return;
        if (_current is not null && _crashes < _faults.Crashes && Chance(_faults.Crash))
        {
            Tell($"{_current.Id} dies at {point}");
            throw new SimCrash();
        }
        // A restore asks few questions, and much may happen between two of them.
        var others = point is SimPoint.AskingOffset or SimPoint.AskingEnds ? 4 * _faults.Others : _faults.Others;
        if (_nested >= 2 || !Chance(others)) return;
        _nested++;
        Tell($"[ while {_current?.Id ?? "a task"} is at {point}");
        for (var steps = _random.Next(1, 25); steps > 0; steps--) Step();
        Tell("]");
        _nested--;
    }

    public override int Take(int max) => _calm || max == 0 ? max : _random.Next(0, max + 1);

    public override int Pick(int count) => _random.Next(count);

    public override bool Later() => !_calm && Chance(_faults.Later);

    public override SimFate Fate() => _calm || !Chance(_faults.BadCommit) ? SimFate.Commit : (SimFate)_random.Next(1, 6);

    public override void Wait(TimeSpan time) => Time.Advance(time * _random.NextDouble());

    private void Step()
    {
        var roll = _random.Next(1_000);
        if (roll < 560) Turn();
        else if (roll < 700) Feed();
        else if (roll < 800) _tasks.RunOne();
        else if (roll < 890) Log.Tick();
        else if (roll < 900) Die();
        else if (roll < 945) Start();
        else if (roll < 965) PauseOrGoOn();
        else if (roll < 980) Expel();
        else if (roll < 988) Move();
        else if (roll < 992) Stop();
        else if (roll < 995) Double();
        else if (roll < 998) Leap();
        else if (_jumps++ < 2) Silence(_random.Next(3, 40));
    }

    private void Turn()
    {
        if (Idle() is not { IsPaused: false } process) return;
        Tell($"{process.Id} turns");
        Do(process, worker => worker.Turn());
    }

    private void Feed()
    {
        for (var left = _random.Next(1, 8); left > 0 && _fed < _stream.Count; left--)
        {
            var input = _stream[_fed++];
            var partition = Log.Known(input.Partition);
            if (Log.Kind == SimLogKind.Kafka && Chance(0.1))
            {
                // The stream's own producer has transactions too: markers and aborted records stand between the events.
                var aborted = new SimTransaction("producer", 0, Log.Group(Group, Partitions), new SimMember("producer"), 0);
                partition.Append(input.Key, input.Value, input.Time, aborted);
                aborted.Decide(commit: false);
                partition.Mark(aborted);
            }
            partition.Append(input.Key, input.Value, input.Time);
        }
        Tell($"{_fed} records are in the log");
    }

    private void Die()
    {
        if (_crashes >= _faults.Crashes || Idle() is not { } process) return;
        Tell($"{process.Id} dies between turns");
        _crashes++;
        Forget(process);
    }

    private void Start()
    {
        for (var slot = 0; slot < _slots; slot++)
        {
            var id = $"n{slot}";
            if (_processes.Exists(p => p.Id == id)) continue;
            Start(id);
            return;
        }
    }

    private void Start(string id)
    {
        var version = _random.Next(SimEngines.Versions);
        Tell($"{id} starts with model {version}");
        foreach (var before in _processes)
            if (before.Id == id) before.IsOvertaken = true;
        var engine = _engines[Sources, version];
        Topics.Check(Log, engine);
        var metrics = new EngineMetrics(engine);
        _processes.Add(new SimProcess(id, version, new Worker(Settings(id, version), metrics, Partitions), metrics));
    }

    private void PauseOrGoOn()
    {
        if (Idle() is not { } process) return;
        process.IsPaused = !process.IsPaused;
        Tell($"{process.Id} {(process.IsPaused ? "is stopped" : "goes on")}");
    }

    private void Expel()
    {
        var id = $"n{_random.Next(_slots)}";
        if (_random.Next(3) > 0 && _processes.Exists(p => p.Id == id && !p.IsPaused && !p.IsBusy)) return;
        Tell($"{id} is taken for dead");
        Log.Expel(Group, id);
    }

    private void Move()
    {
        var (partition, to) = (_random.Next(Partitions), _random.Next(_slots));
        Tell($"partition {partition} is to move");
        Log.Group(Group, Partitions).Move(partition, to);
    }

    private void Stop()
    {
        if (Idle() is not { IsPaused: false } process) return;
        Tell($"{process.Id} is told to stop");
        Do(process, worker =>
        {
            worker.Run(new CancellationToken(canceled: true));
            worker.Dispose();
        });
        Forget(process);
    }

    /// <summary>A process is thought dead and started anew; the old one goes on.</summary>
    private void Double()
    {
        if (_processes.Count > _slots || _processes.Count == 0) return;
        var id = _processes[_random.Next(_processes.Count)].Id;
        _doubled.Add(id);
        Start(id);
    }

    /// <summary>The clock goes on while everything stands still: transactions time out.</summary>
    private void Leap()
    {
        if (_jumps++ >= 3) return;
        var by = TimeSpan.FromSeconds(_random.Next(1, 60));
        Tell($"everything stands still for {by}");
        Time.Advance(by);
    }

    /// <summary>Everybody goes on, but nothing comes.</summary>
    private void Silence(int seconds)
    {
        Tell($"[ {seconds} seconds of silence");
        for (var until = Time.GetUtcNow() + TimeSpan.FromSeconds(seconds); Time.GetUtcNow() < until && !(_calm && _processes.TrueForAll(IsAtRest));)
        {
            Time.Advance(TimeSpan.FromMilliseconds(600)); // a loop that stands still for a second takes the silence for its own
            _tasks.RunOne();
            Log.Tick();
            foreach (var process in _processes.ToArray())
                if (!process.IsBusy && !process.IsPaused && _processes.Contains(process)) Do(process, worker => worker.Turn());
        }
        Tell("]");
    }

    private SimProcess? Idle()
    {
        if (_processes.Count == 0) return null;
        var process = _processes[_random.Next(_processes.Count)];
        return process.IsBusy ? null : process;
    }

    private void Do(SimProcess process, Action<Worker> what)
    {
        var before = _current;
        _current = process;
        process.IsBusy = true;
        try
        {
            what(process.Worker);
        }
        catch (SimCrash)
        {
            _crashes++;
            Forget(process);
            if (_random.Next(2) == 0) Log.Expel(Group, process.Id); // before it is started again
        }
        catch (LogException e) when (e.Message.StartsWith("Stopped without a commit", StringComparison.Ordinal))
        {
            Tell($"{process.Id} stops without a commit");
        }
        catch (SimReplacedException)
        {
            Tell($"{process.Id} finds another in its place and ends");
            Forget(process);
        }
        finally
        {
            process.IsBusy = false;
            _current = before;
        }
    }

    private void Forget(SimProcess process)
    {
        _processes.Remove(process);
        process.Forget();
    }

    /// <summary>Lets everybody go on in peace until nothing happens any more.</summary>
    private void Settle()
    {
        Tell("peace");
        foreach (var process in _processes.ToArray())
        {
            process.IsPaused = false;
            if (process.IsOvertaken) Forget(process);
        }
        foreach (var id in _doubled) Log.Expel(Group, id); // an old one may have been let in again, and died
        _doubled.Clear();
        var quiet = 0;
        for (var round = 0; quiet < 10; round++)
        {
            if (round == 3_000) throw new SimFailure($"the workers do not come to rest: {string.Join(", ", _processes.Select(p => $"{p.Id} has {p.Worker.Shards.Count} shards and restores {p.Worker.Restoring.Count}"))}; {Log.Group(Group, Partitions)}");
            var before = Doings();
            for (var i = 0; i < _slots; i++) Start();
            RunTasks();
            Log.Tick();
            foreach (var process in _processes.ToArray()) Do(process, worker => worker.Turn());
            var live = _processes.Sum(p => p.Worker.Shards.Count);
            quiet = Doings() == before && !Log.IsBusy && _tasks.Count == 0 && live == Partitions ? quiet + 1 : 0;
            Time.Advance(TimeSpan.FromMilliseconds(30));
        }
    }

    private static bool IsAtRest(SimProcess process) => process.Worker.Shards.Values.All(s => s.Counters.TimersWaiting == 0);

    /// <summary>Changes whenever anything was done, committed or not.</summary>
    private long Doings()
    {
        var doings = Log.Changes;
        foreach (var process in _processes)
            foreach (var shard in process.Worker.Shards.Values) doings += shard.Counters.Records + shard.Counters.Watermark;
        return doings;
    }

    private bool Chance(double rate) => rate > 0 && _random.NextDouble() < rate;

    private void Tell(string what) => _told?.Add(what);
}
