using StreamEngine.Configuration;

namespace StreamEngine.Cluster;

/// <summary>Which side of the cluster goes on where nodes do not hear each other.</summary>
public enum DowningStrategy
{
    /// <summary>keep_all for two nodes, keep_majority for more, by the number of seeds (or of discovery.required).</summary>
    Auto,

    /// <summary>Each side goes on by itself; the sides unite once they hear each other again.</summary>
    KeepAll,

    /// <summary>The larger side; of equal ones, that with the lowest address.</summary>
    KeepMajority,

    /// <summary>The side of the oldest node, unless that one is alone.</summary>
    KeepOldest,
}

/// <summary>How nodes find each other without seeds.</summary>
public enum DiscoveryMethod
{
    /// <summary>The Kubernetes API lists the pods.</summary>
    Kubernetes,

    /// <summary>A name in DNS has the address of each node.</summary>
    Dns,
}

/// <summary>The config's section about the cluster.</summary>
[Doc("The cluster of this engine's processes: any node answers for any customer. Absent, there is none, and nothing of it is loaded.")]
public sealed record ClusterOptions : ILocated
{
    [Doc("Nodes that are asked first, as host:port, the same list in the same order on every node. The first one that starts forms the "
        + "cluster. Either these or discovery.")]
    public IReadOnlyList<string> Seeds { get; init; } = [];

    [Doc("How nodes find each other where seeds can't be listed.")]
    public DiscoveryOptions? Discovery { get; init; }

    [Doc("The name or IP address under which the other nodes reach this one, as seeds write it; the host's name where absent.")]
    public string? Address { get; init; }

    [Doc("The port under which the other nodes reach this one.")]
    [Bounds(1, 65_535)]
    public int Port { get; init; } = 4053;

    [Doc("The IP address that is listened on, where it is not that of address: 0.0.0.0 in a container.")]
    public string? BindAddress { get; init; }

    [Doc("The port that is listened on, where it is not port.")]
    [Bounds(1, 65_535)]
    public int? BindPort { get; init; }

    [Doc("Roles of this node, shown in metrics; node.NAME is added by itself.")]
    public IReadOnlyList<string> Roles { get; init; } = [];

    [Doc("TLS between the nodes.")]
    public ClusterTlsOptions? Tls { get; init; }

    [Doc("When a node that is not heard is taken out of the cluster, and which side goes on.")]
    public DowningOptions Downing { get; init; } = new();

    [Doc("When a node counts as not heard.")]
    public FailureDetectorOptions FailureDetector { get; init; } = new();

    [Doc("How often each node tells another one what it knows of the members.")]
    [Bounds(0.05, 60)]
    public TimeSpan GossipInterval { get; init; } = TimeSpan.FromSeconds(1);

    [Doc("After how long without an answer of any seed a seed forms a cluster by itself: the first of the list after this time, the second "
        + "after twice that, and so on. Clusters that came to be side by side unite by themselves.")]
    [Bounds(1, 600)]
    public TimeSpan FormAfter { get; init; } = TimeSpan.FromSeconds(5);

    [Doc("After how long a node that was taken out of the cluster joins anew; longer each time where it does not stay in, 30s at most.")]
    [Bounds(0.1, 30)]
    public TimeSpan RejoinAfter { get; init; } = TimeSpan.FromSeconds(1);

    [Doc("Whether /healthz and /healthz/ready answer 503 while this node is not in the cluster, so that a load balancer sends its requests "
        + "to one that is. Events go on either way.")]
    public bool RequiredForReady { get; init; } = true;

    [Doc("How requests find their customer.")]
    public Routing.RoutingOptions Routing { get; init; } = new();

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;

    /// <summary>How many nodes the config knows of at least.</summary>
    internal int KnownNodes => Discovery?.Required ?? Seeds.Count;

