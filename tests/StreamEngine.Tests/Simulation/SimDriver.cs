using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;
using StreamEngine.Testing.Simulation;

namespace StreamEngine.Tests.Simulation;

/// <summary>
/// Runs workers over a simulated log by a seed: one thread, one clock, every choice from one random number generator. At every boundary
/// between two steps the worker that is at it may die, or others may go on before it does. Ends when the stream is used up and everything
/// is committed.
/// </summary>
internal sealed class SimDriver : SimSchedule, IDisposable
{
    private const int Slots = 3;
    private const int MostBoundaries = 100_000; // some hundreds are usual

    private readonly Random _random;
    private readonly SimFaults _faults;
    private readonly SimCluster _cluster;
    private readonly List<SimInput> _stream;
    private readonly List<string>? _told;
    private int _fed, _nested, _jumps;

    /// <summary>Prepares a seed.</summary>
    /// <param name="seed">Decides everything.</param>
    /// <param name="kind">Which log.</param>
    /// <param name="engines">The compiled config.</param>
    /// <param name="told">Receives the schedule, a line per step; null where nobody asks.</param>
    public SimDriver(int seed, SimLogKind kind, SimEngines engines, List<string>? told)
    {
        _random = new Random(seed);
        _told = told;
        _faults = SimFaults.Draw(_random);
        Repeats = engines.Delivery == Delivery.AtLeastOnce;
        Time.Advance(TimeSpan.FromMinutes(4));
        Sources = _random.Next(3) == 0 ? 2 : 1;
        Partitions = _random.Next(1, 4);
        var slots = _random.Next(1, Slots + 1);
        _stream = SimStream.Make(_random, Sources, Partitions, Time.GetUtcNow().ToUnixTimeMilliseconds());
        Log = new SimLog(kind, this);
        Log.CreateTopics(Topics.Needed(engines[Sources, version: 1].Options, Partitions));
        Tell($"{kind}, {Sources} sources, {Partitions} partitions, {slots} processes, {_stream.Count} records, {_faults}");
        // With numbers of its own: what a seed did before there were files it does still.
        var random = new Random(seed);
        Disk = random.Next(2) == 0 ? new SimDisk(random) : null;
        var following = new Random(seed ^ 0x55AA);
        var switching = new Random(seed ^ 0x3C3C);
        Switches = new SimSwitches(this, switching.Next(3) > 0 ? switching : null);
        var writing = new Random(seed ^ 0x0F0F);
        Tables = new SimTables(this, writing.Next(4) > 0 ? writing : null);
        Shared = new SimShared(this, new Random(seed ^ 0x7777));
        _cluster = new SimCluster(this, _random, engines, slots, Disk, following.Next(3) > 0 ? following : null);
        Watches = new SimWatches(this, new Random(seed ^ 0x3333));
        Asks = new SimAsks(this, _cluster, new Random(~seed), engines[Sources, 0]);
        Coordination = new SimCoordination(this, _cluster, new Random(seed ^ 0x6666),
            Repeats ? null : new RequestCompiler(engines[Sources, 0]));
    }

    /// <summary>Where checkpoint files are; null where a seed keeps none.</summary>
    public SimDisk? Disk { get; }

    /// <summary>Requests for decisions and profiles; none where outputs may come again.</summary>
    public SimAsks Asks { get; }

    /// <summary>Requests that come by a network to whoever is believed to own the customer.</summary>
    public SimCoordination Coordination { get; }

    /// <summary>What is switched off meanwhile.</summary>
    public SimSwitches Switches { get; }

    /// <summary>What is written to the table's topic meanwhile.</summary>
    public SimTables Tables { get; }

    /// <summary>The shared numbers as processes follow them.</summary>
    public SimShared Shared { get; }

    /// <summary>Who watches customers live.</summary>
    public SimWatches Watches { get; }

    /// <summary>Takes the processes and the files away.</summary>
    public void Dispose()
    {
        foreach (var process in _cluster.Processes) process.Forget();
        Disk?.Dispose();
    }

    public SimLog Log { get; }

    /// <summary>
    /// Whether outputs may come again. Then no process is thought dead that lives: without transactions nothing stops it from writing on.
    /// </summary>
    public bool Repeats { get; }

    public int Sources { get; }

    public int Partitions { get; }

    public SimCluster Cluster => _cluster;

    /// <summary>Whether nothing goes wrong any more.</summary>
    public bool IsCalm { get; private set; }

