using Akka.Actor;
using Akka.Cluster;
using StreamEngine.Runtime;
using AkkaCluster = Akka.Cluster.Cluster;

namespace StreamEngine.Cluster.Membership;

/// <summary>
/// Joins what discovery finds. A node asks those found at once, and forms a cluster where none of them answers, once enough were found for
/// a while: the one with the lowest address first, the next ones in their turn. It goes on looking, so that clusters that came to be side
/// by side hear of each other.
/// </summary>
internal sealed class PeerJoin(AkkaCluster cluster, DiscoveryOptions options, ClusterSettings settings, Roster roster,
    Func<Address, string, int, Address> known, Outage outage)
{
    private const int LooksWhileUp = 6;

    /// <summary>Looks until the system ends or the node leaves.</summary>
    /// <param name="larger">A cluster that is there; null where none is known.</param>
    /// <param name="stop">Set when the node leaves.</param>
    public async Task RunAsync(Address? larger, CancellationToken stop)
    {
        List<Address> before = [];
        var (stableSince, asked) = (settings.Time.GetTimestamp(), "");
        while (!stop.IsCancellationRequested && !cluster.IsTerminated)
        {
            var isUp = cluster.SelfMember.Status == MemberStatus.Up;
            if (await FindAsync().ConfigureAwait(false) is { } found)
            {
                if (larger is not null && !found.Contains(larger)) found.Add(larger);
                if (!found.SequenceEqual(before)) (before, stableSince) = (found, settings.Time.GetTimestamp());
                roster.Known = [.. found];
                var seeds = Seeds(found, settings.Time.GetElapsedTime(stableSince));
                var text = string.Join(' ', seeds);
                if (!isUp && seeds.Count > 0 && text != asked) cluster.JoinSeedNodes(seeds);
                asked = text;
            }
            var pause = isUp ? settings.LookEvery * LooksWhileUp : settings.LookEvery / 5;
            await Task.WhenAny(cluster.System.WhenTerminated, Task.Delay(pause, settings.Time, stop)).ConfigureAwait(false);
        }
    }

    /// <summary>Whom to ask: itself first where it is this node's turn to form a cluster, else only the others.</summary>
    private List<Address> Seeds(List<Address> found, TimeSpan stable)
    {
        var self = cluster.SelfAddress;
        var others = found.Where(a => a != self).ToList();
        var turn = options.StableAfter + settings.Options.FormAfter * 2 * found.IndexOf(self);
        return found.Contains(self) && found.Count >= options.Required && stable >= turn ? [self, .. others] : others;
    }

    private async Task<List<Address>?> FindAsync()
    {
        try
        {
            var hosts = settings.Lookup is { } lookup ? await lookup().ConfigureAwait(false)
                : await PeerLookup.FindAsync(options, settings.Kubernetes, settings.Time).ConfigureAwait(false);
            return [.. hosts.Select(h => known(cluster.SelfAddress, h, settings.Options.Port)).Distinct()
                .Order(Member.AddressOrdering)];
        }
        catch (Exception e) when (!cluster.IsTerminated)
        {
            if (cluster.SelfMember.Status != MemberStatus.Up)
                outage.Away($"{options} can't be found: {e.GetBaseException().Message}", ClusterNode.Waits);
            return null;
        }
        catch (Exception)
        {
            return null; // the system ended meanwhile
        }
    }
}
