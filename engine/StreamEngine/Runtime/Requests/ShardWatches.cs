using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using StreamEngine.Decisions;
using StreamEngine.Features;
using StreamEngine.State;

namespace StreamEngine.Runtime.Requests;

/// <summary>
/// The customers of one shard that somebody watches. Any thread adds and ends watches; the loop notes what it does to a watched customer
/// and gathers it into updates at the end of the turn. While nobody watches a customer of the shard, an event costs one comparison.
/// </summary>
internal sealed class ShardWatches
{
    private readonly ConcurrentDictionary<byte[], WatchedCustomer> _customers = new(BytesComparer.Instance);
    private readonly ConcurrentDictionary<byte[], WatchedCustomer>.AlternateLookup<ReadOnlySpan<byte>> _bySpan;
    private readonly ConcurrentQueue<WatchedCustomer> _fresh = new();
    private readonly List<WatchedCustomer> _touched = [];   // in this turn; loop's thread only
    private readonly Lock _changing = new();
    private volatile int _count;
    private double[] _vector = [];
    private long _told;

    /// <param name="partition">The shard's partition.</param>
    public ShardWatches(int partition)
    {
        Partition = partition;
        _bySpan = _customers.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>The shard's partition.</summary>
    public int Partition { get; }

    /// <summary>How many of its customers are watched.</summary>
    public int Count => _count;

    /// <summary>How many updates were told.</summary>
    public long Told => Volatile.Read(ref _told);

    /// <summary>Whether the turn has something to tell.</summary>
    public bool HasNews => _touched.Count > 0 || !_fresh.IsEmpty;

    /// <summary>Watches a customer. Any thread.</summary>
    public IDisposable Add(string name, byte[] key, Action<CustomerUpdate> told)
    {
        lock (_changing)
        {
            var customer = _customers.GetOrAdd(key, static (bytes, id) => new WatchedCustomer(id, bytes), name);
            customer.Watchers = customer.Watchers.Add(told);
            customer.IsFresh = true;
            _count = _customers.Count;
            _fresh.Enqueue(customer);
            return new Watching(this, customer, told);
        }
    }

    /// <summary>The shard is opened here: whoever watches is told everything anew.</summary>
    public void Begin()
    {
        _touched.Clear();
        foreach (var customer in _customers.Values)
        {
            (customer.IsFresh, customer.IsTouched) = (true, false);
            customer.Decisions.Clear();
            _fresh.Enqueue(customer);
        }
    }

    /// <summary>(5) An event was applied to a customer's profile.</summary>
    public void Applied(ReadOnlySpan<byte> customer)
    {
        if (_count > 0 && _bySpan.TryGetValue(customer, out var watched)) Touch(watched);
    }

    /// <summary>(8) A decision was made.</summary>
    public void Decided(CompiledEngine engine, in DecisionRequest request, Decision decision, Func<int, long, int, string> id)
    {
        if (_count == 0 || !_bySpan.TryGetValue(request.CustomerId, out var watched)) return;
        OfferedOffer[] offers = decision.Chosen < 0 ? []
            : [DecideCall.Offer(engine.Policy, decision.Chosen, decision.Treatments[decision.Chosen], decision.IsDefault)];
        watched.Decisions.Add((DateTimeOffset.FromUnixTimeMilliseconds(request.DecidedAt), new CustomerDecision(
            id(request.Topic, request.Offset, request.Ordinal), request.Origin, Encoding.UTF8.GetString(decision.Placement),
            decision.Outcome, offers)));
        Touch(watched);
    }

    /// <summary>Makes the turn's updates; they are told once their commit is confirmed.</summary>
    /// <param name="shard">The shard, live.</param>
    /// <param name="news">Takes each.</param>
    public void Gather(Shard shard, Action<CustomerNews> news)
    {
        while (_fresh.TryDequeue(out var fresh)) Touch(fresh);
        var features = shard.State.Engine.Features;
        if (_vector.Length != features.Width) _vector = new double[features.Width];
        foreach (var customer in _touched)
        {
            customer.IsTouched = false;
            var watchers = Watchers(customer);
            var newest = shard.ReadNewest(customer.Key, _vector);
            var isComplete = customer.Features is null;
            var (changed, texts) = Changes(features, customer);
            var last = customer.Decisions.Count - 1;
            for (var i = 0; i <= last; i++)
                news(new CustomerNews(this, customer, watchers, new CustomerUpdate
                {
                    Customer = customer.Name,
                    At = customer.Decisions[i].At,
                    Decision = customer.Decisions[i].Decision,
                    Features = i == last ? changed : [],
                    Texts = i == last ? texts : [],
                    IsComplete = i == last && isComplete,
                }));
            if (last < 0 && (changed.Count > 0 || texts.Count > 0 || isComplete))
                news(new CustomerNews(this, customer, watchers, new CustomerUpdate
                {
                    Customer = customer.Name,
                    At = newest,
                    Features = changed,
                    Texts = texts,
                    IsComplete = isComplete,
                }));
            customer.Decisions.Clear();
        }
        _touched.Clear();
    }

    /// <summary>Tells an update whose commit is confirmed.</summary>
    public void Tell(in CustomerNews news)
    {
        Volatile.Write(ref _told, _told + 1);
        foreach (var watcher in news.Watchers)
            if (news.Customer.Watchers.Contains(watcher)) watcher(news.Update);
    }

    /// <summary>Who watches now; where somebody of them was told nothing yet, the update has all features.</summary>
    private ImmutableArray<Action<CustomerUpdate>> Watchers(WatchedCustomer customer)
    {
        lock (_changing)
        {
            if (customer.IsFresh) (customer.Features, customer.IsFresh) = (null, false);
            return customer.Watchers;
        }
    }

    private void Touch(WatchedCustomer customer)
    {
        if (customer.IsTouched) return;
        customer.IsTouched = true;
        _touched.Add(customer);
    }

    private (List<KeyValuePair<string, double>> Features, List<KeyValuePair<string, string>> Texts) Changes(FeatureSet features,
        WatchedCustomer customer)
    {
        var changed = new List<KeyValuePair<string, double>>();
        for (var i = 0; i < features.Count; i++)
            if (customer.Features is not { } before || !before[i].Equals(_vector[i])) changed.Add(new(features.Names[i], _vector[i]));
        var texts = features.Texts.Of(_vector);
        if (customer.Features is { } known)
        {
            var old = features.Texts.Of(known).ToHashSet();
            texts.RemoveAll(old.Contains);
        }
        if (changed.Count > 0 || texts.Count > 0 || customer.Features is null) customer.Features = [.. _vector];
        return (changed, texts);
    }

    private void End(WatchedCustomer customer, Action<CustomerUpdate> told)
    {
        lock (_changing)
        {
            customer.Watchers = customer.Watchers.Remove(told);
            if (customer.Watchers.IsEmpty) _customers.TryRemove(new(customer.Key, customer));
            _count = _customers.Count;
        }
    }

    private sealed class Watching(ShardWatches shard, WatchedCustomer customer, Action<CustomerUpdate> told) : IDisposable
    {
        private int _ended;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _ended, 1) == 0) shard.End(customer, told);
        }
    }
}
