using StreamEngine.Dashboard;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http;
using StreamEngine.Host.Http.Security;
using StreamEngine.Host.Run;
using StreamEngine.Host.Telemetry;
using StreamEngine.Tests.Requests;
using Xunit;

namespace StreamEngine.Tests.Dashboard;

/// <summary>The dashboard as a browser shows it: logged in with a key, live, on a small screen, with nothing in the console.</summary>
public sealed class BrowserTests : IAsyncLifetime
{
    private static readonly (string Key, string Sha256) Reader = KeyRing.New();

    private readonly string _folder = Directory.CreateTempSubdirectory("dashboard-").FullName;
    private readonly MetricsEndpoint _metrics = new();
    private volatile string _started = "";
    private RequestShop _shop = null!;
    private DashboardServer _dashboard = null!;
    private HttpEndpoint _http = null!;

    public async Task InitializeAsync()
    {
        _shop = new RequestShop(_folder);
        var options = new HttpOptions { Keys = [new() { Name = "on-call", Sha256 = Reader.Sha256, Scopes = [Scope.Admin] }] };
        _dashboard = DashboardRun.Of(_shop.Options, options, _shop.Compiled, _shop.Engine, _shop.Log,
            () => new HealthReport(true, [], [], []), replay: new ReplayControl(["crm"], () => null, (by, why) =>
            {
                _started = $"{by}: {why}";
                return true;
            }))!;
        _http = await HttpEndpoint.ListenAsync("127.0.0.1", 0, _metrics, () => new HealthReport(true, [], [], []), () => true,
            app => DashboardEndpoints.Map(app, _dashboard, options), options: options);
    }

    public async Task DisposeAsync()
    {
        await _http.DisposeAsync();
        await _dashboard.DisposeAsync();
        _metrics.Dispose();
        _shop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [SkippableFact]
    public async Task A_browser_logs_in_and_sees_what_happens()
    {
        await using var browser = await Browser.OpenAsync(width: 360);
        await browser.GoAsync(_http.Address);
        await browser.UntilAsync("document.querySelector('#key') !== null");
        // The answer to who has no key is 401, which the console tells.
        Assert.All(browser.Complaints, c => Assert.Contains("401", c, StringComparison.Ordinal));
        browser.Complaints.Clear();
        await browser.UntilAsync($"(document.querySelector('#key').value = '{Reader.Key}', document.querySelector('form').submit(), true)");
        // The charts have axes once the page's connection has told the server their size.
        await browser.UntilAsync("document.querySelectorAll('.rz-chart .rz-axis').length");
        _shop.Send("c-1", "page_view", placement: "home");
        await browser.UntilAsync("[...document.querySelectorAll('.tile')].some(t => t.textContent.includes('1 in all'))");
        Assert.Equal("true", await browser.UntilAsync("document.documentElement.scrollWidth <= innerWidth"));

        await browser.UntilAsync("(document.querySelector('nav a[href$=decisions]').click(), true)");
        await browser.UntilAsync("document.querySelector('td a')?.textContent === 'c-1'");
        await browser.UntilAsync("(document.querySelector('td button').click(), true)");
        await browser.UntilAsync("document.querySelectorAll('.funnel tbody tr').length");
        await browser.UntilAsync("(document.querySelector('td a').click(), true)");
        await browser.UntilAsync("document.querySelector('h1').textContent === 'Customer' && document.querySelectorAll('th').length > 3");
        // The page's connection knows who opened it, so that it acts for nobody else.
        await browser.UntilAsync("(document.querySelector('nav a[href$=dead-letters]').click(), true)");
        await browser.UntilAsync("(document.querySelector('.replay button')?.click(), document.querySelector('#reason') !== null)");
        await browser.UntilAsync("(() => { const r = document.querySelector('#reason'); r.value = 'over'; "
            + "return r.dispatchEvent(new Event('input', { bubbles: true })); })()");
        await browser.UntilAsync("(document.querySelector('.replay button[type=submit]').click(), true)");
        await browser.UntilAsync("document.querySelector('#reason') === null");
        Assert.Equal("on-call: over", _started);
        await browser.UntilAsync("(document.querySelector('[data-toggle-theme]').click(), document.documentElement.dataset.theme)");
        Assert.Empty(browser.Complaints);
    }
}
