using System.Net;
using StreamEngine.Cluster.Membership;
using StreamEngine.Configuration;
using StreamEngine.Runtime;

namespace StreamEngine.Cluster;

/// <summary>What is checked of the cluster's section before anything starts. Loads nothing of Akka.</summary>
public static class ClusterCheck
{
    /// <summary>The prefix of the role that names a node.</summary>
    internal const string NodeRole = "node.";

    /// <summary>Checks the section and what it needs of the others.</summary>
    /// <param name="options">The section.</param>
    /// <param name="engine">The engine's config.</param>
    /// <param name="folder">The config's folder, from which relative paths start.</param>
    /// <param name="errors">Takes every mistake.</param>
    public static void Check(ClusterOptions options, EngineOptions engine, string folder, ConfigErrors errors)
    {
        CheckEngine(engine, errors);
        CheckAddresses(options, errors);
        CheckPeers(options, errors);
        CheckRoles(options, errors);
        if (options.Tls is { } tls) TlsFiles.Of(tls, folder, errors)?.Check(tls, errors);
        if (options.FailureDetector is { Pause: { } pause } detector && pause < detector.Heartbeat)
            errors.Add(detector.Node, "pause", "it is shorter than the time between two heartbeats: every node would be taken for dead",
                "Raise it above failure_detector.heartbeat");
    }

    private static void CheckEngine(EngineOptions engine, ConfigErrors errors)
    {
        if (!engine.Requests.Enabled)
            errors.Add(engine.Requests.Node, "enabled", "a cluster answers requests, and they are off",
                "Set requests.enabled to true, or take the section 'cluster' out");
        if (engine.Runtime.WrongPartition != WrongPartitionFate.Refuse)
            errors.Add(engine.Runtime.Node, "wrong_partition", "a cluster finds a customer's node by the partition that the id hashes to; "
                + "with records elsewhere a customer would have several profiles, and requests would see one of them",
                "Set runtime.wrong_partition to refuse");
    }

    private static void CheckAddresses(ClusterOptions options, ConfigErrors errors)
    {
        if (options.Address is { } address && !HostPort.IsHost(address))
            errors.Add(options.Node, "address", $"'{Printable.Text(address)}' is no address that other nodes can connect to",
                "Write a name or an IPv4 address, or leave it out for the host's name");
        if (options.BindAddress is { } bind && !IPAddress.TryParse(bind, out _))
            errors.Add(options.Node, "bind_address", $"'{Printable.Text(bind)}' is no address to listen on",
                "Write an IP address, 0.0.0.0 for all");
    }

    private static void CheckPeers(ClusterOptions options, ConfigErrors errors)
    {
        if (options.Discovery is { } discovery)
        {
            if (options.Seeds.Count > 0)
                errors.Add(options.Node, "discovery", "seeds are given as well", "Keep one of the two");
            if (discovery.Method == DiscoveryMethod.Dns && !HostPort.IsHost(discovery.Name ?? ""))
                errors.Add(discovery.Node, "name", $"'{Printable.Text(Spelling.Short(discovery.Name ?? ""))}' is no name in DNS",
                    "Write the name that has the address of each node");
            if (discovery.Method == DiscoveryMethod.Kubernetes && string.IsNullOrWhiteSpace(discovery.Selector))
                errors.Add(discovery.Node, "selector", "it is empty: every pod would count as a node",
                    "Write a label, as app=streamengine");
        }
        else if (options.Seeds.Count == 0)
            errors.Add(options.Node, "seeds", "there is nothing by which nodes could find each other",
                "List seeds as [host:port, ...], the same on every node, or set discovery; a single node lists itself");
        CheckList(options.Seeds, options.Node["seeds"] ?? options.Node, errors);
    }

    private static void CheckList(IReadOnlyList<string> texts, ConfigNode node, ConfigErrors errors)
    {
        var seen = new List<HostPort>();
        for (var i = 0; i < texts.Count; i++)
        {
            var at = (node.Items is { } items && i < items.Count ? items[i] : node).At;
            if (HostPort.Read(texts[i]) is not { } address)
                errors.Add(at, $"'{Printable.Text(Spelling.Short(texts[i]))}' is no address of a node",
                    "Write host:port, with a name or an IPv4 address that other nodes can connect to");
            else if (seen.Any(s => s.Is(address))) errors.Add(at, $"{address} is listed twice", "Take one out");
            else seen.Add(address);
        }
    }

    private static void CheckRoles(ClusterOptions options, ConfigErrors errors)
    {
        var node = options.Node["roles"] ?? options.Node;
        for (var i = 0; i < options.Roles.Count; i++)
        {
            var role = options.Roles[i];
            var at = (node.Items is { } items && i < items.Count ? items[i] : node).At;
            if (role.Length == 0 || !role.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
                errors.Add(at, $"'{Printable.Text(Spelling.Short(role))}' is no role", "Write letters, digits, '.', '-' and '_'");
            else if (role.StartsWith(NodeRole, StringComparison.Ordinal))
                errors.Add(at, $"'{role}' begins as the role that names a node",
                    "Take it out: the node's name (kafka.node_name, else the host's) makes it");
        }
    }
}
