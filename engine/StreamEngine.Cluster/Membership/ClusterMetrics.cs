using System.Diagnostics.Metrics;
using StreamEngine.Telemetry;

namespace StreamEngine.Cluster.Membership;

/// <summary>The instruments of a node's membership; asked of the cluster when somebody collects.</summary>
internal sealed class ClusterMetrics : IDisposable
{
    private static readonly string[] Statuses = ["joining", "weakly_up", "up", "leaving", "exiting", "down"];
    private static readonly string[] Reasons = ["downed", "reunited", "ended"];

    private readonly Meter _meter = EngineMeter.Create();
    private readonly long[] _rejoins = new long[Reasons.Length];

    /// <summary>Registers the instruments.</summary>
    /// <param name="view">The cluster as it is now.</param>
    public ClusterMetrics(Func<ClusterView> view)
    {
        _meter.CreateObservableCounter("streamengine.cluster.rejoins", () => Reasons.Select(r => new Measurement<long>(Rejoins(r),
            new KeyValuePair<string, object?>("reason", r))), "{rejoin}", "Times that this node's place in the cluster was given up and "
            + "taken anew, by reason: downed (the others took it out), reunited (it left a smaller cluster for another, or one that took "
            + "it for dead), ended (its actor system ended).");
        _meter.CreateObservableGauge("streamengine.cluster.up", () => view().IsUp ? 1 : 0, "{node}",
            "1 while this node is in the cluster.");
        _meter.CreateObservableGauge("streamengine.cluster.leader", () => view() is { Leader: { } leader } v && leader == v.Address ? 1 : 0,
            "{node}", "1 while this node is the cluster's leader, which lets nodes in and out.");
        _meter.CreateObservableGauge("streamengine.cluster.unreachable", () => view().Unreachable.Count(), "{node}",
            "Members that are not heard.");
        _meter.CreateObservableGauge("streamengine.cluster.members", () => Members(view()), "{node}", "Members by status and role; one "
            + "with several roles counts in each, one with none under an empty role.");
    }

    /// <summary>The node's place was given up.</summary>
    public void Rejoined(string reason) => Interlocked.Increment(ref _rejoins[Array.IndexOf(Reasons, reason)]);

    /// <summary>How often, for this reason.</summary>
    public long Rejoins(string reason) => Interlocked.Read(ref _rejoins[Array.IndexOf(Reasons, reason)]);

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    /// <summary>Whether the instrument is one of these.</summary>
    internal bool Owns(Instrument instrument) => instrument.Meter == _meter;

    private static IEnumerable<Measurement<int>> Members(ClusterView view)
    {
        var roles = view.Members.SelectMany(m => m.Roles).Distinct().Order(StringComparer.Ordinal).Prepend("").ToList();
        foreach (var role in roles)
            foreach (var status in Statuses)
                yield return new Measurement<int>(view.Members.Count(m => m.Status == status
                    && (role.Length == 0 ? m.Roles.Count == 0 : m.Roles.Contains(role))), new("status", status), new("role", role));
    }
}
