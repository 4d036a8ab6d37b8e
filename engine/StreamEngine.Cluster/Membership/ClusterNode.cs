using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Cluster;
using Akka.Configuration;
using StreamEngine.Configuration;
using StreamEngine.Runtime;
using AkkaCluster = Akka.Cluster.Cluster;

namespace StreamEngine.Cluster.Membership;

/// <summary>
/// This process in the cluster. It keeps an actor system for as long as the process lives: where the others take this node for dead, or
/// the system ends by itself, its parts are detached, a new system is made, and it joins anew. Nothing of that reaches the workers or ends
/// the process. The steps: 1. make a system, 2. attach the parts, 3. join, 4. wait for its end, 5. detach the parts, and all of that again
/// after a little while.
/// </summary>
public sealed class ClusterNode : IAsyncDisposable
{
    /// <summary>What does not happen while this node is outside.</summary>
    internal const string Waits = "Events go on; requests for customers of other nodes fail";

    private static readonly TimeSpan MostBetween = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan TellAfter = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookAtSelf = TimeSpan.FromMilliseconds(200);

    private readonly ClusterSettings _settings;
    private readonly TlsFiles? _tls;
    private readonly AkkaLines _lines;
    private readonly Outage _outage;
    private readonly CancellationTokenSource _stop = new();
    private readonly ClusterMetrics _metrics;
    private volatile Running? _running;
    private volatile Address? _larger;
    private volatile ClusterPhase _phase = ClusterPhase.Starting;
    private Task _living = Task.CompletedTask;

    /// <summary>One actor system and what belongs to it.</summary>
    private sealed record Running(ActorSystem System, AkkaCluster Cluster, Roster Roster)
    {
        /// <summary>Why it is given up; null where it is not.</summary>
        public string? Reason { get; set; }

        /// <summary>Looks for other nodes, where the config has no seeds.</summary>
        public Task Finding { get; set; } = Task.CompletedTask;
    }

    /// <summary>Prepares a node; <see cref="Start"/> joins.</summary>
    public ClusterNode(ClusterSettings settings)
    {
        _settings = settings;
        if (settings.Options.Tls is { } tls)
        {
            var errors = new ConfigErrors();
            _tls = TlsFiles.Of(tls, settings.Folder, errors);
            errors.ThrowIfAny();
        }
        _lines = new AkkaLines(settings.Time, settings.Report);
        _outage = new Outage("cluster", settings.Time, settings.Report);
        _metrics = new ClusterMetrics(() => View);
        Address = new HostPort(settings.Options.Address ?? Environment.MachineName, settings.Options.Port).ToString();
    }

    /// <summary>This node's address, <c>host:port</c>.</summary>
    public string Address { get; }

    /// <summary>The cluster as this process sees it.</summary>
    public ClusterView View => _running is { } running ? Look(running) : new ClusterView(_phase, Address, null, []);

    /// <summary>For how long this node has not been in the cluster; null while it is.</summary>
    public TimeSpan? Away => _outage.Lasts;

    /// <summary>Why it is not.</summary>
    public string AwayReason => _outage.Reason;

    /// <summary>Its instruments.</summary>
    internal ClusterMetrics Metrics => _metrics;

    /// <summary>Joins the cluster, in the background, and stays in it.</summary>
    public void Start() => _living = Task.Run(LiveAsync);

    /// <summary>
    /// Leaves the cluster in order, so that the others know at once, and stays out. Call it when the workers have ended: the actor system
    /// is needed until then, to pass on requests for shards that were handed over.
    /// </summary>
    public async Task LeaveAsync()
    {
        _phase = ClusterPhase.Leaving;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _living.ConfigureAwait(false);
        _phase = ClusterPhase.Stopped;
    }

    /// <summary>Asks the other nodes for their shards, and adds this one's; a node that does not answer in time is left out.</summary>
    /// <returns>From a node's address to its shards.</returns>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<ShardState>>> ShardsAsync(TimeSpan patience)
    {
        var all = new Dictionary<string, IReadOnlyList<ShardState>> { [Address] = _settings.Shards() };
        if (_running is not { } running) return all;
        var asked = running.Cluster.State.Members.Where(m => m.Address != running.Cluster.SelfAddress)
            .Select(async m => (At: MembershipActor.Text(m.Address), Shards: await AskAsync(running, m, patience).ConfigureAwait(false)));
        foreach (var (at, shards) in await Task.WhenAll(asked).ConfigureAwait(false))
            if (shards is not null) all[at] = shards;
        return all;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await LeaveAsync().ConfigureAwait(false);
        _metrics.Dispose();
        _stop.Dispose();
    }