    /// <summary>Step boundaries that were passed.</summary>
    public long Boundaries { get; private set; }

    /// <summary>Runs to the end.</summary>
    public void Run()
    {
        _cluster.StartAll();
        for (var steps = 0; _fed < _stream.Count || steps < 200; steps++) Step();
        IsCalm = true;
        _cluster.Settle();
        // A silence long enough for every timer: the watermarks follow the clock.
        _cluster.Silence(seconds: 150, untilAtRest: true);
        _cluster.Settle();
        Asks.AskEverybody();
        _cluster.Settle();
        Asks.AllAnswered();
        Coordination.AllEnded();
    }

    public override void At(SimPoint point)
    {
        if (++Boundaries > MostBoundaries) throw new SimFailure("this has no end");
        if (_random.Next(4) == 0) Time.Advance(TimeSpan.FromMilliseconds(_random.Next(1, 12)));
        Asks.Look();
        Coordination.Pump();
        if (IsCalm) return;
        Asks.MayAsk();
        Coordination.MayAsk();
        Switches.May();
        Tables.May();
        Shared.May();
        // A commit is short, but it is where dying matters most.
        var crash = point is SimPoint.OffsetsSent or SimPoint.CommitEnds ? 5 * _faults.Crash : _faults.Crash;
        if (_cluster.Current is { } current && MayCrash && Chance(crash))
        {
            Tell($"{current.Id} dies at {point}");
            throw new SimCrash();
        }
        // A restore asks few questions, and much may happen between two of them.
        var others = point is SimPoint.AskingOffset or SimPoint.AskingEnds ? 4 * _faults.Others : _faults.Others;
        if (_nested >= 2 || !Chance(others)) return;
        _nested++;
        Tell($"[ while {_cluster.Current?.Id ?? "a task"} is at {point}");
        for (var steps = _random.Next(1, 25); steps > 0; steps--) Step();
        Tell("]");
        _nested--;
        // Its worker or its standbys died while the other was in the middle of something: a process dies as a whole.
        if (_cluster.Current is { } still && !_cluster.Processes.Contains(still)) throw new SimCrash();
    }

    public override int Take(int max) => IsCalm || max == 0 ? max : _random.Next(0, max + 1);

    public override int Pick(int count) => _random.Next(count);

    public override bool Later() => !IsCalm && Chance(_faults.Later);

    public override SimFate Fate() => IsCalm || !Chance(_faults.BadCommit) ? SimFate.Commit : (SimFate)_random.Next(1, 6);

    public override void Wait(TimeSpan time) => Time.Advance(time * _random.NextDouble());

    private void Step()
    {
        var roll = _random.Next(1_000);
        if (roll < 560) _cluster.Turn();
        else if (roll < 700) Feed();
        else if (roll < 800) _cluster.RunTask();
        else if (roll < 890) Log.Tick();
        else if (roll < 900) _cluster.Die(MayCrash);
        else if (roll < 945) _cluster.Start();
        else if (roll < 980 && Repeats) _cluster.Turn();
        else if (roll < 965) _cluster.PauseOrGoOn();
        else if (roll < 980) _cluster.Expel();
        else if (roll < 988) _cluster.Move();
        else if (roll < 992) _cluster.Stop();
        else if (roll < 995 && !Repeats) _cluster.Double();
        else if (roll < 998) Leap();
        else if (_jumps++ < 2) _cluster.Silence(_random.Next(3, 40));
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
                var aborted = new SimTransaction("producer", 0, Log.Group(SimCluster.Group, Partitions), new SimMember("producer"), 0);
                partition.Append(input.Key, input.Value, input.Time, aborted);
                aborted.Decide(commit: false);
                partition.Mark(aborted);
            }
            partition.Append(input.Key, input.Value, input.Time);
        }
        Tell($"{_fed} records are in the log");
    }

    /// <summary>The clock goes on while everything stands still: transactions time out.</summary>
    private void Leap()
    {
        if (_jumps++ >= 3) return;
        var by = TimeSpan.FromSeconds(_random.Next(1, 60));
        Tell($"everything stands still for {by}");
        Time.Advance(by);
    }

    private bool MayCrash => _cluster.Crashes < _faults.Crashes;

    private bool Chance(double rate) => rate > 0 && _random.NextDouble() < rate;

    internal void Tell(string what) => _told?.Add(what);
}
