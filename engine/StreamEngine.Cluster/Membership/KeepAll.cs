using Akka.Actor;
using Akka.Cluster;
using AkkaCluster = Akka.Cluster.Cluster;

namespace StreamEngine.Cluster.Membership;

/// <summary>
/// The downing strategy <c>keep_all</c>: each side takes the nodes out that it does not hear, and goes on. No side of a split owns anything
/// by its membership (Kafka's group owns, and fences), so none has to stop; and of two nodes whichever dies, the other one goes on, which
/// no majority of two can give. Sides that hear each other again are united by <see cref="MembershipActor"/>. Made by Akka, by its config.
/// </summary>
internal sealed class KeepAll(ActorSystem system, AkkaCluster cluster) : IDowningProvider
{
    /// <summary>Where the config has the time for which nodes must have been unheard.</summary>
    public const string StableAfter = "streamengine.cluster.stable-after";

    /// <inheritdoc/>
    public TimeSpan DownRemovalMargin => system.Settings.Config.GetTimeSpan("akka.cluster.down-removal-margin");

    /// <inheritdoc/>
    public Props DowningActorProps => Props.Create(() => new Decider(cluster, system.Settings.Config.GetTimeSpan(StableAfter, null, true)));

    /// <summary>Waits until the unheard nodes have been the same for a time.</summary>
    private sealed class Decider : ReceiveActor, IWithTimers
    {
        private const string Decide = "decide";
        private readonly AkkaCluster _cluster;
        private readonly TimeSpan _stableAfter;
        private readonly HashSet<UniqueAddress> _unheard = [];

        public Decider(AkkaCluster cluster, TimeSpan stableAfter)
        {
            (_cluster, _stableAfter) = (cluster, stableAfter);
            Receive<ClusterEvent.UnreachableMember>(e => Change(_unheard.Add(e.Member.UniqueAddress)));
            Receive<ClusterEvent.ReachableMember>(e => Change(_unheard.Remove(e.Member.UniqueAddress)));
            Receive<ClusterEvent.MemberRemoved>(e => Change(_unheard.Remove(e.Member.UniqueAddress)));
            Receive<ClusterEvent.IMemberEvent>(_ => { });
            Receive<string>(_ =>
            {
                foreach (var address in _unheard) _cluster.Down(address.Address);
            });
        }

        public ITimerScheduler Timers { get; set; } = null!;

        protected override void PreStart() => _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
            typeof(ClusterEvent.IReachabilityEvent), typeof(ClusterEvent.MemberRemoved));

        protected override void PostStop() => _cluster.Unsubscribe(Self);

        private void Change(bool changed)
        {
            if (!changed) return;
            if (_unheard.Count == 0) Timers.Cancel(Decide);
            else Timers.StartSingleTimer(Decide, Decide, _stableAfter);
        }
    }
}
