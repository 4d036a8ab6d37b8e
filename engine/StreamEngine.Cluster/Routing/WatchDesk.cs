using Akka.Actor;
using Akka.Event;
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
    private readonly ILoggingAdapter _log = Context.GetLogger();

    // Greater than that of the desk of an earlier life.
    private long _number = node.Clock().Ticks;

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
            case WatchTold told: Told(told.Update); break;
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
        else if (_lines.Remove(customer, out var line) && line.Actor is { } actor) Leave(customer, actor, line.Number);
    }

    private void Told(CustomerUpdate update)
    {
        if (!_lines.TryGetValue(update.Customer, out var line)) Sender.Tell(new Unwatch(update.Customer, _number));
        // That the watch has moved on did not get to the actor; where there is no other, that this one has it did not get here.
        else if (line.Actor is { } actor && !actor.Equals(Sender)) Sender.Tell(new Unwatch(update.Customer, line.Number - 1));
        else
        {
            if (line.Actor is null) Begun(update.Customer, Sender);
            feed.Tell(update, e => _log.Warning("A watcher of a customer failed: {0}", e.Message));
        }
    }

    private void Call(string customer)
    {
        var line = _lines[customer];
        line.IsAsked = true;
        line.Number = ++_number;
        var ask = new WatchAsk(customer, Self, line.Number) { Deadline = node.Clock() + Try };
        var request = new PendingRequest(ask, node.PartitionOf(customer));
        asker.Tell(request);
        request.Answered.PipeTo(Self, Self, reply => new Ended(customer, reply?.Status == RequestStatus.Done));
    }

    private void Begun(string customer, IActorRef actor)
    {
        if (!_lines.TryGetValue(customer, out var line) || !feed.IsWatched(customer))
        {
            actor.Tell(new Unwatch(customer, _number));
            return;
        }
        if (line.Actor is { } other && !other.Equals(actor)) Leave(customer, other, line.Number);
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

    private void Leave(string customer, IActorRef actor, long number)
    {
        _customers.Remove(actor);
        Context.Unwatch(actor);
        actor.Tell(new Unwatch(customer, number));
    }

    /// <summary>Whether a customer is watched may have changed.</summary>
    internal sealed record Look(string Customer);

    private sealed record Ended(string Customer, bool IsDone);

    private sealed class Line
    {
        public IActorRef? Actor { get; set; }

        public bool IsAsked { get; set; }

        /// <summary>The newest call's.</summary>
        public long Number { get; set; }

        public TimeSpan Pause { get; set; } = Patience.FirstPause;
    }
}