    /// <summary>The strategy, with <see cref="DowningStrategy.Auto"/> resolved.</summary>
    internal DowningStrategy Strategy => Downing.Strategy != DowningStrategy.Auto ? Downing.Strategy
        : KnownNodes >= 3 ? DowningStrategy.KeepMajority : DowningStrategy.KeepAll;
}

/// <summary>How nodes find each other without seeds. All of them are reached by the same port.</summary>
public sealed record DiscoveryOptions : ILocated
{
    [Doc("kubernetes (the API lists the pods) or dns (a name has the address of each node, as that of a headless service has).")]
    public DiscoveryMethod Method { get; init; } = DiscoveryMethod.Kubernetes;

    [Doc("With dns: the name.")]
    public string? Name { get; init; }

    [Doc("With kubernetes: the label selector of the pods.")]
    public string Selector { get; init; } = "app=streamengine";

    [Doc("With kubernetes: the pods' namespace; that of this pod where absent.")]
    public string? Namespace { get; init; }

    [Doc("How many nodes must be found before a new cluster is formed.")]
    [Bounds(1, 1_000)]
    public int Required { get; init; } = 2;

    [Doc("For how long what is found must stay the same before a new cluster is formed.")]
    [Bounds(0.1, 600)]
    public TimeSpan StableAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;

    /// <summary>What is asked, for messages.</summary>
    public override string ToString() => Method == DiscoveryMethod.Dns ? $"the nodes of {Name}" : $"the pods with {Selector}";
}

/// <summary>TLS between the nodes.</summary>
public sealed record ClusterTlsOptions : ILocated
{
    [Doc("This node's certificate: a PKCS#12 file that holds its key too, or a PEM file (with key). Read anew at each start of the cluster "
        + "in this process.")]
    public string Certificate { get; init; } = "";

    [Doc("The PEM file with the certificate's key, where certificate is PEM; absent, the key is in the same file.")]
    public string? Key { get; init; }

    [Doc("The password of the certificate's file or of its key; prefer the file or the environment variable.")]
    public string? Password { get; init; }

    [Doc("A file with the password, in the place of password.")]
    public string? PasswordFile { get; init; }

    [Doc("A PEM file with the certificates that the other nodes' certificates must come from, in the place of the system's.")]
    public string? Authority { get; init; }

    [Doc("Whether a node that connects must show a certificate too, and so prove that it belongs to the cluster.")]
    public bool Mutual { get; init; } = true;

    [Doc("Whether the certificate of a node that is connected to must be for its address.")]
    public bool CheckHost { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;

    /// <summary>Which files, and nothing of the secrets.</summary>
    public override string ToString() => $"TLS with {Certificate}";
}

/// <summary>When a node that is not heard is taken out of the cluster.</summary>
public sealed record DowningOptions : ILocated
{
    [Doc("Which side goes on where nodes do not hear each other: auto (keep_all for two nodes, keep_majority for more), keep_all, "
        + "keep_majority, keep_oldest. The same on every node.")]
    public DowningStrategy Strategy { get; init; } = DowningStrategy.Auto;

    [Doc("For how long nodes must have been unheard, with no other change, before they are taken out; a third of Kafka's session timeout "
        + "where absent.")]
    [Bounds(0.1, 600)]
    public TimeSpan? StableAfter { get; init; }

    [Doc("How long after that their shards' requests go to others.")]
    [Bounds(0, 600)]
    public TimeSpan Margin { get; init; } = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>When a node counts as not heard.</summary>
public sealed record FailureDetectorOptions : ILocated
{
    [Doc("How often nodes tell each other that they live.")]
    [Bounds(0.05, 60)]
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(1);

    [Doc("How long a node may be silent (a pause of the garbage collector, a lost packet) before that counts; a fifth of Kafka's session "
        + "timeout where absent.")]
    [Bounds(0.1, 600)]
    public TimeSpan? Pause { get; init; }

    [Doc("How unlikely a silence must be, as the phi accrual failure detector has it; lower is faster and more often wrong.")]
    [Bounds(1, 30)]
    public double Threshold { get; init; } = 8;

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
