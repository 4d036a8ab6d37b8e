using Akka.Actor;
using StreamEngine.Cluster.Routing.Protocol;

namespace StreamEngine.Cluster.Routing;

/// <summary>
/// What the region has been seen to do: on which node each partition's home is. Where the newest claim names a node that the region is not
/// known to reach, requests go to that node's door. The <see cref="Asker"/>'s thread only.
/// </summary>
internal sealed class Homes(int partitions)
{
    private static readonly TimeSpan FirstProbe = Patience.Silence;
    private static readonly TimeSpan LongestProbe = TimeSpan.FromSeconds(4);

    private readonly Home[] _homes = new Home[partitions];

    /// <summary>Whether the region leads to the owner: its answers came from there, or came after the claim changed.</summary>
    public bool IsProven(int partition, Claim owner) =>
        _homes[partition] is var home && (home.Node == owner.Node || home.ServedSince >= owner.Since);

    /// <summary>A node has answered by way of the region.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="node">The node.</param>
    /// <param name="servedSince">The newest claim when it was asked, where the node served it; 0 where it did not.</param>
    public void Seen(int partition, Address node, long servedSince) =>
        _homes[partition] = _homes[partition] with { Node = node, ServedSince = servedSince };

    /// <summary>Whether it is time to ask again where the home is. A new claim is asked for at once, then ever more rarely.</summary>
    public bool MayProbe(int partition, Claim owner, TimeSpan now)
    {
        var home = _homes[partition];
        if (home.ProbedFor == owner && now < home.NextProbe) return false;
        var pause = home.ProbedFor != owner ? FirstProbe : home.Pause < LongestProbe ? home.Pause * 2 : home.Pause;
        _homes[partition] = home with { ProbedFor = owner, NextProbe = now + pause, Pause = pause };
        return true;
    }

    private readonly record struct Home(Address? Node, long ServedSince, Claim? ProbedFor, TimeSpan NextProbe, TimeSpan Pause);
}
