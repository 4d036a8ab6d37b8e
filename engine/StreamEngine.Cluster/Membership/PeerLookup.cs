using System.Net;
using System.Net.Sockets;
using k8s;

namespace StreamEngine.Cluster.Membership;

/// <summary>Asks for the hosts of all nodes: the API of Kubernetes, or DNS.</summary>
internal static class PeerLookup
{
    private const string NamespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>The hosts that there are now, this one too.</summary>
    /// <param name="options">Whom to ask.</param>
    /// <param name="access">How Kubernetes' API is reached; as this pod's service account where absent.</param>
    /// <param name="time">Measures how long it may take.</param>
    /// <exception cref="Exception">Whoever is asked does not answer, or refuses.</exception>
    public static async Task<IReadOnlyList<string>> FindAsync(DiscoveryOptions options, Func<KubernetesClientConfiguration>? access,
        TimeProvider time)
    {
        if (options.Method == DiscoveryMethod.Dns)
            return [.. (await Dns.GetHostAddressesAsync(options.Name!, AddressFamily.InterNetwork).ConfigureAwait(false))
                .Select(a => a.ToString())];
        using var patience = new CancellationTokenSource(Patience, time);
        using var client = new Kubernetes((access ?? KubernetesClientConfiguration.InClusterConfig)());
        var name = options.Namespace
            ?? (await File.ReadAllTextAsync(NamespaceFile, patience.Token).ConfigureAwait(false)).Trim();
        var pods = await client.CoreV1.ListNamespacedPodAsync(name, labelSelector: options.Selector, cancellationToken: patience.Token)
            .ConfigureAwait(false);
        // A pod that is ending, or has ended, does not come back under its address.
        return [.. pods.Items.Where(p => p.Metadata.DeletionTimestamp is null && p.Status is { Phase: "Running", PodIP.Length: > 0 })
            .Select(p => p.Status.PodIP)];
    }
}
