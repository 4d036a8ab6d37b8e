using System.Collections.Concurrent;
using StreamEngine.Decisions;
using StreamEngine.Runtime.Requests;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Requests;

/// <summary>What watchers of single customers are told by a running engine on the embedded log.</summary>
public sealed class FeedTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);
    private readonly string _folder = Directory.CreateTempSubdirectory("feed-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_watcher_is_told_all_features_first_then_what_changed_and_every_decision()
    {
        using var shop = new RequestShop(_folder);
        using var told = new Told();
        using var watch = shop.Engine.Feed!.Watch("c1", told.Add);
        var first = told.Next();
        Assert.Equal(("c1", null), (first.Customer, first.Decision));
        Assert.Equal(Scenario.Compile(shop.Options, new LinearModels(1)).Features.Names, first.Features.Select(f => f.Key));

        shop.Send("c1", "cart_add", 30);
        var changed = told.Next();
        Assert.Null(changed.Decision);
        Assert.InRange(changed.Features.Count, 1, first.Features.Count - 1);
        Assert.All(changed.Features, f => Assert.NotEqual(first.Features.Single(b => b.Key == f.Key).Value, f.Value));

        shop.Send("c1", "page_view", placement: "home");
        var decided = told.Until(u => u.Decision is not null);
        var logged = Assert.Single(shop.Decisions());
        Assert.Equal((logged["decision_id"], DecisionOrigin.Event, "home"),
            (decided.Decision!.DecisionId, decided.Decision.Origin, decided.Decision.Placement));
        Assert.Equal((string)((Avro.Generic.GenericRecord)logged["chosen"]!)["offer"]!, Assert.Single(decided.Decision.Offers).Offer);
    }

    [Fact]
    public async Task A_decision_by_request_is_told_too_and_other_customers_are_not()
    {
        using var shop = new RequestShop(_folder);
        using Told told = new(), others = new();
        using var watch = shop.Engine.Feed!.Watch("c1", told.Add);
        using var other = shop.Engine.Feed.Watch("c2", others.Add);
        told.Next();
        others.Next();
        shop.Send("c1", "purchase", 80);
        await shop.ReadAsync("c1", p => p.NewestEvent is not null);
        var reply = await shop.DecideAsync("c1", "ask-1");
        Assert.Equal(reply.DecisionId, told.Until(u => u.Decision is not null).Decision!.DecisionId);
        Assert.Equal(0, others.Count);
        Assert.Equal(2, ((CustomerFeed)shop.Engine.Feed).Customers);
    }

    [Fact]
    public async Task Who_ended_the_watch_is_told_nothing_and_a_second_watcher_begins_with_all_features()
    {
        using var shop = new RequestShop(_folder);
        using Told first = new(), second = new();
        var watch = shop.Engine.Feed!.Watch("c1", first.Add);
        var all = first.Next().Features.Count;
        using (shop.Engine.Feed.Watch("c1", second.Add)) Assert.Equal(all, second.Next().Features.Count);
        watch.Dispose();
        watch.Dispose();
        first.Clear();
        shop.Send("c1", "purchase", 80);
        await shop.ReadAsync("c1", p => p.NewestEvent is not null);
        await shop.DecideAsync("c1", "ask-1");
        Assert.Equal((0, 0L), (first.Count + second.Count, ((CustomerFeed)shop.Engine.Feed).Customers));
    }

    [Fact]
    public void A_shard_that_comes_back_tells_everything_anew()
    {
        var directory = new ShardDirectory(1);
        var feed = new CustomerFeed(directory);
        feed.Watch("c1", _ => { });
        var watches = feed.Of(0);
        Assert.True(watches.HasNews);
        watches.Begin();
        Assert.True(watches.HasNews);
    }

    /// <summary>What one watcher was told, in order.</summary>
    private sealed class Told : IDisposable
    {
        private readonly BlockingCollection<CustomerUpdate> _updates = [];

        public int Count => _updates.Count;

        public void Add(CustomerUpdate update) => _updates.Add(update);

        public CustomerUpdate Next() => _updates.TryTake(out var update, Soon) ? update
            : throw new Xunit.Sdk.XunitException("nothing was told in time");

        public CustomerUpdate Until(Func<CustomerUpdate, bool> holds)
        {
            while (true)
                if (Next() is var update && holds(update))
                    return update;
        }

        public void Clear()
        {
            while (_updates.TryTake(out _)) { }
        }

        public void Dispose() => _updates.Dispose();
    }
}
