using Akka.Actor;
using StreamEngine.Cluster.Routing.Protocol;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Cluster.Routing;

/// <summary>
/// Holds this process's watches at the customers' actors: one per customer, begun again wherever the customer moves, whether the actor says
/// so or dies with its node.
/// </summary>
internal sealed class WatchDesk(ClusterFeed feed, RoutingNode node, IActorRef asker) : UntypedActor, IWithTimers
{
    /// <summary>The actor's name.</summary>
    public const string Name = "streamengine-watches";

    /// <summary>How long one call for a watch is tried; after that it is called for anew.</summary>
    private static readonly TimeSpan Try = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, Line> _lines = [];
    private readonly Dictionary<IActorRef, string> _customers = [];

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        foreach (var customer in feed.Customers) LookAt(customer);
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Look look: LookAt(look.Customer); break;
            case Watched watched: Begun(watched.Customer, Sender); break;
            case WatchTold told:
                // An actor that the watch has left, or that nobody watches any more, missed that.
                if (!_customers.ContainsKey(Sender) || !feed.Tell(told.Update)) Sender.Tell(new Unwatch(told.Update.Customer));
                break;
            case WatchMoved moved when _lines.GetValueOrDefault(moved.Customer)?.Actor?.Equals(Sender) == true: Lost(Sender); break;
            case Terminated ended: Lost(ended.ActorRef); break;
            case Ended ended: Asked(ended); break;
            default: Unhandled(message); break;
        }
    }

    /// <summary>Somebody began to watch, or nobody watches any more.</summary>
    private void LookAt(string customer)
    {
        if (feed.IsWatched(customer))
        {
            if (!_lines.ContainsKey(customer)) _lines[customer] = new Line();
            if (_lines[customer] is { Actor: null, IsAsked: false }) Call(customer);
        }
        else if (_lines.Remove(customer, out var line) && line.Actor is { } actor) Leave(customer, actor);
    }

    private void Call(string customer)
    {
        var line = _lines[customer];
        line.IsAsked = true;
        var request = new PendingRequest(new WatchAsk(customer, Self) { Deadline = node.Clock() + Try }, node.PartitionOf(customer));
        asker.Tell(request);
        request.Answered.PipeTo(Self, Self, reply => new Ended(customer, reply?.Status == RequestStatus.Done));
    }

    private void Begun(string customer, IActorRef actor)
    {
        if (!_lines.TryGetValue(customer, out var line) || !feed.IsWatched(customer))
        {
            actor.Tell(new Unwatch(customer));
            return;
        }
        if (line.Actor is { } other && !other.Equals(actor)) Leave(customer, other);
        line.Actor = actor;
        line.Pause = Patience.FirstPause;
        _customers[actor] = customer;
        Context.Watch(actor);
    }

    private void Asked(Ended ended)
    {
        if (!_lines.TryGetValue(ended.Customer, out var line)) return;
        line.IsAsked = false;
        if (line.Actor is not null) return;
        // It was answered and lost since, or not answered at all: called for again, ever more rarely.
        line.Pause = Patience.Next(line.Pause);
        Timers.StartSingleTimer(ended.Customer, new Look(ended.Customer), line.Pause);
    }

    /// <summary>The customer's actor does not tell any more: the watch begins again, where the customer is now.</summary>
    private void Lost(IActorRef actor)
    {
        if (!_customers.Remove(actor, out var customer)) return;
        Context.Unwatch(actor);
        if (!_lines.TryGetValue(customer, out var line) || line.Actor?.Equals(actor) != true) return;
        line.Actor = null;
        LookAt(customer);
    }

    private void Leave(string customer, IActorRef actor)
    {
        _customers.Remove(actor);
        Context.Unwatch(actor);
        actor.Tell(new Unwatch(customer));
    }

    /// <summary>Whether a customer is watched may have changed.</summary>
    internal sealed record Look(string Customer);

    private sealed record Ended(string Customer, bool IsDone);

    private sealed class Line
    {
        public IActorRef? Actor { get; set; }

        public bool IsAsked { get; set; }

        public TimeSpan Pause { get; set; } = Patience.FirstPause;
    }
}
