using StreamEngine.SystemTests.Oracle;
using StreamEngine.Testing;

namespace StreamEngine.SystemTests.Runs;

/// <summary>
/// The requests of a cluster run: they go to its ready members all the while. Between faults anything may become of one but a lie: it is
/// served, or refused, or gets a stand-in, by its deadline. In the quiet phases it is served.
/// </summary>
internal sealed class ClusterRequests : IDisposable
{
    /// <summary>Longer than a member takes to start, so that many live through a fault, and shorter than the session timeout.</summary>
    private const int TimeoutMs = 8_000;
    private static readonly TimeSpan QuietTime = TimeSpan.FromSeconds(4);
    private readonly CancellationTokenSource _stop = new();
    private readonly LoadBalancer _balancer;
    private readonly RequestLoad _load;
    private Task _asking = Task.CompletedTask;

    /// <param name="running">The members' processes that there are now.</param>
    /// <param name="customers">Customers are asked for among the first so many of the input's.</param>
    /// <param name="seed">Draws customers, members and placements.</param>
    public ClusterRequests(Func<IReadOnlyList<EngineProcess>> running, int customers, int seed)
    {
        _balancer = new LoadBalancer(running);
        _load = new RequestLoad(() => _balancer.Nodes, customers, seed, TimeoutMs);
    }

    /// <summary>Begins to ask.</summary>
    public void Start(int perSecond) => _asking = Task.Run(() => _load.Run(perSecond, _stop.Token));

    /// <summary>Waits until a member is ready and has shards.</summary>
    /// <exception cref="TimeoutException">It does not come to that.</exception>
    public async Task Ready(Member member, TimeSpan patience)
    {
        var engine = member.Engine;
        if (!await engine.Until(async () => await engine.IsReady(patience) && await engine.Metric("streamengine_shards") > 0, patience))
            throw new TimeoutException($"{member.Name} is not ready after {patience.TotalSeconds} s:\n{engine.Output}");
    }

    /// <summary>A while in which requests are served; faults come behind it.</summary>
    public async Task Quiet()
    {
        _load.Phase = "quiet";
        await Task.Delay(QuietTime);
        _load.Phase = "faults";
    }

    /// <summary>Ends, once everything is answered.</summary>
    public async Task Stop()
    {
        await _stop.CancelAsync();
        await _asking;
    }

    /// <summary>Finds a request by its id; null where nobody asked.</summary>
    public Func<string, Ask?> Asked => _load.Find;

    /// <summary>Holds what was heard against the log.</summary>
    public void Judge(IEnumerable<DecisionRecord> decisions, ClusterReport report, Action<string> tell)
    {
        foreach (var line in _load.Table()) tell(line);
        foreach (var fault in _load.Faults(decisions)) report.Failed(fault);
        report.Asked(_load.Answers.Count, _load.Quiet.Count, _load.Quiet.Count(a => a.Status != "done"));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _load.Dispose();
        _balancer.Dispose();
        _stop.Dispose();
    }
}
