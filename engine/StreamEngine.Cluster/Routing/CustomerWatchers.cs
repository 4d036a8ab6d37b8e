using Akka.Actor;
using StreamEngine.Cluster.Routing.Protocol;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Cluster.Routing;

/// <summary>Who watches one customer: a single watch at the engine serves them all.</summary>
internal sealed class CustomerWatchers : IDisposable
{
    private readonly Dictionary<IActorRef, Watcher> _watchers = [];
    private readonly KnownFeatures _known = new();
    private readonly RoutingNode _node;
    private readonly IDisposable _watch;
    private readonly int _partition;
    private readonly IActorRef _actor;

    /// <param name="customer">The customer id.</param>
    /// <param name="partition">The customer's partition.</param>
    /// <param name="node">This node.</param>
    /// <param name="actor">The customer's actor: updates go through its mailbox, as the engine tells them on a thread of its own.</param>
    public CustomerWatchers(string customer, int partition, RoutingNode node, IActorRef actor)
    {
        (_node, _partition, _actor) = (node, partition, actor);
        _watch = node.Feed.Watch(customer, update => actor.Tell(new WatchTold(update)));
        node.Assignments.Tell(new Watching(partition, actor, true));
    }

    public bool IsEmpty => _watchers.Count == 0;

    public IEnumerable<IActorRef> All => _watchers.Keys;

    /// <summary>Adds a watcher; false where it is one already, which then begins with all features again.</summary>
    public bool Add(IActorRef watcher, long number)
    {
        var isNew = !_watchers.ContainsKey(watcher);
        _watchers[watcher] = new Watcher(number, WasTold: false);
        if (!isNew) return false;
        _node.Metrics.Watchers(1);
        return true;
    }

    /// <summary>Tells a watcher that was told nothing yet what is known already.</summary>
    public void Begin(IActorRef watcher)
    {
        if (_known.All is not { } all || _watchers[watcher].WasTold) return;
        watcher.Tell(new WatchTold(all));
        _watchers[watcher] = _watchers[watcher] with { WasTold = true };
    }

    /// <summary>Takes a watcher out; false where it is none, or one that has called again since.</summary>
    public bool Remove(IActorRef watcher, long number)
    {
        if (!_watchers.TryGetValue(watcher, out var known) || known.Number > number) return false;
        _watchers.Remove(watcher);
        _node.Metrics.Watchers(-1);
        return true;
    }

    /// <summary>Tells everybody; whoever is told for the first time gets all features, the others those that changed.</summary>
    public void Tell(CustomerUpdate update)
    {
        _known.Add(update);
        foreach (var (watcher, known) in _watchers)
        {
            watcher.Tell(new WatchTold(known.WasTold ? update : _known.Complete(update)));
            // To set the value of a key that is there is allowed while the dictionary is walked.
            if (!known.WasTold) _watchers[watcher] = known with { WasTold = true };
        }
    }

    public void Dispose()
    {
        _watch.Dispose();
        _node.Metrics.Watchers(-_watchers.Count);
        _watchers.Clear();
        _node.Assignments.Tell(new Watching(_partition, _actor, false));
    }

    private readonly record struct Watcher(long Number, bool WasTold);
}

/// <summary>A customer's actor begins, or ends, to have watchers: it wants to hear when the partition's shard goes.</summary>
internal sealed record Watching(int Partition, IActorRef Actor, bool Begins);

/// <summary>A watched customer's features as they were told last, for those who begin to watch later than others.</summary>
internal sealed class KnownFeatures
{
    private readonly OrderedDictionary<string, double> _features = [];
    private readonly OrderedDictionary<string, string> _texts = [];
    private CustomerUpdate? _newest;

    /// <summary>Takes what an update tells.</summary>
    public void Add(CustomerUpdate update)
    {
        _newest = update;
        foreach (var (name, value) in update.Features) _features[name] = value;
        foreach (var (name, text) in update.Texts) _texts[name] = text;
    }

    /// <summary>All that is known, without a decision, for who begins to watch now; null where nothing was told yet.</summary>
    public CustomerUpdate? All => _newest is null ? null : Complete(_newest with { Decision = null });

    /// <summary>The update with all features that are known.</summary>
    public CustomerUpdate Complete(CustomerUpdate update) =>
        update with { Features = [.. _features], Texts = [.. _texts], IsComplete = true };
}
