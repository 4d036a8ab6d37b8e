using System.Globalization;
using Akka.Actor;
using Akka.Cluster;
using Akka.Remote;
using StreamEngine.Runtime;
using AkkaCluster = Akka.Cluster.Cluster;

namespace StreamEngine.Cluster.Membership;

/// <summary>
/// Follows the cluster from the inside, one per actor system. It tells who comes and goes, answers other nodes that ask for this one's
/// shards, and unites clusters that came to be side by side: a node that no longer sees a seed, or a former member, sends it the size and
/// the lowest address of its own cluster. The smaller one gives up; its nodes join anew. Messages are texts, which every version reads.
/// </summary>
internal sealed class MembershipActor : ReceiveActor, IWithTimers
{
    /// <summary>Its name below <c>/user</c>, the same on every node.</summary>
    public const string Name = "membership";

    /// <summary>Asks for the shards of a node.</summary>
    public const string AskShards = "shards?";

    private const string Island = "island", Look = "look";

    /// <summary>How often a node that was taken out, and may live behind a fault of the network, is looked for.</summary>
    private const int MostLooks = 720;

    /// <summary>What Akka.Remote says of a node that this one has shut out, and which lives: by no other sign is it told from one that is
    /// away.</summary>
    private const string ShutOut = "UID that has been quarantined";

    private readonly AkkaCluster _cluster = AkkaCluster.Get(Context.System);
    private readonly ClusterSettings _settings;
    private readonly Roster _roster;
    private readonly Dictionary<Address, int> _former = [];
    private readonly Action<string, Address> _rejoin;

