using System.Globalization;
using System.Text.Json.Nodes;
using StreamEngine.Testing;

namespace StreamEngine.Benchmarks.Processes;

/// <summary>Engines as processes that share the partitions of a site and form an Akka cluster, or one engine without a cluster.</summary>
internal sealed class NodeCluster : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly Site _site;
    private readonly string _run;
    private readonly string[] _settings;
    private readonly AkkaNodes? _akka;
    private readonly List<EngineProcess> _nodes = [];
    private readonly List<int> _rpcPorts = [];

    /// <param name="site">Its log and folders.</param>
    /// <param name="run">The engine's name; its topics are there.</param>
    /// <param name="clustered">Whether the nodes form a cluster; a node without one takes requests all the same.</param>
    /// <param name="settings">More settings of each node.</param>
    public NodeCluster(Site site, string run, bool clustered, params string[] settings)
    {
        (_site, _run) = (site, run);
        _akka = clustered ? new AkkaNodes([Name(0)]) : null;
        _settings = ["requests.enabled=true", "runtime.wrong_partition=refuse", .. settings];
    }

    /// <summary>The nodes that were started, in their order.</summary>
    public IReadOnlyList<EngineProcess> Nodes => _nodes;

    /// <summary>Their ports of gRPC.</summary>
    public IReadOnlyList<int> RpcPorts => _rpcPorts;

    /// <summary>Starts the next node.</summary>
    public EngineProcess Start()
    {
        var name = Name(_nodes.Count);
        _rpcPorts.Add(FreePort.Find());
        var node = _site.Start(_run, name, drain: false, _ => { }, [$"http.grpc_port={_rpcPorts[^1]}", .. _settings,
            .. _akka?.Settings(name) ?? []]);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Waits until a node is ready.</summary>
    public static Task Ready(EngineProcess node) => Until(node, () => node.IsReady(Patience), "is not ready");

    /// <summary>Waits until every partition has its owner, to whom requests go.</summary>
    /// <returns>By partition, the owner's place among the nodes.</returns>
    public async Task<int[]> Owners()
    {
        var owners = new int[_site.Partitions];
        foreach (var node in _nodes) await Until(node, async () => await node.Metric("streamengine_shards") > 0, "got no shard");
        await Until(_nodes[0], async () =>
        {
            using var http = new HttpClient();
            var report = JsonNode.Parse(await http.GetStringAsync($"http://127.0.0.1:{_nodes[0].Port}/cluster"))!;
            var shards = report["shards"]!.AsArray();
            foreach (var shard in shards)
            {
                var (owner, location) = ((string?)shard!["owner"], (string?)shard["location"]);
                if (owner is null || owner != location && _nodes.Count > 1) return false;
                owners[(int)shard["partition"]!] = int.Parse(owner.AsSpan(1), CultureInfo.InvariantCulture);
            }
            return shards.Count == owners.Length;
        }, "does not know every shard's owner");
        return owners;
    }

    /// <summary>Waits for something to hold at a node.</summary>
    /// <exception cref="InvalidOperationException">It does not.</exception>
    public static async Task Until(EngineProcess node, Func<Task<bool>> holds, string otherwise)
    {
        if (!await node.Until(holds, Patience)) throw new InvalidOperationException($"the node at {node.Port} {otherwise}:\n{node.Output}");
    }

    /// <summary>Ends the nodes in order, the last one first.</summary>
    public async Task Stop()
    {
        foreach (var node in _nodes.AsEnumerable().Reverse())
        {
            node.Terminate();
            await node.Exit(Patience);
        }
    }

    public void Dispose()
    {
        foreach (var node in _nodes) node.Dispose();
        _akka?.Dispose();
    }

    private static string Name(int place) => string.Create(CultureInfo.InvariantCulture, $"n{place}");
}
