using System.Text.Json.Nodes;
using Bunit;
using Bunit.TestDoubles;
using Microsoft.Extensions.DependencyInjection;
using StreamEngine.Connectors;
using StreamEngine.Dashboard;
using StreamEngine.Dashboard.Components.Pages;
using StreamEngine.Dashboard.Components.Parts;
using StreamEngine.Dashboard.Data;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Explanation;
using StreamEngine.Host.Http;
using StreamEngine.Host.Run;
using StreamEngine.Tests.Requests;
using Xunit;
using DecisionsView = StreamEngine.Dashboard.Components.Pages.Decisions;

namespace StreamEngine.Tests.Dashboard;

/// <summary>What the views show of a running engine.</summary>
public sealed class ViewTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("views-").FullName;
    private readonly BunitContext _pages = new();
    private readonly RequestShop _shop;
    private readonly History _history;
    private readonly BunitAuthorizationContext _viewer;
    private DashboardSettings _settings;

    public ViewTests()
    {
        BunitContext.DefaultWaitTimeout = Patience;
        _shop = new RequestShop(_folder, StreamEngine.Testing.Scenario.WithTexts);
        _history = new History(_shop.Engine, _shop.Compiled, TimeProvider.System);
        _settings = DashboardRun.Settings(_shop.Options, new HttpOptions(), _shop.Compiled, _shop.Engine, _shop.Log,
            () => new HealthReport(true, [], [], [new AwayHealth("log", 3, "no broker answers")]));
        _pages.ComponentFactories.AddStub<TimeChart>(); // a chart asks the browser for its size: BrowserTests sees it
        _viewer = _pages.AddAuthorization();
        _viewer.SetAuthorized("ann");
        _pages.Services.AddSingleton(_history);
        _pages.Services.AddSingleton(_ => _settings);
        _pages.Services.AddSingleton<NewestRecords>();
    }

    public void Dispose()
    {
        _pages.Dispose();
        _history.Dispose();
        _shop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Decisions_appear_as_they_are_committed_and_tell_why()
    {
        _shop.Send("c-7", "purchase", 80);
        await _shop.ReadAsync("c-7", p => p.NewestEvent is not null);
        using var lookups = new DecisionLookups(_shop.Log, _shop.Compiled);
        _settings = _settings with { Why = async (id, cancel) => DashboardRun.Show(await lookups.FindAsync(id, cancel)) };
        var view = _pages.Render<DecisionsView>();
        Assert.Contains("None yet.", view.Markup, StringComparison.Ordinal);
        var decided = await _shop.DecideAsync("c-7", "ask-1");
        view.WaitForAssertion(() => Assert.Equal("c-7", view.Find("td a").TextContent));
        Assert.Equal("dashboard/customers/c-7", view.Find("td a").GetAttribute("href"));
        view.Find("td button").Click();
        Assert.Equal(decided.DecisionId, view.WaitForElement(".funnel code").TextContent);
        var logged = Assert.Single(_shop.Decisions());
        var fates = view.FindAll(".funnel tbody tr")
            .Select(r => (r.QuerySelector("th")!.TextContent, r.QuerySelector(".tag")!.TextContent));
        Assert.Equal(((object[])logged["candidates"]!).Cast<Avro.Generic.GenericRecord>().Select(c => ((string)c["offer"]!,
            (string)c["drop"]! is { Length: > 0 } drop ? Show.Word(drop) : "chosen")), fates);
        Assert.Contains($"Request 'ask-1'", view.WaitForElement(".why li").TextContent, StringComparison.Ordinal);
        _history.Take();
        view.WaitForAssertion(() => Assert.Contains(view.FindAll(".shares tbody th"),
            h => h.TextContent.Contains(Show.Name(decided.Outcome), StringComparison.Ordinal)));
    }

    [Fact]
    public void Why_is_told_in_sentences_and_by_what_features_added()
    {
        var asked = new TaskCompletionSource<DecisionWhy>();
        _settings = _settings with { Why = (id, _) => id == "d-1" ? asked.Task : Task.FromResult(new DecisionWhy([], [], "no such one")) };
        var view = _pages.Render<Why>(p => p.Add(w => w.Id, "d-1"));
        Assert.Contains("Asking the log", view.Markup, StringComparison.Ordinal);
        var score = new ExplainedScore
        {
            Model = "clicks",
            Version = "3",
            Offers = ["gift", "poster"],
            Method = "linear",
            ComparedWith = "new_customer",
            Unit = "log_odds",
            Base = -1,
            Raw = 1,
            P = 0.731059,
            Reasons = [new("views_7d", 4, 3), new("carts <24h>", 1, -1.5)],
            OtherFeatures = 2,
            Others = 0.5,
        };
        asked.SetResult(new DecisionWhy(["Event 'o1' opened it."], [DashboardRun.Show(score)]));
        view.WaitForAssertion(() => Assert.Equal("Event 'o1' opened it.", view.Find("li").TextContent));
        Assert.Equal("clicks 3, for gift, poster", view.Find("h3").TextContent);
        Assert.StartsWith("P 0.731059 is log odds 1 = -1 of a customer of whom nothing is known", view.FindAll("p")[0].TextContent,
            StringComparison.Ordinal);
        Assert.Equal([("views_7d", "4", "+3.0000"), ("carts <24h>", "1", "-1.5000"), ("2 other features", "", "+0.5000")],
            view.FindAll("tbody tr").Select(r => (r.QuerySelector("th")!.TextContent.Trim(), r.QuerySelectorAll("td")[0].TextContent,
                r.QuerySelectorAll("td")[1].TextContent)));
        Assert.Equal("width: 50%", view.Find(".less").GetAttribute("style"));

        view.Render(p => p.Add(w => w.Id, "d-2"));
        view.WaitForAssertion(() => Assert.Equal("no such one", view.Find("[role=alert]").TextContent));
    }

    [Fact]
    public async Task A_customers_page_shows_the_profile_and_follows_it()
    {
        _shop.Send("c-1", "purchase", 80);
        await _shop.ReadAsync("c-1", p => p.NewestEvent is not null);
        var view = _pages.Render<Customers>(p => p.Add(c => c.Id, "c-1"));
        view.WaitForAssertion(() => Assert.Equal("80", Feature(view, "revenue")));
        Assert.Equal("purchase", Feature(view, "latest"));
        _shop.Send("c-1", "purchase", 20);
        var decided = await _shop.DecideAsync("c-1", "ask-1");
        view.WaitForAssertion(() =>
        {
            _history.Take();
            Assert.Equal("100", Feature(view, "revenue"));
            Assert.Contains(decided.Offers[0].Offer, view.Find(".timeline li").TextContent, StringComparison.Ordinal);
        });
        view.Find("input").Change("nobody / 1");
        await view.Find("form").SubmitAsync();
        Assert.EndsWith("/dashboard/customers/nobody%20%2F%201", _pages.Services
            .GetRequiredService<Microsoft.AspNetCore.Components.NavigationManager>().Uri, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_requests_a_customers_page_says_what_is_missing()
    {
        _settings = _settings with { Customers = null, Feed = null };
        Assert.Contains("requests: { enabled: true }", _pages.Render<Customers>().Find("code").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_overview_counts_what_the_engine_did_and_tells_what_does_not_answer()
    {
        await _shop.ReadAsync("c-1", _ => true);
        _shop.Send("c-1", "page_view", placement: "home");
        var view = _pages.Render<Overview>();
        Assert.Contains("no broker answers", view.Find("[role=alert]").TextContent, StringComparison.Ordinal);
        view.WaitForAssertion(() =>
        {
            _history.Take();
            Assert.Equal("1 in all", Tile(view, "Events"));
            Assert.Equal("1 in all", Tile(view, "Decisions"));
            Assert.StartsWith($"of {RequestShop.Partitions}", Tile(view, "Shards"), StringComparison.Ordinal);
        });
        view.FindAll(".choice button")[2].Click();
        Assert.Equal("true", view.FindAll(".choice button")[2].GetAttribute("aria-pressed"));
    }

    [Fact]
    public async Task A_models_calls_are_counted_and_timed()
    {
        var view = _pages.Render<Models>();
        Assert.EndsWith("0", Row(view, "rows"), StringComparison.Ordinal);
        Assert.Contains("took - in the median", Words(view.Find("section p").TextContent), StringComparison.Ordinal);
        await _shop.DecideAsync("c-1", "ask-1");
        view.WaitForAssertion(() =>
        {
            _history.Take();
            Assert.EndsWith("1", Row(view, "rows"), StringComparison.Ordinal);
            Assert.EndsWith("1", Row(view, "calls"), StringComparison.Ordinal);
            Assert.EndsWith("0", Row(view, "rows that failed"), StringComparison.Ordinal);
            Assert.Matches(@"took \d+\.\d+ ms in the median", Words(view.Find("section p").TextContent));
        });

        static string Words(string text) => System.Text.RegularExpressions.Regex.Replace(text, @"\s+", " ");
        static string Row(IRenderedComponent<Models> view, string name) => view.FindAll("tbody tr")
            .First(r => r.QuerySelector("th")!.TextContent == name).QuerySelectorAll("td")[1].TextContent;
    }

    [Fact]
    public void Records_that_cant_be_read_are_told_and_asked_for_again()
    {
        var (asked, closed) = (0, 0);
        _settings = _settings with
        {
            OpenNewest = _ => new NewestReader(_ => ++asked == 1 ? throw new LogException("the log is away")
                : [new JsonObject { ["reason"] = "bad_time", ["topic"] = "shop", ["partition"] = 1, ["offset"] = 12_345_678,
                    ["detail"] = "<b>the year 1</b>" }.ToJsonString()], () => Interlocked.Increment(ref closed)),
        };
        using (var records = new NewestRecords(_settings))
        {
            var told = new List<string?>();
            using var both = new ManualResetEventSlim();
            using (records.Watch(RecordKind.DeadLetter, () =>
            {
                lock (told) told.Add(records.Fault(RecordKind.DeadLetter));
                if (told.Count >= 2) both.Set();
            }))
                Assert.True(both.Wait(Patience));
            Assert.Equal(["the log is away", null], told.Take(2));
            var record = Assert.Single(records.Of(RecordKind.DeadLetter));
            Assert.Equal("bad_time", record.Text("reason"));
        }
        Assert.Equal(1, closed);
        var view = _pages.Render<DeadLetters>();
        view.WaitForAssertion(() => Assert.Equal("shop[1]@12345678", view.Find("td code").TextContent));
        Assert.Equal("<b>the year 1</b>", view.Find("td.detail").TextContent.Trim()); // told, not drawn
    }

    [Fact]
    public void Only_an_admin_sends_dead_letters_again_and_says_why_first()
    {
        var (state, started, starts) = ((ReplayState?)null, "", true);
        using var bare = new BunitContext();
        bare.AddAuthorization().SetAuthorized("ann").SetRoles(ReplayControl.Role);
        bare.Services.AddSingleton(_history).AddSingleton(_settings);
        Assert.Equal("", bare.Render<Replay>().Markup); // no connector
        _settings = _settings with
        {
            Replay = new ReplayControl(["crm"], () => state, (by, reason) =>
            {
                started = $"{by}: {reason}";
                return starts;
            }),
        };
        using var pages = new BunitContext();
        pages.AddAuthorization().SetAuthorized("reader");
        pages.Services.AddSingleton(_history).AddSingleton(_settings);
        var reader = pages.Render<Replay>();
        Assert.Empty(reader.FindAll("button"));
        Assert.Contains("You may only read here", reader.Markup, StringComparison.Ordinal);

        _viewer.SetRoles(ReplayControl.Role);
        var view = _pages.Render<Replay>();
        view.Find("button").Click();
        view.Find("form").Submit();
        Assert.Equal("", started); // without a reason nothing begins
        view.Find("input").Input("their outage is over");
        starts = false;
        view.Find("form").Submit();
        Assert.Equal("ann: their outage is over", started);
        Assert.Contains("just started", view.Find("[role=alert]").TextContent, StringComparison.Ordinal);
        state = new ReplayState("ann", "their outage is over", default, [new ReplayCount("crm", 12_345, 2, 0)], false, null);
        view.WaitForAssertion(() =>
        {
            _history.Take();
            Assert.StartsWith("Runs", view.Find("[role=status]").TextContent, StringComparison.Ordinal);
            Assert.Equal(["12,345", "2", "0"], view.FindAll("td").Select(t => t.TextContent));
            Assert.Empty(view.FindAll("button"));
        });
        state = state with { Ended = true, Fault = "the log is away" };
        view.WaitForAssertion(() =>
        {
            _history.Take();
            Assert.StartsWith("Ended early: the log is away", view.Find("[role=status]").TextContent, StringComparison.Ordinal);
            Assert.Single(view.FindAll("button"));
        });
    }

    private static string Feature(IRenderedComponent<Customers> view, string name) =>
        view.FindAll("tr").Single(r => r.QuerySelector("th[scope=row]")?.TextContent == name).QuerySelector("td")!.TextContent;

    private static string Tile(IRenderedComponent<Overview> view, string label) =>
        view.FindAll(".tile").Single(t => t.QuerySelector("dt")!.TextContent == label).QuerySelector(".note")!.TextContent;
}
