using System.Text;
using StreamEngine.Cluster.Routing;
using StreamEngine.Connectors;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Tests.Simulation;

/// <summary>
/// The cluster's way of a request without Akka: asks whom it believes to own the customer's shard, over a network that delays, loses and
/// doubles messages both ways, and asks again by the same rule as the product (<see cref="AskRule"/>) with the same id, until there is an
/// end. What it believes comes late, and where two processes take requests for a shard it may be either of them.
/// </summary>
internal sealed class SimCoordination
{
    // Ids of customers whose requests come this way only: a profile remembers so many, and all that may still come must be among them.
    private const int Customers = 24, AliveAtOnce = SimAsks.Remembered - 1, MostOpen = 6;

    private readonly SimDriver _driver;
    private readonly SimCluster _cluster;
    private readonly Random _random;
    private readonly RequestCompiler? _compiler;
    private readonly double _lost, _slow, _doubled;
    private readonly SimProcess?[] _believed;
    private readonly PriorityQueue<Action, (long Due, int Number)> _network = new();
    private readonly List<Call> _all = [], _open = [];
    private readonly List<Serving> _serving = [];
    private int _number;

    /// <param name="driver">The clock, and the log that answers are held against.</param>
    /// <param name="cluster">Who may be asked.</param>
    /// <param name="random">Makes the choices.</param>
    /// <param name="compiler">Compiles requests; null where nobody asks.</param>
    public SimCoordination(SimDriver driver, SimCluster cluster, Random random, RequestCompiler? compiler)
    {
        (_driver, _cluster, _random, _compiler) = (driver, cluster, random, compiler);
        _believed = new SimProcess?[driver.Partitions];
        (_lost, _slow, _doubled) = (Draw(0, 0.1, 0.3), Draw(0, 0.2, 0.5), Draw(0, 0.2));
    }

    public SimNetworkCounts Counts { get; } = new();

    public SimAsk? Find(string id) => _all.Find(c => c.Ask.Id == id)?.Ask;

    /// <summary>At a boundary somebody may ask.</summary>
    public void MayAsk()
    {
        if (_compiler is null || _open.Count >= MostOpen || _random.Next(40) > 0) return;
        var customer = $"n{_random.Next(Customers)}";
        if (_all.Count(c => c.Ask.Customer == customer && c.Deadline > Now) >= AliveAtOnce) return;
        var call = new Call(new SimAsk($"net{_all.Count:0000}", customer, _random.Next(2) == 0 ? "home" : "email", Ms),
            Partition(customer), Now + TimeSpan.FromMilliseconds(_random.Next(100, 3_000)).Ticks);
        _all.Add(call);
        _open.Add(call);
        Counts.Add(SimNetworkEvent.Asked);
        Send(call);
    }

    /// <summary>What is due arrives; nobody who asked is left waiting beyond the deadline.</summary>
    public void Pump()
    {
        if (_compiler is null) return;
        Learn();
        Collect();
        while (_network.TryPeek(out var arrive, out var at) && at.Due <= Now)
        {
            _network.Dequeue();
            arrive();
        }
        if (_open.Find(c => c.Deadline <= Now) is { } late) throw new SimFailure($"{late.Ask} has no end at its deadline");
    }

    /// <summary>Every request has an end, whatever became of those who were asked.</summary>
    public void AllEnded()
    {
        if (_all.Count > 0) _driver.Time.Advance(TimeSpan.FromTicks(Math.Max(0, _all.Max(c => c.Deadline) - Now)));
        Pump();
        if (_open.Count > 0) throw new SimFailure($"{_open[0].Ask} has no end");
    }

    /// <summary>Every answer that a shard gave against the log of a partition, whether it arrived or not.</summary>
    public void Judge(Dictionary<string, SimDecision> logged, int partition)
    {
        foreach (var call in _all.Where(c => c.Partition == partition))
            foreach (var (answer, _) in call.Ask.Tries)
                if (SimAsks.IsDone(answer)) SimAsks.Same(call.Ask, answer.Result, logged.GetValueOrDefault(call.Ask.Id));
    }

    private long Now => _driver.Time.GetTimestamp();

    private long Ms => _driver.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Somebody hears who takes requests for a shard: at some time, and of two it may be either.</summary>
    private void Learn()
    {
        if (_random.Next(6) > 0) return;
        var partition = _random.Next(_believed.Length);
        if (Holders(partition) is { Count: > 0 } holders) _believed[partition] = holders[_random.Next(holders.Count)];
    }

    private List<SimProcess> Holders(int partition) => [.. _cluster.Processes.Where(p => p.Directory.Find(partition) is not null)];

    private void Send(Call call)
    {
        call.Rule.Begin();
        var attempt = call.Rule.Attempt;
        var target = Choose(call);
        call.Last = target;
        After(call.Rule.Sent(Left(call)), () => Woken(call, attempt));
        if (target is null) return; // nobody is known, or there: silence
        if (_driver.IsCalm || !Chance(_lost)) Travel(() => Arrive(call, attempt, target));
        else Counts.Add(SimNetworkEvent.LostAsks);
        if (_driver.IsCalm || !Chance(_doubled)) return;
        Counts.Add(SimNetworkEvent.Doubled);
        Travel(() => Arrive(call, attempt, target));
    }

    private SimProcess? Choose(Call call)
    {
        var holders = Holders(call.Partition);
        var target = _believed[call.Partition];
        if (target is null || (call.Rule.TriesAnother && target == call.Last))
        {
            List<SimProcess> others = [.. holders.Where(p => p != call.Last)];
            if (others.Count == 0) others = [.. _cluster.Processes];
            target = others.Count == 0 ? null : others[_random.Next(others.Count)];
        }
        if (holders.Count > 1) Counts.Add(SimNetworkEvent.TwoOwners);
        if (target is not null && holders.Count > 0 && !holders.Contains(target)) Counts.Add(SimNetworkEvent.Stale);
        return target;
    }

