using StreamEngine.Cluster;
using StreamEngine.Cluster.Membership;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Host.Run;

/// <summary>
/// The cluster around a running engine: puts together the node and what runs on it, and tells how it is. Only made where the config has
/// the section, so that nothing of Akka is loaded elsewhere.
/// </summary>
internal sealed class ClusterRun : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly HostOptions _options;
    private readonly ClusterOptions _cluster;
    private readonly Engine _engine;
    private readonly ILog _log;
    private readonly ClusterNode _node;
    private readonly ClusterParts _parts;

    private ClusterRun(Invocation call, LoadedConfig config, ClusterOptions cluster, Engine engine, ILog log)
    {
        (_options, _cluster, _engine, _log) = (config.Options, cluster, engine, log);
        Action<WorkerEvent> report = e => call.Say(e.Warning ? LogLevel.Warning : LogLevel.Info, e.Text);
        _parts = ClusterParts.Of(engine, config.Options.Requests, cluster.Routing);
        _node = new ClusterNode(new ClusterSettings
        {
            Options = cluster,
            Engine = config.Options.Name,
            Node = RunCommand.Node(config.Options.Kafka),
            Folder = config.BaseDirectory,
            SessionTimeout = KafkaSettings.SessionTimeout(config.Options.Kafka.Settings, config.Options.Kafka.TransactionTimeout),
            Report = report,
            Parts = _parts.Parts,
            Config = _parts.Config,
            Shards = Shards,
        });
    }

    /// <summary>How to ask for decisions and profiles of any customer.</summary>
    public ICustomerGateway Customers => _parts.Customers;

    /// <summary>How to watch any customer.</summary>
    public ICustomerFeed Feed => _parts.Feed;

    /// <summary>How this node stands to the cluster.</summary>
    public ClusterHealth Health
    {
        get
        {
            var view = _node.View;
            return new ClusterHealth(Spelling.Snake(view.Phase.ToString()), _cluster.RequiredForReady, view.Members.Count,
                [.. view.Unreachable], _node.AwayReason);
        }
    }

    /// <summary>Refuses a cluster on the embedded log.</summary>
    public static void CheckLog(Invocation call, ClusterOptions? cluster, ConfigErrors errors)
    {
        if (cluster is not null && call.Get(LogOptions.Embedded) is not null)
            errors.Add(cluster.Node.At, "an embedded log has one process, which owns every customer: there is nothing to find in a cluster",
                "Take the section out, or run on Kafka with --kafka");
    }

    /// <summary>The cluster that the config describes; null where it describes none.</summary>
    public static ClusterRun? Of(Invocation call, LoadedConfig config, Engine engine, ILog log) =>
        config.Options.Cluster is { } cluster ? new ClusterRun(call, config, cluster, engine, log) : null;

    /// <summary>Joins, in the background: the engine does not wait for it.</summary>
    public void Start() => _node.Start();

    /// <summary>Leaves in order.</summary>
    public Task LeaveAsync() => _node.LeaveAsync();

    /// <summary>Members and shards: who owns a shard by Kafka's group, and where its requests are sent by Akka, side by side.</summary>
    public async Task<ClusterReport> ReportAsync()
    {
        var view = _node.View;
        var (owners, states, locations) = (OwnersAsync(), _node.ShardsAsync(Patience), _parts.Locations.LocationsAsync(Patience));
        var names = view.Members.ToDictionary(m => m.Address, m => m.Name);
        var byNode = (await states.ConfigureAwait(false)).ToDictionary(s => names.GetValueOrDefault(s.Key,
            RunCommand.Node(_options.Kafka)), s => s.Value);
        var owned = await owners.ConfigureAwait(false);
        var located = await locations.ConfigureAwait(false);
        var shards = new List<ShardReport>();
        for (var p = 0; p < _engine.Partitions; p++)
        {
            var owner = owned?.GetValueOrDefault(p);
            var location = located?.GetValueOrDefault(p) is { } at ? names.GetValueOrDefault(at, at) : null;
            var state = byNode.OrderByDescending(n => n.Key == owner).SelectMany(n => n.Value).FirstOrDefault(s => s.Partition == p);
            shards.Add(new ShardReport(p, owner, location, owner is not null && location is not null && owner != location, state?.Lag,
                state?.Restoring));
        }
        return new ClusterReport(_options.Name, RunCommand.Node(_options.Kafka), view.Address, Spelling.Snake(view.Phase.ToString()),
            view.Leader, owned is not null, located is not null, [.. view.Members.Select(m => new MemberReport(m.Name, m.Address, m.Status,
                m.Reachable, m.Address == view.Leader, m.Roles, Math.Round(m.Seen.TotalSeconds, 1)))], shards);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync().ConfigureAwait(false);
        foreach (var part in _parts.Parts) (part as IDisposable)?.Dispose();
    }

    private List<ShardState> Shards()
    {
        var restoring = _engine.Restoring.ToDictionary(r => r.Key, r => r.Value);
        return [.. _engine.Lags.Select(l => new ShardState(l.Key, l.Value,
            restoring.TryGetValue(l.Key, out var done) ? Math.Round(done, 3) : null)).OrderBy(s => s.Partition)];
    }

    /// <summary>From a partition to the node that owns it by Kafka's group; null while nobody can tell.</summary>
    private async Task<Dictionary<int, string>?> OwnersAsync()
    {
        try
        {
            var members = await Task.Run(() => _log.Members(_options.Name)).WaitAsync(Patience, TimeProvider.System).ConfigureAwait(false);
            if (members is not { Count: > 0 }) return null;
            return members.SelectMany(m => m.Partitions.Select(p => (p.Partition, Node: NodeOf(m.InstanceId ?? m.Host))))
                .DistinctBy(o => o.Partition).ToDictionary(o => o.Partition, o => o.Node);
        }
        catch (Exception e) when (e is TimeoutException or LogException)
        {
            return null;
        }
    }

    /// <summary>The node in a member's id, <c>engine-node-worker</c>.</summary>
    private string NodeOf(string instanceId)
    {
        var end = instanceId.LastIndexOf('-');
        var prefix = $"{_options.Name}-";
        return instanceId.StartsWith(prefix, StringComparison.Ordinal) && end > prefix.Length ? instanceId[prefix.Length..end] : instanceId;
    }
}
