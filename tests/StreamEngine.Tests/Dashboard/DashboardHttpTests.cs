using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using StreamEngine.Dashboard;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http;
using StreamEngine.Host.Http.Security;
using StreamEngine.Host.Run;
using StreamEngine.Host.Telemetry;
using StreamEngine.Tests.Requests;
using Xunit;

namespace StreamEngine.Tests.Dashboard;

/// <summary>Who gets the dashboard's pages, and what comes with them, on a real Kestrel before a running engine.</summary>
public sealed partial class DashboardHttpTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly (string Key, string Sha256) Reader = KeyRing.New(), Site = KeyRing.New(),
        Admin = KeyRing.New();

    private static readonly HttpOptions Open = new(), Locked = new()
    {
        Keys =
        [
            new() { Name = "reader", Sha256 = Reader.Sha256, Scopes = [Scope.Read] },
            new() { Name = "admin", Sha256 = Admin.Sha256, Scopes = [Scope.Admin] },
            new() { Name = "site", Sha256 = Site.Sha256, Scopes = [Scope.Collect] },
        ],
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("dashboard-").FullName;
    private readonly MetricsEndpoint _metrics = new();
    private readonly CancellationTokenSource _late = new(Patience);
    private readonly List<IAsyncDisposable> _opened = [];
    private RequestShop _shop = null!;

    public Task InitializeAsync()
    {
        _shop = new RequestShop(_folder);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        _opened.Reverse();
        foreach (var opened in _opened) await opened.DisposeAsync();
        _metrics.Dispose();
        _shop.Dispose();
        _late.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_page_comes_with_all_that_it_loads_and_may_load_nothing_else()
    {
        using var client = await ListenAsync(Open);
        foreach (var (path, heading) in new[] { ("/", "Overview"), ("/dashboard/decisions", "Decisions"),
            ("/dashboard/customers/c1", "Customer"), ("/dashboard/shards", "Cluster and shards"), ("/dashboard/dead-letters",
            "Dead letters"), ("/dashboard/models", "Models"), ("/dashboard/experiments", "Experiments and switches") })
        {
            using var page = await client.GetAsync(path);
            var html = await page.Content.ReadAsStringAsync();
            Assert.True(page.StatusCode == HttpStatusCode.OK && html.Contains($"<h1>{heading}</h1>", StringComparison.Ordinal), html);
            Assert.Equal("text/html", page.Content.Headers.ContentType!.MediaType);
            Assert.Equal(DashboardServer.ContentPolicy, page.Headers.GetValues("Content-Security-Policy").Single());
            Assert.Equal("same-origin", page.Headers.GetValues("Referrer-Policy").Single());
            Assert.Equal("DENY", page.Headers.GetValues("X-Frame-Options").Single());
            // A script in the page, or one from elsewhere, would not run under that policy.
            Assert.DoesNotContain(Script().Matches(html), s => !s.Value.Contains("src=\"_", StringComparison.Ordinal));
            if (path != "/") continue;
            var loads = Loaded().Matches(html).Select(m => m.Groups[1].Value).Distinct().ToList();
            Assert.Equal(5, loads.Count);
            foreach (var load in loads)
            {
                using var file = await client.GetAsync("/" + load);
                var type = Path.GetExtension(load) switch { ".js" => "text/javascript", ".css" => "text/css", _ => "image/svg+xml" };
                Assert.Equal((HttpStatusCode.OK, type), (file.StatusCode, file.Content.Headers.ContentType!.MediaType));
                using var again = new HttpRequestMessage(HttpMethod.Get, "/" + load);
                again.Headers.IfNoneMatch.Add(file.Headers.ETag!);
                Assert.Equal(HttpStatusCode.NotModified, (await client.SendAsync(again)).StatusCode);
            }
        }
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/_content/../appsettings.json")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/_content/StreamEngine.Dashboard.dll")).StatusCode);
        Assert.Contains("streamengine_dashboard_circuits", await client.GetStringAsync("/metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_keys_a_browser_logs_in_once_and_its_cookie_is_no_key()
    {
        using var client = await ListenAsync(Locked);
        foreach (var path in new[] { "/", "/dashboard/decisions" })
        {
            using var refused = await client.GetAsync(path);
            var form = await refused.Content.ReadAsStringAsync();
            Assert.Equal((HttpStatusCode.Unauthorized, "text/html"), (refused.StatusCode, refused.Content.Headers.ContentType!.MediaType));
            Assert.Equal("same-origin", refused.Headers.GetValues("Referrer-Policy").Single());
            Assert.Contains("action=\"/login\"", form, StringComparison.Ordinal);
            Assert.DoesNotContain("Overview", form, StringComparison.Ordinal);
        }
        Assert.Equal(HttpStatusCode.Unauthorized, await Negotiate(client));
        Assert.Equal(HttpStatusCode.Unauthorized, await Get(client, "/", r => r.Headers.Add("X-Api-Key", "sek_wrong")));
        Assert.Equal(HttpStatusCode.Forbidden, await Get(client, "/", r => r.Headers.Add("X-Api-Key", Site.Key)));
        Assert.Equal(HttpStatusCode.OK, await Get(client, "/", r => r.Headers.Add("X-Api-Key", Reader.Key)));
        Assert.Equal(HttpStatusCode.Unauthorized, await Get(client, $"/?key={Reader.Key}", _ => { }));

        foreach (var wrong in new[] { "", "sek_wrong", Site.Key })
        {
            using var answer = await LogIn(client, wrong);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.False(answer.Headers.Contains("Set-Cookie"));
            if (wrong.Length > 0) Assert.DoesNotContain(wrong, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
        using var entered = await LogIn(client, Reader.Key);
        Assert.Equal((HttpStatusCode.SeeOther, "/"), (entered.StatusCode, entered.Headers.Location!.ToString()));
        var cookie = entered.Headers.GetValues("Set-Cookie").Single();
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Reader.Key, cookie, StringComparison.Ordinal);
        var session = cookie[..cookie.IndexOf(';', StringComparison.Ordinal)];
        void Add(HttpRequestMessage r) => r.Headers.Add("Cookie", session);
        Assert.Equal(HttpStatusCode.OK, await Get(client, "/", Add));
        Assert.Equal(HttpStatusCode.OK, await Negotiate(client, Add));
        Assert.Equal(HttpStatusCode.Unauthorized, await Get(client, "/", r => r.Headers.Add("Cookie", session + "x")));
        // It opens the dashboard and nothing else.
        Assert.Equal(HttpStatusCode.Unauthorized, await Get(client, "/metrics", Add));

        using var leave = new HttpRequestMessage(HttpMethod.Post, "/logout");
        Add(leave);
        Assert.Equal(HttpStatusCode.SeeOther, (await client.SendAsync(leave)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await Get(client, "/", Add));
    }

    [Fact]
    public async Task Pages_of_other_sites_reach_neither_pages_nor_their_connection()
    {
        using var client = await ListenAsync(Open);
        Assert.Equal(HttpStatusCode.OK, await Negotiate(client));
        Assert.Equal(HttpStatusCode.Forbidden, await Negotiate(client, r => r.Headers.Add("Origin", "http://evil.example")));
        Assert.Equal(HttpStatusCode.Forbidden, await Get(client, "/", r => r.Headers.Host = "evil.example"));
        var address = new Uri(client.BaseAddress!.ToString().Replace("http", "ws", StringComparison.Ordinal) + "_blazor");
        using var theirs = new ClientWebSocket();
        theirs.Options.SetRequestHeader("Origin", "http://evil.example");
        theirs.Options.CollectHttpResponseDetails = true;
        await Assert.ThrowsAsync<WebSocketException>(() => theirs.ConnectAsync(address, _late.Token));
        Assert.Equal(HttpStatusCode.Forbidden, theirs.HttpStatusCode);
        using var ours = new ClientWebSocket();
        ours.Options.SetRequestHeader("Origin", client.BaseAddress.ToString().TrimEnd('/'));
        await ours.ConnectAsync(address, _late.Token);
        Assert.Equal(WebSocketState.Open, ours.State);
    }

    [Fact]
    public async Task No_more_pages_connect_than_may()
    {
        using var client = await ListenAsync(Open, s => s with { MostCircuits = 0 });
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await Negotiate(client));
        Assert.Equal(HttpStatusCode.OK, await Get(client, "/", _ => { })); // without live figures
    }

    [Fact]
    public async Task Only_who_has_the_scope_admin_may_send_dead_letters_again()
    {
        var replay = new ReplayControl(["crm"], () => null, (_, _) => false);
        using var locked = await ListenAsync(Locked, s => s with { Replay = replay });
        Assert.False(await MayReplay(locked, Reader.Key));
        Assert.True(await MayReplay(locked, Admin.Key));
        using var open = await ListenAsync(Open, s => s with { Replay = replay });
        Assert.True(await MayReplay(open, ""));

        async Task<bool> MayReplay(HttpClient client, string key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/dashboard/dead-letters");
            if (key.Length > 0) request.Headers.Authorization = new("Bearer", key);
            using var answer = await client.SendAsync(request, _late.Token);
            var text = await answer.Content.ReadAsStringAsync(_late.Token);
            Assert.Contains("Refused by partners", text, StringComparison.Ordinal);
            var may = text.Contains("Send them again", StringComparison.Ordinal);
            Assert.NotEqual(may, text.Contains("only read", StringComparison.Ordinal));
            return may;
        }
    }

    [Fact]
    public void It_is_made_only_where_it_is_wanted()
    {
        DashboardServer? Of(HttpOptions http) => DashboardRun.Of(_shop.Options, http, _shop.Compiled, _shop.Engine, _shop.Log,
            () => new HealthReport(true, [], [], []));
        Assert.Null(Of(new HttpOptions { Dashboard = false }));
        Assert.Null(Of(new HttpOptions { Port = 0 }));
        _opened.Add(Of(new HttpOptions())!);
    }

    [Fact]
    public async Task A_browser_logs_in_with_a_token_too_for_as_long_as_that_lasts()
    {
        using var rsa = RSA.Create(2_048);
        var key = new RsaSecurityKey(rsa) { KeyId = "one" };
        var shown = JsonWebKeyConverter.ConvertFromRSASecurityKey(new RsaSecurityKey(rsa.ExportParameters(false)) { KeyId = "one" });
        await File.WriteAllTextAsync(Path.Combine(_folder, "keys.json"), JsonSerializer.Serialize(new
        {
            keys = new[] { new { kty = shown.Kty, kid = shown.Kid, use = "sig", n = shown.N, e = shown.E } },
        }));
        // No key at all: who looks needs a token then.
        using var client = await ListenAsync(new HttpOptions
        {
            Jwt = new JwtOptions
            {
                Issuer = "https://login.example",
                Audiences = ["engine"],
                KeysFile = Path.Combine(_folder, "keys.json"),
            },
        });
        Assert.Equal(HttpStatusCode.Unauthorized, await Get(client, "/", _ => { }));
        foreach (var (wrong, says) in new[] { (Token("collect"), "This token may not read"), (Token("read") + "x", "signature is wrong"),
            (Token("read", minutes: -60), "time is over") })
        {
            using var refused = await LogIn(client, wrong);
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
            Assert.Contains(says, await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            Assert.False(refused.Headers.Contains("Set-Cookie"));
        }
        var token = Token("read");
        using var entered = await LogIn(client, token);
        Assert.Equal(HttpStatusCode.SeeOther, entered.StatusCode);
        var cookie = entered.Headers.GetValues("Set-Cookie").Single();
        Assert.DoesNotContain(token, cookie, StringComparison.Ordinal);
        Assert.InRange(int.Parse(MaxAge().Match(cookie).Groups[1].Value), 1, 20 * 60 + 30);
        Assert.Equal(HttpStatusCode.OK, await Get(client, "/", r => r.Headers.Add("Cookie", cookie.Split(';')[0])));

        string Token(string scope, int minutes = 20) => new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = "https://login.example",
            Audience = "engine",
            NotBefore = DateTime.UtcNow.AddHours(-2),
            Expires = DateTime.UtcNow.AddMinutes(minutes),
            Claims = new Dictionary<string, object> { ["sub"] = "ann", ["scope"] = scope },
            SigningCredentials = new SigningCredentials(key, SecurityAlgorithms.RsaSha256),
        });
    }

    private async Task<HttpClient> ListenAsync(HttpOptions options, Func<DashboardSettings, DashboardSettings>? change = null)
    {
        var settings = DashboardRun.Settings(_shop.Options, options, _shop.Compiled, _shop.Engine, _shop.Log,
            () => new HealthReport(true, [], [], []));
        var dashboard = new DashboardServer(change is null ? settings : change(settings));
        _opened.Add(dashboard);
        var http = await HttpEndpoint.ListenAsync("127.0.0.1", 0, _metrics, () => new HealthReport(true, [], [], []), () => true,
            app => DashboardEndpoints.Map(app, dashboard, options), options: options);
        _opened.Add(http);
        return new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
        {
            BaseAddress = new Uri(http.Address),
            Timeout = Patience,
        };
    }

    private static async Task<HttpStatusCode> Get(HttpClient client, string path, Action<HttpRequestMessage> change)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        change(request);
        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
    }

    private static async Task<HttpStatusCode> Negotiate(HttpClient client, Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/_blazor/negotiate?negotiateVersion=1");
        change?.Invoke(request);
        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
    }

    private static Task<HttpResponseMessage> LogIn(HttpClient client, string key) =>
        client.PostAsync("/login", new FormUrlEncodedContent([new("key", key)]));

    [GeneratedRegex("max-age=([0-9]+)", RegexOptions.IgnoreCase)]
    private static partial Regex MaxAge();

    [GeneratedRegex("<script[^>]*>")]
    private static partial Regex Script();

    [GeneratedRegex("(?:src|href)=\"(_[^\"]+)\"")]
    private static partial Regex Loaded();
}
