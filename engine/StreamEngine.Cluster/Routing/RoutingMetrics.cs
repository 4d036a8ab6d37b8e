using System.Diagnostics.Metrics;
using StreamEngine.Telemetry;

namespace StreamEngine.Cluster.Routing;

/// <summary>Which way a request's answer came.</summary>
internal enum Way
{
    /// <summary>From this process, by the region or by its door.</summary>
    Local,

    /// <summary>From another node, by the region.</summary>
    Forwarded,

    /// <summary>From another node's door, past the region.</summary>
    Direct,
}

/// <summary>What the cluster's requests cost and where they go. The numbers outlive an ActorSystem.</summary>
internal sealed class RoutingMetrics : IDisposable
{
    private readonly Meter _meter = EngineMeter.Create();
    private readonly Counter<long> _requests, _asksAgain;
    private readonly Counter<long> _hops, _busy, _notOwner, _timedOut, _late, _expired, _moves;
    private long _stashed, _watchers, _entities, _inFlight;

    public RoutingMetrics()
    {
        _requests = _meter.CreateCounter<long>("streamengine.cluster.requests", "{request}",
            "Requests answered, by way: local, forwarded (another node, by the region), direct (another node, past the region).");
        _hops = Counter("streamengine.cluster.hops", "{hop}", "Attempts of requests that were answered by, or sent past the region to, "
            + "another node.");
        _asksAgain = _meter.CreateCounter<long>("streamengine.cluster.re_asks", "{attempt}",
            "Attempts after a request's first, by why: moved, restoring, silent.");
        _busy = Counter("streamengine.cluster.busy", "{request}", "Requests answered with busy by this process's queue or by a customer's "
            + "actor here.");
        _notOwner = Counter("streamengine.cluster.not_owner", "{request}", "Requests that came to this process while another one owned "
            + "the customer.");
        _timedOut = Counter("streamengine.cluster.timed_out", "{request}", "Requests without an answer at their deadline.");
        _late = Counter("streamengine.cluster.answers.dropped", "{answer}", "Answers to requests that had been answered already.");
        _expired = Counter("streamengine.cluster.expired", "{request}", "Requests that reached a customer's actor here, or the head of "
            + "its stash, after their deadline: nobody waited any more.");
        _moves = Counter("streamengine.cluster.shard.moves", "{move}", "Shards whose owner, as this node knows it, became another one.");
        // From the start, also those that never happened: a rate or an alert needs the 0.
        foreach (var way in Enum.GetValues<Way>()) _requests.Add(0, Label(way));
        foreach (var why in new[] { "moved", "restoring", "silent" }) _asksAgain.Add(0, new KeyValuePair<string, object?>("why", why));
        _meter.CreateObservableGauge("streamengine.cluster.shards", () => (Owners?.Counts ?? []).Select(n =>
            new Measurement<long>(n.Value, new KeyValuePair<string, object?>("node", n.Key))), "{shard}",
            "Shards by the node that says it owns them, as this one heard it.");
        Gauge("streamengine.cluster.stash", "{request}", "Requests that wait behind another one of the same customer.", () => _stashed);
        Gauge("streamengine.cluster.in_flight", "{request}", "Requests of this process that are under way.", () => _inFlight);
        Gauge("streamengine.cluster.watchers", "{watcher}", "Live watchers of customers whose actors are here.", () => _watchers);
        Gauge("streamengine.cluster.entities", "{actor}", "Customers' actors in this process.", () => _entities);
    }

    /// <summary>Who owns which shard, as this node knows it; null without an ActorSystem.</summary>
    public Owners? Owners { get; set; }

    public void Answered(Way way) => _requests.Add(1, Label(way));

    public void Hop() => _hops.Add(1);

    public void AsksAgain(string why) => _asksAgain.Add(1, new KeyValuePair<string, object?>("why", why));

    public void Busy() => _busy.Add(1);

    public void NotOwner() => _notOwner.Add(1);

    public void TimedOut() => _timedOut.Add(1);

    public void Dropped() => _late.Add(1);

    public void Expired() => _expired.Add(1);

    public void Moved() => _moves.Add(1);

    public void Stashed(int by) => Interlocked.Add(ref _stashed, by);

    public void Watchers(int by) => Interlocked.Add(ref _watchers, by);

    public void Entities(int by) => Interlocked.Add(ref _entities, by);

    public void InFlight(int by) => Interlocked.Add(ref _inFlight, by);

    /// <summary>The gauges' values now: stash, watchers, entities, in flight.</summary>
    internal (long Stash, long Watchers, long Entities, long InFlight) Now => (Interlocked.Read(ref _stashed),
        Interlocked.Read(ref _watchers), Interlocked.Read(ref _entities), Interlocked.Read(ref _inFlight));

    /// <summary>Whether the instrument is one of these.</summary>
    internal bool Has(Instrument instrument) => instrument.Meter == _meter;

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Label(Way way) => new("way", Configuration.Spelling.Snake(way.ToString()));

    private Counter<long> Counter(string name, string unit, string what)
    {
        var counter = _meter.CreateCounter<long>(name, unit, what);
        counter.Add(0);
        return counter;
    }

    private void Gauge(string name, string unit, string what, Func<long> value) => _meter.CreateObservableGauge(name, value, unit, what);
}
