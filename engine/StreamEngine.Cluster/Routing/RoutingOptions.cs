using StreamEngine.Configuration;

namespace StreamEngine.Cluster.Routing;

/// <summary>How requests find their customer in the cluster, and how many of them may be under way.</summary>
public sealed record RoutingOptions : ILocated
{
    [Doc("How many requests of one customer wait while one of the same customer is served; a further one is answered with busy.")]
    [Bounds(0, 1_000)]
    public int Stash { get; init; } = 8;

    [Doc("After how long without a request a customer's actor goes; one that is watched stays.")]
    [Bounds(1, 3_600)]
    public TimeSpan Passivation { get; init; } = TimeSpan.FromSeconds(45);

    [Doc("How many requests of this process may be under way at once.")]
    [Bounds(1, 100_000)]
    public int Parallelism { get; init; } = 1_024;

    [Doc("How many further requests of this process wait until one under way is answered; the next is answered with busy.")]
    [Bounds(1, 1_000_000)]
    public int Queue { get; init; } = 1_024;

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