    private void Arrive(Call call, int attempt, SimProcess target)
    {
        if (!_cluster.Processes.Contains(target))
        {
            Counts.Add(SimNetworkEvent.Silent); // it died: nobody answers
            return;
        }
        if (call.Deadline <= Now)
        {
            Counts.Add(SimNetworkEvent.Expired); // a customer's actor passes over what nobody waits for any more
            return;
        }
        if (target.IsPaused)
        {
            After(TimeSpan.FromMilliseconds(20), () => Arrive(call, attempt, target));
            return;
        }
        if (target.Directory.Find(call.Partition) is not { } inbox)
        {
            Answer(call, attempt, new DecideReply { Status = RequestStatus.Moved });
            return;
        }
        var ask = call.Ask;
        var served = _compiler!.Compile(new DecideRequest
        {
            Customer = ask.Customer,
            Id = ask.Id,
            Placement = ask.Placement,
            Offers = SimAsks.MostOffers
        }, ask.Time, call.Deadline, [])!;
        if (ask.Tries.Count > 0) Counts.Add(SimNetworkEvent.Repeats);
        _driver.Tell($"{ask}, attempt {attempt}, reaches {target.Id}");
        inbox.Enqueue(served);
        ask.Tries.Add((served.Answered, attempt));
        _serving.Add(new Serving(call, attempt, target, served));
        Collect();
    }

    /// <summary>Shards have answered, or died.</summary>
    private void Collect()
    {
        for (var i = _serving.Count - 1; i >= 0; i--)
        {
            var (call, attempt, by, served) = _serving[i];
            if (served.Answered.IsCompleted)
            {
                _serving.RemoveAt(i);
                var reply = served.Answered.Result;
                if (reply.Status == RequestStatus.Done) Committed(call, by, reply);
                Answer(call, attempt, reply);
            }
            else if (!_cluster.Processes.Contains(by)) _serving.RemoveAt(i);
        }
    }

    /// <summary>What is told is committed by then, and what is told as new was written by whoever tells it.</summary>
    private void Committed(Call call, SimProcess by, DecideReply reply)
    {
        var id = Encoding.UTF8.GetBytes(call.Ask.Id);
        var logged = _driver.Log.Known(new TopicPartition("decisions", call.Partition)).Committed()
            .Where(r => r.Record.Value.AsSpan().IndexOf(id) >= 0).Select(r => r.Record.Transaction).ToList();
        if (logged.Count != 1)
            throw new SimFailure($"{call.Ask} was told {reply.DecisionId} by {by.Id} while the log had it {logged.Count} times");
        if (!reply.Repeated && logged[0] is { } transaction && transaction.Producer != by.Id)
            throw new SimFailure($"{call.Ask} was told {reply.DecisionId} by {by.Id}, and {transaction.Producer} has decided it");
    }

    private void Answer(Call call, int attempt, DecideReply reply)
    {
        if (_driver.IsCalm || !Chance(_lost)) Travel(() => Heard(call, attempt, reply));
        else Counts.Add(SimNetworkEvent.LostAnswers);
    }

    private void Heard(Call call, int attempt, DecideReply reply)
    {
        var step = call.HasEnded ? AskStep.Nothing : call.Rule.Heard(reply.Status, attempt, Left(call));
        if (step == AskStep.End) End(call, reply.Status);
        else if (step == AskStep.Pause) After(call.Rule.NextPause(), () => Woken(call, call.Rule.Attempt));
        else Counts.Add(SimNetworkEvent.Dropped);
    }

    private void Woken(Call call, int attempt)
    {
        if (call.HasEnded) return;
        var step = call.Rule.Woken(attempt, Left(call));
        if (step == AskStep.End) End(call, RequestStatus.TimedOut);
        else if (step == AskStep.Ask) Send(call);
    }

    private void End(Call call, RequestStatus status)
    {
        _driver.Tell($"{call.Ask} ends: {status}");
        call.HasEnded = true;
        _open.Remove(call);
        if (status == RequestStatus.Done) Counts.Add(SimNetworkEvent.Decided);
        else if (status == RequestStatus.TimedOut) Counts.Add(SimNetworkEvent.TimedOut);
        else Counts.Add(SimNetworkEvent.OtherEnds);
    }

    private TimeSpan Left(Call call) => TimeSpan.FromTicks(call.Deadline - Now);

    private void Travel(Action arrive)
    {
        var slow = !_driver.IsCalm && Chance(_slow);
        if (slow) Counts.Add(SimNetworkEvent.Delayed);
        After(TimeSpan.FromMilliseconds(slow ? _random.Next(50, 600) : _random.Next(0, 10)), arrive);
    }

    private void After(TimeSpan time, Action what) => _network.Enqueue(what, (Now + Math.Max(0, time.Ticks), _number++));

    private bool Chance(double rate) => rate > 0 && _random.NextDouble() < rate;

    private double Draw(params double[] rates) => rates[_random.Next(rates.Length)];

    private int Partition(string customer) => _driver.Partitions == 1 ? 0
        : Murmur2.Partition(Encoding.UTF8.GetBytes(customer), _driver.Partitions);

    /// <summary>A request on its way to its end.</summary>
    private sealed class Call(SimAsk ask, int partition, long deadline)
    {
        public SimAsk Ask { get; } = ask;

        public int Partition { get; } = partition;

        public long Deadline { get; } = deadline;

        public AskRule Rule { get; } = new();

        public SimProcess? Last { get; set; }

        public bool HasEnded { get; set; }
    }

    private sealed record Serving(Call Call, int Attempt, SimProcess By, DecideCall Served);
}
