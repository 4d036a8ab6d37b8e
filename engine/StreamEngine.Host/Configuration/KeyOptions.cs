using StreamEngine.Configuration;

namespace StreamEngine.Host.Configuration;

/// <summary>What a key may do.</summary>
internal enum Scope
{
    /// <summary>Write events.</summary>
    Collect,

    /// <summary>Ask for decisions.</summary>
    Decide,

    /// <summary>Read profiles, switches, the cluster and the metrics.</summary>
    Read,

    /// <summary>Everything, also letting the process leave its group.</summary>
    Admin,
}

/// <summary>A key that callers of the HTTP endpoints present. The config holds its hash alone.</summary>
internal sealed record KeyOptions : ILocated
{
    /// <summary>What the key is called, in metrics and in the collector's sources.</summary>
    public string Name { get; init; } = "";

    [Doc("The SHA-256 of the key as 64 hex digits. `streamengine keys new` makes a key and prints this line; the key itself is kept "
        + "nowhere.")]
    public string Sha256 { get; init; } = "";

    [Doc("What the key may do: collect (write events), decide (ask for decisions), read (profiles, switches, cluster, metrics), admin "
        + "(everything).")]
    public IReadOnlyList<Scope> Scopes { get; init; } = [];

    [Doc("Requests a second that the key may make; a further one is answered with 429 and Retry-After. 0 sets no limit.")]
    [Bounds(0, 1_000_000)]
    public int Rate { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
