using System.Diagnostics;
using StreamEngine.SystemTests.Oracle;
using StreamEngine.SystemTests.Shop;
using StreamEngine.Testing;

namespace StreamEngine.SystemTests.Runs;

/// <summary>
/// One round: three engines share twelve partitions of a broker of their own while events come in, and the seed's faults strike, up to two
/// at a time, the broker's alone. Where they form an Akka cluster, requests are asked of them all the while. Once all faults are got over
/// and everything is committed, the engines end, and the log is held against the oracle and the answers against the log.
/// </summary>
internal sealed class ClusterRun : IDisposable
{
    public const int Partitions = 12;
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private const int Customers = 400, AtOnce = 2;
    private static readonly TimeSpan TooLong = TimeSpan.FromSeconds(75), CommitsEnd = TimeSpan.FromSeconds(1);
    private readonly KafkaBroker _broker;
    private readonly Arena _arena;
    private readonly int _seed;
    private readonly ClusterReport _report;
    private readonly Action<string> _tell;
    private readonly GroupWatch _watch;
    private readonly AkkaNodes? _akka;
    private readonly ClusterRequests? _requests;
    private readonly int _rate;
    private readonly List<Member> _members, _joined = [];

    /// <param name="broker">A broker of its own.</param>
    /// <param name="arena">The run.</param>
    /// <param name="seed">Draws events, faults and requests.</param>
    /// <param name="rate">Requests per second; 0 for engines that form no cluster.</param>
    /// <param name="report">Told of what the run comes to.</param>
    /// <param name="tell">Takes lines about its course.</param>
    public ClusterRun(KafkaBroker broker, Arena arena, int seed, int rate, ClusterReport report, Action<string> tell)
    {
        (_broker, _arena, _seed, _rate, _report, _tell) = (broker, arena, seed, rate, report, tell);
        _watch = new GroupWatch(arena, Partitions);
        if (rate > 0) _akka = new AkkaNodes(["a", "b", "c"]);
        // One with two workers: a member of the group is a worker, not a process.
        _members = [Make("a", 1, 0), Make("b", 1, 1), Make("c", 2, 2)];
        if (rate > 0) _requests = new ClusterRequests(Running, Customers / 4, seed);
    }

    /// <summary>Does so many faults and checks.</summary>
    public async Task Go(int faults, IReadOnlyCollection<FaultKind> kinds)
    {
        foreach (var member in _members) member.Start();
        var done = false;
        var input = ShopInput.Make(new InputSpec(_seed, int.MaxValue, Customers, Partitions, Plain: _arena.Job.IsMeasured))
            .TakeWhile(_ => !Volatile.Read(ref done));
        var writing = Task.Run(() => new ClusterLoad(_arena, tell: line => _tell($"seed {_seed}: {line}"))
            .Write(input, _arena.Job.IsMeasured ? 2_000 : 300));
        await _watch.Passes([.. Enumerable.Repeat(1L, Partitions)], Patience); // what strikes before the first commit strikes nothing
        _requests?.Start(_rate);
        await Quiet("the start");
        foreach (var bag in FaultPlan.Make(_seed, faults, kinds).Select((fault, i) => (fault, Label: $"fault {i + 1}/{faults}"))
            .Chunk(FaultPlan.Least))
        {
            await Faults(bag);
            await Quiet($"behind {bag[^1].Label}");
        }
        if (_requests is not null) await _requests.Stop();
        Volatile.Write(ref done, true);
        await writing;

        Revive();
        await GetOver(_arena.Ends(), $"seed {_seed}: the end");
        Revive();
        await Task.WhenAll(_members.Select(m => m.Leave()));
        _report.Add(Check(), _arena.Restores);
        _requests?.Judge(_arena.Decisions(), _report, line => _tell($"seed {_seed}: {line}"));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _requests?.Dispose();
        _akka?.Dispose();
        _watch.Dispose();
    }

    private Member Make(string name, int workers, int seed) => new(_arena, name, workers, _seed + seed, _akka);

    private EngineProcess[] Running()
    {
        lock (_members) return [.. _members.Concat(_joined).Select(m => m.Running).OfType<EngineProcess>()];
    }

    /// <summary>A while without faults, once all is well: requests are served in it.</summary>
    private async Task Quiet(string when)
    {
        if (_requests is null) return;
        Revive();
        await GetOver(_arena.Ends(), $"seed {_seed}: {when}");
        foreach (var member in _members) await _requests.Ready(member, Patience);
        await _requests.Quiet();
    }