    /// <summary>Follows the cluster.</summary>
    /// <param name="settings">The node's.</param>
    /// <param name="roster">Knows which nodes belong here, and remembers since when members are seen.</param>
    /// <param name="rejoin">Gives up this node's place and joins anew, for this reason, where this address is.</param>
    public MembershipActor(ClusterSettings settings, Roster roster, Action<string, Address> rejoin)
    {
        (_settings, _roster, _rejoin) = (settings, roster, rejoin);
        Receive<ClusterEvent.IMemberEvent>(OnMember);
        Receive<ClusterEvent.UnreachableMember>(e => Tell(true, $"node {Of(e.Member)} is not heard"));
        Receive<ClusterEvent.ReachableMember>(e => Tell(false, $"node {Of(e.Member)} is heard again"));
        Receive<ThisActorSystemQuarantinedEvent>(e => _rejoin($"node {Text(e.RemoteAddress)} took this one for dead", e.RemoteAddress));
        Receive<AssociationErrorEvent>(OnNoAssociation);
        Receive<string>(OnText);
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    private IEnumerable<Address> Members => _cluster.State.Members.Select(m => m.Address);

    private bool IsUp => _cluster.SelfMember.Status == MemberStatus.Up;

    /// <inheritdoc/>
    protected override void PreStart()
    {
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent),
            typeof(ClusterEvent.UnreachableMember), typeof(ClusterEvent.ReachableMember));
        Context.System.EventStream.Subscribe(Self, typeof(ThisActorSystemQuarantinedEvent));
        Context.System.EventStream.Subscribe(Self, typeof(AssociationErrorEvent));
        Timers.StartPeriodicTimer(Look, Look, _settings.LookEvery);
    }

    /// <inheritdoc/>
    protected override void PostStop() => _cluster.Unsubscribe(Self);

    private void OnMember(ClusterEvent.IMemberEvent e)
    {
        var address = e.Member.Address;
        switch (e)
        {
            case ClusterEvent.MemberRemoved removed:
                _roster.Remove(address);
                if (removed.PreviousStatus == MemberStatus.Down) _former[address] = 0;
                Tell(false, $"node {Of(e.Member)} is gone ({Count()})");
                break;
            case ClusterEvent.MemberDowned:
                Tell(true, $"node {Of(e.Member)} is taken out");
                break;
            case ClusterEvent.MemberUp:
                _roster.Add(address);
                _former.Remove(address);
                Tell(false, $"node {Of(e.Member)} is up ({Count()})");
                break;
            default:
                _roster.Add(address);
                break;
        }
    }

    private void OnText(string text)
    {
        if (text == Look) LookAround();
        else if (text == AskShards) Sender.Tell(ShardTexts.Write(_settings.Shards()));
        else if (text.StartsWith(Island, StringComparison.Ordinal)) OnIsland(text);
    }

    private void LookAround()
    {
        if (!IsUp) return;
        foreach (var address in _roster.Known.Union(_former.Keys).Except(Members)) Peer(address).Tell(Mine(), Self);
        foreach (var (address, looks) in _former.ToList())
            if (looks < MostLooks) _former[address]++;
            else _former.Remove(address);
    }

    /// <summary>
    /// Another cluster was heard of, from one of its nodes or passed on by one of ours. The larger one stays, of equal ones that with the
    /// lowest address; both sides judge alike.
    /// </summary>
    private void OnIsland(string text)
    {
        var words = text.Split('|');
        if (!IsUp || words.Length != 3 || !int.TryParse(words[1], CultureInfo.InvariantCulture, out var count)
            || !Address.TryParse(words[2], out Address lowest) || Members.Contains(lowest)) return;
        var mine = (_cluster.State.Members.Count, Lowest: Members.Min(Member.AddressOrdering)!);
        var theirs = count > mine.Count || (count == mine.Count && Member.AddressOrdering.Compare(lowest, mine.Lowest) < 0);
        if (!theirs)
        {
            if (!Members.Contains(Sender.Path.Address)) Sender.Tell(Mine(), Self);
            return;
        }
        foreach (var member in Members)
            if (member != _cluster.SelfAddress && Members.Contains(Sender.Path.Address) is false) Peer(member).Tell(text, Self);
        _rejoin($"another cluster is at {Text(lowest)}: nodes there {count}, here {mine.Count}", lowest);
    }

    /// <summary>
    /// A node that was shut out lives. Where it has shut this one out as well, as after a split that both sides outlived, they can't talk:
    /// the side with the higher addresses gives up.
    /// </summary>
    private void OnNoAssociation(AssociationErrorEvent e)
    {
        var shutOut = false;
        for (var cause = e.Cause; cause is not null; cause = cause.InnerException)
            shutOut |= cause.Message.Contains(ShutOut, StringComparison.Ordinal);
        if (!shutOut || !IsUp || Members.Contains(e.RemoteAddress)
            || Member.AddressOrdering.Compare(e.RemoteAddress, Members.Min(Member.AddressOrdering)) > 0) return;
        _rejoin($"node {Text(e.RemoteAddress)}, which was not heard for a while, is in another cluster", e.RemoteAddress);
    }

    private string Mine() => string.Create(CultureInfo.InvariantCulture,
        $"{Island}|{_cluster.State.Members.Count}|{Members.Min(Member.AddressOrdering)}");

    private static ActorSelection Peer(Address address) => Context.ActorSelection($"{address}/user/{Name}");

    private string Count() => _roster.Count is var n && n == 1 ? "1 member" : $"{n} members";

    private void Tell(bool warning, string what) => _settings.Report(new WorkerEvent(warning, $"cluster: {what}"));

    private static string Of(Member member) => $"{NodeName(member)} at {Text(member.Address)}";

    /// <summary>The node's name, which one of its roles is.</summary>
    public static string NodeName(Member member) => member.Roles
        .FirstOrDefault(r => r.StartsWith(ClusterCheck.NodeRole, StringComparison.Ordinal))?[ClusterCheck.NodeRole.Length..] ?? "";

    /// <summary>An address as configs have it.</summary>
    public static string Text(Address address) => string.Create(CultureInfo.InvariantCulture, $"{address.Host}:{address.Port}");
}
