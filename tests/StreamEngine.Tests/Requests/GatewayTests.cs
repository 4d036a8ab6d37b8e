using Avro.Generic;
using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;
using StreamEngine.Testing;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Requests;

/// <summary>Requests to a running engine on the embedded log: what is asked, what is logged, what is told.</summary>
public sealed class GatewayTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("requests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_decision_by_request_is_logged_like_any_other_and_names_its_request()
    {
        using var shop = new RequestShop(_folder);
        shop.Send("c1", "purchase", 80);
        await shop.ReadAsync("c1", p => p.NewestEvent is not null);
        var reply = await shop.DecideAsync("c1", "ask-1", offers: 3);

        Assert.Equal((RequestStatus.Done, "ask-1", Outcome.Served, false), (reply.Status, reply.RequestId, reply.Outcome, reply.Repeated));
        var logged = Assert.Single(shop.Decisions());
        var cause = (GenericRecord)logged["cause"]!;
        Assert.Equal((reply.DecisionId, "request", "ask-1", ""),
            (logged["decision_id"], logged.Text("origin"), cause["event_id"], logged["trigger"]));
        Assert.Equal("home", logged["placement"]);
        var ranked = ((object[])logged["candidates"]!).Cast<GenericRecord>().Where(c => Convert.ToInt32(c["rank"]) > 0)
            .OrderBy(c => Convert.ToInt32(c["rank"])).Select(c => (string)c["offer"]!);
        Assert.Equal(ranked, reply.Offers.Select(o => o.Offer));
        Assert.Equal(3, reply.Offers.Count);
        Assert.Equal([1.0, 80.0, 1.0, 0.0], ((object[])logged["features"]!).Cast<double>());
    }

    [Fact]
    public async Task A_repeated_request_gets_the_same_decision_also_after_a_restart()
    {
        DecideReply first;
        using (var shop = new RequestShop(_folder))
        {
            shop.Send("c1", "purchase", 80);
            await shop.ReadAsync("c1", p => p.NewestEvent is not null);
            first = await shop.DecideAsync("c1", "ask-1", offers: 2);
            var again = await shop.DecideAsync("c1", "ask-1", offers: 2);
            Assert.Equal(first with { Repeated = true, Offers = again.Offers }, again);
            Assert.Equal(first.Offers, again.Offers);
            Assert.NotEqual(first.DecisionId, (await shop.DecideAsync("c1", "ask-2")).DecisionId);
            Assert.Equal(2, shop.Decisions().Count);
        }
        using (var shop = new RequestShop(_folder))
        {
            var again = await shop.DecideAsync("c1", "ask-1", offers: 2);
            Assert.Equal((first.DecisionId, true), (again.DecisionId, again.Repeated));
            Assert.Equal(first.Offers, again.Offers);
            Assert.Equal(2, shop.Decisions().Count);
        }
    }

    [Fact]
    public async Task Ids_that_requests_push_out_are_counted_and_told_as_those_of_events()
    {
        static EngineOptions Few(EngineOptions o) => o with { Duplicates = new DuplicateOptions { MaxPerCustomer = 16 } };
        using (var shop = new RequestShop(_folder, Few))
        {
            for (var i = 0; i < 20; i++) Assert.Equal(RequestStatus.Done, (await shop.DecideAsync("c1", $"ask-{i}")).Status);
            Assert.Equal(4, shop.Engine.Metrics.Totals().DuplicatesEvicted);
            lock (shop.Said) Assert.Single(shop.Said, s => s.Contains("more than 16 event ids", StringComparison.Ordinal));
        }
        // What is forgotten while a shard is made again counts as with events.
        using (var shop = new RequestShop(_folder, Few))
        {
            await shop.ReadAsync("c1", _ => true);
            Assert.Equal(4, shop.Engine.Metrics.Totals().DuplicatesEvicted);
        }
    }

    [Fact]
    public void A_fallback_must_be_an_offer_that_may_be_shown_there()
    {
        var errors = new StreamEngine.Configuration.ConfigErrors();
        OfferOptions[] offers = [new OfferOptions { Name = "club", Placements = ["email"] }, new OfferOptions { Name = "news" }];
        FallbackGateway.Check(new RequestOptions
        {
            Fallbacks = new Dictionary<string, string>
            {
                ["home"] = "club",
                ["*"] = "club",
                ["top"] = "newz",
                ["email"] = "club",
                ["x"] = "news",
            },
        }, offers, errors);
        Assert.Equal(["offer 'club' is not for placement 'home'", "offer 'club' is for some placements only, and '*' stands for all",
            "there is no offer 'newz'"], errors.All.Select(e => e.Message));
        Assert.Contains("Did you mean 'news'?", errors.All[^1].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_count_against_the_caps_as_events_do()
    {
        using var shop = new RequestShop(_folder);
        shop.Send("c1", "search");
        await shop.ReadAsync("c1", p => p.NewestEvent is not null);
        var outcomes = new List<Outcome>();
        for (var i = 0; i < 8; i++) outcomes.Add((await shop.DecideAsync("c1", $"ask-{i}")).Outcome);
        // Two offers are possible at home, each twice.
        Assert.Equal(4, outcomes.Count(o => o == Outcome.Served));
        var profile = await shop.ReadAsync("c1", _ => true);
        Assert.Contains(new CapUse("daily", "", 4, 6), profile.Caps);
        Assert.Contains(new CapUse("same", "a", 2, 2), profile.Caps);
    }

    [Fact]
    public async Task Without_consent_nothing_is_decided_and_a_stranger_has_given_none()
    {
        using var shop = new RequestShop(_folder);
        Assert.Equal((RequestStatus.Done, Outcome.NoConsent), await Ask("stranger"));
        shop.Send("c1", "search", consent: "");
        await shop.ReadAsync("c1", p => p.NewestEvent is not null);
        Assert.Equal((RequestStatus.Done, Outcome.NoConsent), await Ask("c1"));

        async Task<(RequestStatus, Outcome)> Ask(string customer) =>
            await shop.DecideAsync(customer) is var reply ? (reply.Status, reply.Outcome) : default;
    }

    [Fact]
    public async Task A_profile_shows_features_consents_caps_timers_and_decisions()
    {
        using var shop = new RequestShop(_folder, Scenario.WithTexts);
        shop.Send("c1", "cart_add", 30);
        shop.Send("c1", "page_view", placement: "home");
        await shop.ReadAsync("c1", p => p.Decisions.Count == 1);
        var asked = await shop.DecideAsync("c1", "ask-1");
        var profile = await shop.ReadAsync("c1", _ => true);

        Assert.True(profile.Found);
        Assert.Equal(["personalization"], profile.Consents);
        Assert.Equal(["events_5m", "revenue", "session_events", "recency", "types_weight_1", "types_weight_2", "types_total",
            "drawn_weight_1", "drawn_total"], profile.Features.Select(f => f.Key));
        Assert.Equal([("types_1", "cart_add"), ("types_2", "page_view"), ("drawn_1", "home"), ("latest", "page_view")],
            profile.Texts.Select(t => (t.Key, t.Value)));
        Assert.Equal(2, profile.Features[0].Value);
        Assert.Equal(["abandoned_cart", "session_end"], profile.Timers.Select(t => t.Key));
        Assert.Equal([true, false], profile.Decisions.Select(d => d.ByRequest));
        Assert.Equal(asked.DecisionId, profile.Decisions[0].DecisionId);
        Assert.Equal(2, profile.Caps[0].Used);

        var stranger = await shop.ReadAsync("nobody", _ => true);
        Assert.False(stranger.Found);
        Assert.Equal([0, 0, 0, -1, 0, 0, 0, 0, 0], stranger.Features.Select(f => f.Value));
        Assert.All(stranger.Texts, t => Assert.Equal("", t.Value));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(0, false)]
    [InlineData(2, true)]
    [InlineData(2, false)]
    public async Task Of_decisions_that_events_cause_as_many_are_kept_as_the_config_says_live_and_restored(int recent, bool limits)
    {
        EngineOptions Change(EngineOptions options) => options with
        {
            Requests = options.Requests with { Recent = recent },
            Decisions = limits ? options.Decisions : options.Decisions with { Caps = [] },
        };
        DecideReply asked;
        IReadOnlyList<ProfileDecision> live;
        using (var shop = new RequestShop(_folder, Change))
        {
            for (var i = 0; i < 3; i++) shop.Send("c1", "page_view", placement: "home");
            await shop.ReadAsync("c1", p => p.Found && p.Features[0].Value == 3);
            asked = await shop.DecideAsync("c1", "ask-1");
            live = (await shop.ReadAsync("c1", _ => true)).Decisions;
            Assert.Equal(4, shop.Decisions().Count);
            Assert.Equal(limits || recent > 0, shop.Compiled.Policy.NeedsProfile(DecisionOrigin.Event));
        }
        Assert.Equal([true, .. Enumerable.Repeat(false, recent)], live.Select(d => d.ByRequest));
        Assert.Equal(asked.DecisionId, live[0].DecisionId);
        using (var shop = new RequestShop(_folder, Change))
        {
            Assert.Equal((asked.DecisionId, true), await shop.DecideAsync("c1", "ask-1") is var again ? (again.DecisionId, again.Repeated)
                : default);
            Assert.Equal(live, (await shop.ReadAsync("c1", _ => true)).Decisions);
        }
    }

    [Fact]
    public async Task The_newest_decision_is_the_one_made_last_whatever_its_time()
    {
        List<string> ids;
        using (var shop = new RequestShop(_folder))
        {
            shop.Send("c1", "page_view", placement: "home", time: Scenario.Start + 10_000);
            await shop.ReadAsync("c1", p => p.Found);
            await shop.DecideAsync("c1", "ask-1");
            shop.Send("c1", "page_view", placement: "home", time: Scenario.Start + 9_000); // earlier than the request's
            await shop.ReadAsync("c1", p => p.Found && p.Features[0].Value == 2);
            ids = [.. (await shop.ReadAsync("c1", _ => true)).Decisions.Select(d => d.DecisionId)];
            Assert.Equal(shop.Decisions().Select(d => (string)d["decision_id"]!).Reverse(), ids);
            Assert.Equal(3, ids.Count);
        }
        using (var shop = new RequestShop(_folder))
            Assert.Equal(ids, (await shop.ReadAsync("c1", p => p.Found)).Decisions.Select(d => d.DecisionId));
    }

    [Fact]
    public async Task Every_mistake_of_a_request_is_told_at_once()
    {
        using var shop = new RequestShop(_folder);
        var reply = await shop.Customers.DecideAsync(new DecideRequest
        {
            Customer = "",
            Offers = 9,
            Context = new Dictionary<string, object?> { ["plcement"] = "home", ["value"] = "dear" },
        });
        Assert.Equal(RequestStatus.Invalid, reply.Status);
        Assert.Equal("customer: it is empty; offers: 9 is not from 1 to 3 (requests.max_offers); context.plcement: no event field is "
            + "declared under that name "
            + "(Did you mean 'placement'?); context.value: 'dear' is no number that fits",
            reply.Message.Replace("Did you mean 'placement'? The fields are: value, placement", "Did you mean 'placement'?"));
        Assert.Empty(shop.Decisions());
    }

    [Fact]
    public async Task The_context_is_what_rules_read_as_the_event()
    {
        using var shop = new RequestShop(_folder, o => o with { Offers = [o.Offers[0] with { Eligible = "event.value > 10.0" }] });
        shop.Send("c1", "search");
        await shop.ReadAsync("c1", p => p.NewestEvent is not null);
        Assert.Equal(Outcome.NoOffer, (await With(9.99)).Outcome);
        Assert.Equal(Outcome.Served, (await With(10.01)).Outcome);

        ValueTask<DecideReply> With(double value) =>
            shop.Customers.DecideAsync(new DecideRequest
            {
                Customer = "c1",
                Context = new Dictionary<string, object?> { ["value"] = value }
            });
    }

    [Fact]
    public async Task A_shard_that_is_not_here_says_so_until_the_deadline()
    {
        using var shop = new RequestShop(_folder, start: false);
        var reply = await shop.Customers.DecideAsync(new DecideRequest { Customer = "c1", Timeout = TimeSpan.FromMilliseconds(50) });
        Assert.Equal(RequestStatus.Moved, reply.Status);
    }

    [Fact]
    public async Task Replies_as_decided_are_committed_too()
    {
        using var shop = new RequestShop(_folder, o => o with { Requests = o.Requests with { Reply = ReplyWhen.Decided } });
        shop.Send("c1", "search");
        await shop.ReadAsync("c1", p => p.NewestEvent is not null);
        var ids = new List<string>();
        for (var i = 0; i < 4; i++) ids.Add((await shop.DecideAsync("c1", $"ask-{i}")).DecisionId);
        shop.Engine.Stop();
        await shop.Engine.Completion;
        Assert.Equal(ids, shop.Decisions().Select(d => (string)d["decision_id"]!));
    }

    [Fact]
    public async Task Many_at_once_are_all_answered_or_told_that_too_many_wait()
    {
        using var shop = new RequestShop(_folder, o => o with { Requests = o.Requests with { Inbox = 16, MaxPerTurn = 8 } });
        await shop.ReadAsync("c1", _ => true);
        var replies = await Task.WhenAll(Enumerable.Range(0, 2_000).Select(i => shop.DecideAsync($"c{i % 50}", $"ask-{i}")));
        Assert.All(replies, r => Assert.True(r.Status is RequestStatus.Done or RequestStatus.Busy, r.Message));
        Assert.Contains(replies, r => r.Status == RequestStatus.Busy);
        Assert.Equal(replies.Count(r => r.Status == RequestStatus.Done), shop.Decisions().Count);
    }
}
