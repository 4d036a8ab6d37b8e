using Akka.Actor;
using Akka.Cluster.Sharding;
using StreamEngine.Cluster.Routing.Protocol;

namespace StreamEngine.Cluster.Routing;

/// <summary>
/// The way into a node past the region, at a fixed path: for requests whose owner is known from Kafka's group while Akka still believes in
/// another one. Behind it are customers' actors like the region's.
/// </summary>
internal sealed class Door(RoutingNode node) : UntypedActor
{
    /// <summary>The door's name, the same on every node.</summary>
    public const string Name = "streamengine-door";

    private readonly Dictionary<string, IActorRef> _actors = [];
    private readonly Dictionary<IActorRef, string> _customers = [];

    /// <summary>A node's door.</summary>
    public static ActorPath PathAt(Address node) => new RootActorPath(node) / "user" / Name;

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case IForCustomer to:
                Of(to.Customer).Forward(message);
                break;
            case Passivate passivate:
                // What comes from now on goes to a new actor; what the old one has in its mailbox is before the message that ends it.
                Forget(Sender);
                Sender.Tell(passivate.StopMessage);
                break;
            case Terminated ended:
                Forget(ended.ActorRef);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private IActorRef Of(string customer)
    {
        if (_actors.TryGetValue(customer, out var actor)) return actor;
        actor = Context.Watch(Context.ActorOf(CustomerActor.Props(customer, node)));
        _actors[customer] = actor;
        _customers[actor] = customer;
        return actor;
    }

    private void Forget(IActorRef actor)
    {
        if (!_customers.Remove(actor, out var customer)) return;
        _actors.Remove(customer);
        Context.Unwatch(actor);
    }
}
