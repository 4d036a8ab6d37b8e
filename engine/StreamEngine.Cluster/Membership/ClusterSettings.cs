using Akka.Configuration;
using StreamEngine.Runtime;

namespace StreamEngine.Cluster.Membership;

/// <summary>What a node of the cluster is made of.</summary>
public sealed record ClusterSettings
{
    /// <summary>The config's section; checked.</summary>
    public required ClusterOptions Options { get; init; }

    /// <summary>The engine's name: only processes of one engine form a cluster.</summary>
    public required string Engine { get; init; }

    /// <summary>This node's name, unique in the cluster.</summary>
    public required string Node { get; init; }

    /// <summary>The config's folder, from which relative paths start.</summary>
    public required string Folder { get; init; }

    /// <summary>After what silence Kafka gives a node's partitions to others.</summary>
    public required TimeSpan SessionTimeout { get; init; }

    /// <summary>Takes the lines for the log; any thread may call it.</summary>
    public required Action<WorkerEvent> Report { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>What runs on the cluster's actor system, in the order of its start.</summary>
    public IReadOnlyList<IClusterPart> Parts { get; init; } = [];

    /// <summary>Further config of Akka that the parts need: serializers, sharding.</summary>
    public Config Config { get; init; } = Config.Empty;

    /// <summary>How the shards of this process are, for whoever asks from another node.</summary>
    public Func<IReadOnlyList<ShardState>> Shards { get; init; } = () => [];

    /// <summary>Finds the nodes' hosts; by the config's discovery where absent.</summary>
    internal Func<Task<IReadOnlyList<string>>>? Lookup { get; init; }

    /// <summary>How Kubernetes' API is reached; as this pod's service account where absent.</summary>
    internal Func<k8s.KubernetesClientConfiguration>? Kubernetes { get; init; }

    /// <summary>How often nodes that are not in the cluster are looked for.</summary>
    internal TimeSpan LookEvery { get; init; } = TimeSpan.FromSeconds(5);
}
