using StreamEngine.Activation;
using StreamEngine.Cluster;
using StreamEngine.Configuration;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Configuration;

/// <summary>The whole config: the engine's, and the sections of what the host puts around it.</summary>
internal sealed record HostOptions : EngineOptions
{
    [Doc("Kafka.")]
    public KafkaOptions Kafka { get; init; } = new();

    [Doc("Health and metrics over HTTP.")]
    public HttpOptions Http { get; init; } = new();

    [Doc("The cluster of this engine's processes, in which any node answers for any customer; without it a process answers for its own "
        + "customers.")]
    public ClusterOptions? Cluster { get; init; }

    [Doc("Connectors that deliver actions and decisions to partners: run by `activate`, and by `run` where they say in_run.")]
    [Keyed]
    public IReadOnlyList<ActivationOptions> Activations { get; init; } = [];

    [Doc("The collector: takes events over HTTP and writes them to the sources' topics; not served where absent.")]
    public CollectorOptions? Collector { get; init; }

    [Doc("Live streams of single customers, for pages that show an offer the moment it is decided; not served where absent.")]
    public LiveOptions? Live { get; init; }

    [Doc("Placements and experiments as flags for OpenFeature's SDKs, by its remote evaluation protocol (OFREP); not served where absent.")]
    public OfrepOptions? Ofrep { get; init; }
}

/// <summary>Health and metrics over HTTP.</summary>
internal sealed record HttpOptions : ILocated
{
    [Doc("The address to listen on.")]
    public string Address { get; init; } = "127.0.0.1";

    [Doc("The port of /metrics and /healthz; 0 turns it off.")]
    [Bounds(0, 65_535)]
    public int Port { get; init; } = 9464;

    [Doc("The port of gRPC, at the same address; 0 turns it off. It is a port of its own, because without TLS one port has either HTTP/1.1 "
        + "or the HTTP/2 that gRPC needs.")]
    [Bounds(0, 65_535)]
    public int GrpcPort { get; init; }

    [Doc("Names under which it is called (a service's, a proxy's), beside IP addresses, localhost and this machine's own name; a request "
        + "under another name is refused, so that no web page can reach it.")]
    public IReadOnlyList<string> Hosts { get; init; } = [];

    [Doc("The origins of the web pages that may ask for decisions and for flags (POST /v1/decisions, OFREP), such as https://shop.example; "
        + "'*' for all. The collector and live streams have origins of their own.")]
    public IReadOnlyList<string> Origins { get; init; } = [];

    [Doc("The keys that callers present, by name. Without any, only this machine can call (address has to be a loopback address) and needs "
        + "none; with one, everything but /healthz needs a key.")]
    [Keyed]
    public IReadOnlyList<KeyOptions> Keys { get; init; } = [];

    [Doc("The signed tokens of an identity provider (JWT), which callers may present in place of a key. As with keys, everything but "
        + "/healthz needs one of the two then.")]
    public JwtOptions? Jwt { get; init; }

    [Doc("TLS; without it calls are in plain text, which is for this machine and for a proxy in front that has TLS.")]
    public TlsOptions? Tls { get; init; }

    [Doc("Whether /metrics is answered without a key where there are keys.")]
    public bool PublicMetrics { get; init; }

    [Doc("Whether the dashboard is served at /; with keys it asks for one with the scope read.")]
    public bool Dashboard { get; init; } = true;

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