    private async Task Faults((Fault Fault, string Label)[] faults)
    {
        using var room = new SemaphoreSlim(AtOnce);
        var running = new List<Task>();
        foreach (var (fault, number) in faults)
        {
            var places = fault.Kind == FaultKind.Broker ? AtOnce : 1; // alone
            for (var i = 0; i < places; i++) await room.WaitAsync();
            await Task.Delay(fault.After);
            Revive();
            var label = $"seed {_seed} {number}: {fault.Kind}";
            running.Add(Task.Run(async () =>
            {
                try
                {
                    await Strike(fault, label);
                }
                catch (Exception e)
                {
                    Fail($"{label}: {e.Message}{string.Concat(_members.Select(m => $"\n--- {m.Name}:\n{m.Engine.Output}"))}");
                }
                finally
                {
                    room.Release(places);
                }
            }));
        }
        await Task.WhenAll(running);
    }

    private async Task Strike(Fault fault, string label)
    {
        var member = fault.Kind is FaultKind.Broker or FaultKind.Join ? null : Take(fault.Dice);
        var started = Stopwatch.GetTimestamp();
        long[] there;
        string how;
        _report.Struck(fault.Kind);
        try
        {
            var striking = fault.Kind switch
            {
                FaultKind.Broker => RestartBroker(fault),
                FaultKind.Join => Join(fault),
                _ => member!.Suffer(fault),
            };
            // What came in since it struck: each partition has some of it.
            await Task.Delay(TimeSpan.FromMilliseconds(500));
            there = _watch.Ends;
            how = await striking;
        }
        finally
        {
            member?.Busy = false;
        }
        await GetOver(there, label);
        var after = Stopwatch.GetElapsedTime(started);
        _report.Recovered(fault.Kind, after);
        _tell($"{label}{how}; everything committed again after {after.TotalSeconds:0.0} s");
    }

    /// <summary>
    /// Waits, once more after an operator's help where the broker left a transaction hanging: that is no engine's fault, and the report
    /// counts it. What hangs is looked for once it has lasted longer than the minute from which on Kafka's tool finds it, and again when
    /// patience ends.
    /// </summary>
    private async Task GetOver(long[] there, string label)
    {
        foreach (var patience in (TimeSpan[])[TooLong, Patience])
        {
            try
            {
                await _watch.Passes(there, patience);
                return;
            }
            catch (TimeoutException) when (EndHanging(label) || patience < Patience)
            {
                // What hung is ended, or what takes its time may take it.
            }
        }
        await _watch.Passes(there, Patience);
    }

    private Report Check()
    {
        try
        {
            return _arena.Check(_requests?.Asked);
        }
        catch (TimeoutException) when (EndHanging($"seed {_seed}"))
        {
            return _arena.Check(_requests?.Asked);
        }
    }

    private bool EndHanging(string label)
    {
        var topics = _arena.Topics;
        var ended = _broker.EndHangingTransactions([topics.Decisions, topics.Actions, topics.DeadLetter, topics.Late,
            "__consumer_offsets"]);
        if (ended.Count == 0) return false;
        _report.Ended(hanging: ended.Count);
        _tell($"{label}: the broker left transactions hanging, which were aborted: {string.Join(", ", ended)}");
        return true;
    }

    private async Task<string> Join(Fault fault)
    {
        Member joiner;
        lock (_members) _joined.Add(joiner = Make($"j{_joined.Count + 1}", 1, fault.Dice % 100));
        await joiner.StartWorking();
        await Task.Delay(fault.Between(0, 5));
        await joiner.Leave();
        return $" of {joiner.Name}";
    }

    private async Task<string> RestartBroker(Fault fault)
    {
        // What it was told to commit it commits while the engines stand still: FaultKind.Broker says why.
        var engines = Running();
        long stopped;
        try
        {
            foreach (var engine in engines) engine.Freeze();
            await Task.Delay(CommitsEnd);
            stopped = Stopwatch.GetTimestamp();
            await Task.Run(_broker.Stop);
        }
        finally
        {
            foreach (var engine in engines) engine.Thaw();
        }
        await Task.Delay(fault.Between(0, 3));
        await Task.Run(_broker.Restart);
        return $", away for {Stopwatch.GetElapsedTime(stopped).TotalSeconds:0.0} s";
    }

    /// <summary>A member that no other fault is busy with: there are more of them than faults at a time.</summary>
    private Member Take(int dice)
    {
        lock (_members)
        {
            var free = _members.Where(m => !m.Busy).ToList();
            var member = free[dice % free.Count];
            member.Busy = true;
            return member;
        }
    }

    private void Revive()
    {
        lock (_members)
            foreach (var member in _members.Where(m => !m.Busy))
                if (member.Revive() is { } words) Fail($"seed {_seed}: {words}");
    }

    private void Fail(string what)
    {
        _report.Failed(what);
        _tell($"FAILED: {what}");
    }
}