    private async Task LiveAsync()
    {
        for (var pause = _settings.Options.RejoinAfter; !_stop.IsCancellationRequested;)
        {
            var stayed = await OnceAsync().ConfigureAwait(false);
            if (_stop.IsCancellationRequested) return;
            pause = stayed ? _settings.Options.RejoinAfter : pause * 2 < MostBetween ? pause * 2 : MostBetween;
            try
            {
                await Task.Delay(pause, _settings.Time, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>One life of an actor system.</summary>
    /// <returns>Whether it was in the cluster.</returns>
    private async Task<bool> OnceAsync()
    {
        var attached = new List<IClusterPart>();
        var wasUp = false;
        try
        {
            // 1. Make a system. 2. Attach the parts. 3. Join.
            PortCheck.ThrowIfTaken(_settings.Options);
            var running = Make();
            _running = running;
            _phase = ClusterPhase.Joining;
            foreach (var part in _settings.Parts)
            {
                attached.Add(part);
                part.Attach(running.System);
            }
            Join(running);
            // 4. Wait for its end.
            wasUp = await StayAsync(running).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            var why = (e as AggregateException)?.GetBaseException() ?? e;
            _outage.Away(TlsFiles.IsOfTheFile(why) ? why.Message : $"it can't be joined: {why.Message}", Waits);
        }
        // 5. Detach the parts: behind the end of the system, as they pass requests on for as long as it leaves the cluster.
        if (_running is { } left) await EndAsync(left).ConfigureAwait(false);
        _running = null;
        foreach (var part in attached) Detach(part);
        if (!_stop.IsCancellationRequested) _phase = ClusterPhase.Starting;
        return wasUp;
    }

    private Running Make()
    {
        var config = ConfigurationFactory.ParseString(AkkaConfig.Write(_settings.Options, _settings.Node, _settings.SessionTimeout))
            .WithFallback(_settings.Config);
        Setup[] setups = [BootstrapSetup.Create().WithConfig(config), new AkkaLogSetup(_lines)];
        if (_tls is not null) setups = [.. setups, TlsSetup.Make(_tls, _settings.Options.Tls!)];
        var system = ActorSystem.Create(AkkaConfig.SystemName(_settings.Engine), ActorSystemSetup.Create(setups));
        try
        {
            return new Running(system, AkkaCluster.Get(system), new Roster(_settings.Time));
        }
        catch
        {
            _ = system.Terminate(); // it holds the port
            throw;
        }
    }

    private void Join(Running running)
    {
        var self = running.Cluster.SelfAddress;
        var seeds = _settings.Options.Seeds.Select(s => HostPort.Read(s)!.Value).Select(s => Known(self, s.Host, s.Port)).ToList();
        running.Roster.Known = [.. seeds];
        running.System.ActorOf(Props.Create(() => new MembershipActor(_settings, running.Roster, (why, at) => GiveUp(running, why, at))),
            MembershipActor.Name);
        if (_settings.Options.Discovery is { } discovery)
        {
            running.Finding = new PeerJoin(running.Cluster, discovery, _settings, running.Roster, Known, _outage)
                .RunAsync(_larger, _stop.Token);
            _larger = null;
            return;
        }
        if (_larger is { } larger) seeds.Insert(0, larger);
        _larger = null;
        // A seed that asks the others first, and forms a cluster where none of them answers: so does each in its turn, not only the
        // first of the list, whose end would else keep the others out for ever.
        running.Cluster.JoinSeedNodes(seeds.Contains(self) ? [self, .. seeds.Where(s => s != self)] : seeds);
    }

    /// <summary>A node's address as Akka has it; this one's as it has it itself.</summary>
    private Address Known(Address self, string host, int port) =>
        new HostPort(host, port).ToString().Equals(Address, StringComparison.OrdinalIgnoreCase) ? self
            : new Address(self.Protocol, self.System, host, port);

    /// <summary>Waits until the system ends, or this node has to leave.</summary>
    private async Task<bool> StayAsync(Running running)
    {
        var (wasUp, since) = (false, _settings.Time.GetTimestamp());
        var ended = running.System.WhenTerminated;
        while (!ended.IsCompleted && !_stop.IsCancellationRequested)
        {
            if (running.Cluster.SelfMember.Status == MemberStatus.Up)
            {
                (_phase, wasUp) = (ClusterPhase.Up, true);
                _outage.Back();
            }
            else if (!wasUp && _settings.Time.GetElapsedTime(since) > TellAfter)
                _outage.Away($"nobody of {Peers()} lets this node in", Waits);
            try
            {
                await Task.WhenAny(ended, Task.Delay(LookAtSelf, _settings.Time, _stop.Token)).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }
        if (!_stop.IsCancellationRequested) TellEnd(running);
        return wasUp;
    }

    private void TellEnd(Running running)
    {
        var downed = CoordinatedShutdown.Get(running.System).ShutdownReason is CoordinatedShutdown.ClusterDowningReason;
        var why = running.Reason ?? (downed ? "the other nodes took this one out" : "its actor system ended");
        _metrics.Rejoined(running.Reason is not null ? "reunited" : downed ? "downed" : "ended");
        _settings.Report(new WorkerEvent(true, $"cluster: {why}; this node joins anew. Events go on"));
    }

    private void GiveUp(Running running, string why, Address larger)
    {
        running.Reason ??= why;
        _larger = larger;
        // Not by leaving: that waits for members who may not hear this node any more.
        running.Cluster.Down(running.Cluster.SelfAddress);
    }

    private async Task EndAsync(Running running)
    {
        if (!running.System.WhenTerminated.IsCompleted)
        {
            var leaving = running.Cluster.SelfMember.Status is MemberStatus.Up or MemberStatus.WeaklyUp or MemberStatus.Leaving;
            _ = leaving ? CoordinatedShutdown.Get(running.System).Run(CoordinatedShutdown.ClusterLeavingReason.Instance)
                : running.System.Terminate();
        }
        try
        {
            await running.Finding.ConfigureAwait(false);
            await running.System.WhenTerminated.WaitAsync(EndPatience, _settings.Time).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // Whatever it is, the next system is made; this one ends in its own time.
            _settings.Report(new WorkerEvent(true, e is TimeoutException
                ? $"cluster: its actor system has not ended after {EndPatience.TotalSeconds:0} s"
                : $"cluster: its actor system did not end in order: {e.Message}"));
            _ = running.System.Terminate();
        }
    }

    private void Detach(IClusterPart part)
    {
        try
        {
            part.Detach();
        }
        catch (Exception e)
        {
            _settings.Report(new WorkerEvent(true, $"cluster: a part did not detach: {e.Message}"));
        }
    }

    private string Peers() => _settings.Options.Discovery?.ToString() ?? string.Join(", ", _settings.Options.Seeds);

    private static async Task<IReadOnlyList<ShardState>?> AskAsync(Running running, Member member, TimeSpan patience)
    {
        try
        {
            return ShardTexts.Read(await running.System.ActorSelection($"{member.Address}/user/{MembershipActor.Name}")
                .Ask<string>(MembershipActor.AskShards, patience).ConfigureAwait(false));
        }
        catch (Exception e) when (e is AskTimeoutException or TaskCanceledException)
        {
            return null;
        }
    }

    private ClusterView Look(Running running)
    {
        var state = running.Cluster.State;
        var phase = _phase == ClusterPhase.Up && running.Cluster.SelfMember.Status != MemberStatus.Up ? ClusterPhase.Joining : _phase;
        return new ClusterView(phase, Address, state.Leader is null ? null : MembershipActor.Text(state.Leader),
            [.. state.Members.Select(m => new ClusterMember(MembershipActor.Text(m.Address), MembershipActor.NodeName(m),
                [.. m.Roles.Where(r => !r.StartsWith(ClusterCheck.NodeRole, StringComparison.Ordinal)).Order(StringComparer.Ordinal)],
                Spelling.Snake(m.Status.ToString()), !state.Unreachable.Contains(m), running.Roster.Seen(m.Address)))]);
    }
}
