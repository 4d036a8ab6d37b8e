using Akka.Actor;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Cluster.Routing;

/// <summary>
/// Watches customers on any node. What is watched is kept here, beyond an ActorSystem's life; the <see cref="WatchDesk"/> of the system
/// that there is holds one watch per customer, at the customer's actor, for all watchers of this process.
/// </summary>
public sealed class ClusterFeed : ICustomerFeed
{
    private readonly Lock _changing = new();
    private readonly Dictionary<string, Watched> _watched = [];
    private IActorRef? _desk;

    internal ClusterFeed()
    {
    }

    /// <inheritdoc/>
    public IDisposable Watch(string customer, Action<CustomerUpdate> told)
    {
        var key = RequestLimits.Normal(customer);
        var watch = new OneWatch(this, key, told);
        if (!RequestLimits.IsId(key)) return watch;
        lock (_changing)
        {
            if (_watched.TryGetValue(key, out var watched))
            {
                watched.Watches.Add(watch);
                if (watched.Known.All is { } all)
                {
                    // Under the lock, so that no newer update comes before it.
                    watch.WasTold = true;
                    told(all);
                }
            }
            else
            {
                _watched[key] = new Watched { Watches = { watch } };
                _desk?.Tell(new WatchDesk.Look(key), ActorRefs.NoSender);
            }
        }
        return watch;
    }

    /// <summary>All customers that somebody watches.</summary>
    internal IReadOnlyList<string> Customers
    {
        get
        {
            lock (_changing) return [.. _watched.Keys];
        }
    }

    /// <summary>Whether somebody watches a customer.</summary>
    internal bool IsWatched(string customer)
    {
        lock (_changing) return _watched.ContainsKey(customer);
    }

    /// <summary>Tells an update to everybody who watches its customer. One that fails does not keep it from the others.</summary>
    internal void Tell(CustomerUpdate update, Action<Exception> failed)
    {
        List<(OneWatch Watch, CustomerUpdate Update)> told = [];
        lock (_changing)
        {
            if (!_watched.TryGetValue(update.Customer, out var watched)) return;
            watched.Known.Add(update);
            foreach (var watch in watched.Watches)
            {
                told.Add((watch, watch.WasTold ? update : watched.Known.Complete(update)));
                watch.WasTold = true;
            }
        }
        foreach (var (watch, what) in told)
        {
            try
            {
                watch.Told(what);
            }
#pragma warning disable CA1031 // Whatever it was, it is the watcher's own.
            catch (Exception e)
#pragma warning restore CA1031
            {
                failed(e);
            }
        }
    }

    internal void Attach(ActorSystem system, RoutingSystem routing)
    {
        var feed = this;
        lock (_changing)
            _desk = system.ActorOf(Props.Create(() => new WatchDesk(feed, routing.Node, routing.Asker)), WatchDesk.Name);
    }

    internal void Detach()
    {
        lock (_changing) _desk = null;
    }

    private void End(OneWatch watch)
    {
        lock (_changing)
        {
            if (!_watched.TryGetValue(watch.Customer, out var watched) || !watched.Watches.Remove(watch)) return;
            if (watched.Watches.Count > 0) return;
            _watched.Remove(watch.Customer);
            _desk?.Tell(new WatchDesk.Look(watch.Customer), ActorRefs.NoSender);
        }
    }

    private sealed class Watched
    {
        public List<OneWatch> Watches { get; init; } = [];

        public KnownFeatures Known { get; } = new();
    }

    private sealed class OneWatch(ClusterFeed feed, string customer, Action<CustomerUpdate> told) : IDisposable
    {
        public string Customer { get; } = customer;

        public Action<CustomerUpdate> Told { get; } = told;

        /// <summary>Whether it has had its first update, which holds all features.</summary>
        public bool WasTold { get; set; }

        public void Dispose() => feed.End(this);
    }
}
