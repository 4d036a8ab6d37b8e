using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http;
using StreamEngine.Host.Http.Security;
using StreamEngine.Host.Telemetry;
using StreamEngine.Tests.Host;
using Xunit;

namespace StreamEngine.Tests.Http;

/// <summary>Who may call what, on a real Kestrel.</summary>
public sealed class AccessTests
{
    private static readonly (string Key, string Sha256) Site = KeyRing.New(), Shop = KeyRing.New(), Chief = KeyRing.New(),
        Slow = KeyRing.New();

    private static readonly HttpOptions Options = new()
    {
        Keys =
        [
            new() { Name = "site", Sha256 = Site.Sha256, Scopes = [Scope.Collect] },
            new() { Name = "shop", Sha256 = Shop.Sha256.ToUpperInvariant(), Scopes = [Scope.Decide, Scope.Read] },
            new() { Name = "chief", Sha256 = Chief.Sha256, Scopes = [Scope.Admin] },
            new() { Name = "slow", Sha256 = Slow.Sha256, Scopes = [Scope.Read], Rate = 2 },
        ],
    };

    [Theory]
    [InlineData("/decide", 200, 200)]
    [InlineData("/read", 200, 200)]
    [InlineData("/collect", 403, 200)]
    [InlineData("/admin", 403, 200)]
    [InlineData("/unsaid", 403, 200)] // an endpoint that says nothing is nobody's but an admin's
    [InlineData("/metrics", 200, 200)]
    [InlineData("/healthz", 200, 200)]
    public async Task A_key_may_what_its_scopes_say(string path, int shop, int chief)
    {
        await using var http = await Listen();
        using var client = Client(http);
        Assert.Equal((shop, chief), (await Status(client, path, Shop.Key), await Status(client, path, Chief.Key)));
        foreach (var wrong in new[] { null, "", "sek_wrong", Shop.Sha256, Shop.Key[..^1], Shop.Key + "x", new string('a', 9_000) })
            Assert.Equal(path == "/healthz" ? 200 : 401, await Status(client, path, wrong));
    }

    [Fact]
    public async Task A_key_may_stand_in_two_headers_and_where_pages_call_in_two_more_places()
    {
        await using var http = await Listen();
        using var client = Client(http);
        Assert.Equal(200, await Send(client, "/read", r => r.Headers.Add("X-Api-Key", Shop.Key)));
        Assert.Equal(401, await Send(client, $"/read?key={Shop.Key}", _ => { }));
        Assert.Equal(401, await Send(client, "/read", r => r.Headers.Authorization = Basic(Shop.Key)));
        Assert.Equal(200, await Send(client, $"/page?key={Site.Key}", _ => { }));
        Assert.Equal(200, await Send(client, "/page", r => r.Headers.Authorization = Basic(Site.Key)));
        Assert.Equal(401, await Send(client, "/page", r => r.Headers.TryAddWithoutValidation("Authorization", "Basic %%%")));
        // An address is written down on its way: no key that may do more.
        Assert.Equal(403, await Send(client, $"/page?key={Chief.Key}", _ => { }));
    }

    [Fact]
    public async Task A_refusal_is_a_problem_that_shows_no_key_and_is_counted()
    {
        await using var http = await Listen();
        using var client = Client(http);
        using var refused = await client.SendAsync(Request("/read", r => r.Headers.Add("X-Api-Key", "sek_secret123")));
        var text = await refused.Content.ReadAsStringAsync();
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType!.MediaType);
        var problem = JsonNode.Parse(text)!;
        Assert.Equal((401, "unknown_key"), ((int)problem["status"]!, (string)problem["reason"]!));
        Assert.NotNull(problem["title"]);
        Assert.DoesNotContain("secret123", text, StringComparison.Ordinal);
        Assert.Equal("Bearer", refused.Headers.WwwAuthenticate.ToString());
        Assert.Equal(404, (int)JsonNode.Parse(await (await client.GetAsync("/nothing")).Content.ReadAsStringAsync())!["status"]!);
        var metrics = await (await client.SendAsync(Request("/metrics", r => r.Headers.Add("X-Api-Key", Shop.Key)))).Content
            .ReadAsStringAsync();
        Assert.Contains("streamengine_http_refused_total{", metrics, StringComparison.Ordinal);
        Assert.Contains("endpoint=\"/read\"", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("secret123", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_with_a_rate_is_told_to_wait_and_others_are_not()
    {
        await using var http = await Listen();
        using var client = Client(http);
        var waits = new List<HttpResponseMessage>();
        while (waits.Count == 0)
            waits.AddRange((await Task.WhenAll(Enumerable.Range(0, 20).Select(_ =>
                client.SendAsync(Request("/read", r => r.Headers.Add("X-Api-Key", Slow.Key))))))
                .Where(r => r.StatusCode == HttpStatusCode.TooManyRequests));
        Assert.All(waits, r => Assert.NotNull(r.Headers.RetryAfter));
        Assert.Equal(200, await Status(client, "/read", Shop.Key));
    }

    [Fact]
    public async Task Without_keys_all_is_as_it_was_and_answers_carry_the_headers_that_keep_browsers_still()
    {
        await using var http = await Listen(new HttpOptions());
        using var client = Client(http);
        foreach (var path in new[] { "/decide", "/admin", "/metrics", "/healthz" }) Assert.Equal(200, await Status(client, path, null));
        using var reply = await client.GetAsync("/read");
        Assert.Equal("nosniff", reply.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Contains("default-src 'none'", reply.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.True(reply.Headers.CacheControl!.NoStore);
        Assert.False(reply.Headers.Contains("Server"));
    }

    [Fact]
    public async Task Metrics_may_be_public()
    {
        await using var http = await Listen(Options with { PublicMetrics = true });
        using var client = Client(http);
        Assert.Equal((200, 401), (await Status(client, "/metrics", null), await Status(client, "/read", null)));
    }

    [Fact]
    public void Mistakes_are_told_all_at_once_and_show_no_value()
    {
        var errors = new ConfigErrors();
        HttpCheck.Check(new HttpOptions
        {
            Keys =
            [
                new() { Name = "a", Sha256 = Site.Key, Scopes = [Scope.Read] },
                new() { Name = "b", Sha256 = Site.Sha256, Scopes = [] },
                new() { Name = "c", Sha256 = Site.Sha256.ToUpperInvariant(), Scopes = [Scope.Read] },
            ],
        }, "", errors);
        Assert.Equal(3, errors.All.Count);
        Assert.Contains("no SHA-256", errors.All[0].Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Site.Key, string.Join('\n', errors.All), StringComparison.Ordinal);
        Assert.Contains("may do nothing", errors.All[1].Message, StringComparison.Ordinal);
        Assert.Contains("the same key as 'b'", errors.All[2].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.0.0.0", false)]
    [InlineData("192.0.2.1", false)]
    [InlineData("::", false)]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("localhost", true)]
    public void Without_a_key_only_this_machine_is_served(string address, bool allowed)
    {
        var (open, locked) = (new ConfigErrors(), new ConfigErrors());
        HttpCheck.Check(new HttpOptions { Address = address }, "", open);
        HttpCheck.Check(Options with { Address = address }, "", locked);
        Assert.Equal((allowed, false), (!open.Any, locked.Any));
        Assert.All(open.All, e => Assert.Contains("keys new", e.Remedy, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Keys_new_prints_a_key_and_the_line_that_lets_it_in()
    {
        var (code, output, error) = await Cli.RunAsync("keys", "new", "website", "--scope", "collect", "--scope", "read");
        Assert.Equal(0, code);
        var key = output.Trim();
        var hash = error[(error.IndexOf("sha256: ", StringComparison.Ordinal) + 8)..][..64];
        Assert.DoesNotContain(key, error, StringComparison.Ordinal);
        Assert.Contains("scopes: [collect, read]", error, StringComparison.Ordinal);
        var caller = new KeyRing([new() { Name = "website", Sha256 = hash, Scopes = [Scope.Collect] }]).Find(key);
        Assert.Equal("website", caller!.Name);
        Assert.Equal(1, (await Cli.RunAsync("keys", "new", "website", "--scope", "everything")).Code);
        Assert.Equal(1, (await Cli.RunAsync("keys", "new", "a: b", "--scope", "read")).Code);
    }

    private static Task<HttpEndpoint> Listen(HttpOptions? options = null) => HttpEndpoint.ListenAsync("127.0.0.1", 0,
        new MetricsEndpoint(), () => new HealthReport(true, [], [], []), () => true, app =>
        {
            app.MapGet("/decide", () => "ok").Needs(Scope.Decide);
            app.MapGet("/read", () => "ok").Needs(Scope.Read);
            app.MapGet("/collect", () => "ok").Needs(Scope.Collect);
            app.MapGet("/admin", () => "ok").Needs(Scope.Admin);
            app.MapGet("/page", () => "ok").WithMetadata(new Demand(Scope.Collect, FromPages: true));
            app.MapGet("/unsaid", () => "ok");
        }, options: options ?? Options);

    private static HttpClient Client(HttpEndpoint http) => new() { BaseAddress = new Uri(http.Address) };

    private static AuthenticationHeaderValue Basic(string user) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:")));

    private static Task<int> Status(HttpClient client, string path, string? key) =>
        Send(client, path, r => r.Headers.TryAddWithoutValidation("Authorization", key is null ? null : $"Bearer {key}"));

    private static async Task<int> Send(HttpClient client, string path, Action<HttpRequestMessage> change)
    {
        using var reply = await client.SendAsync(Request(path, change));
        return (int)reply.StatusCode;
    }

    private static HttpRequestMessage Request(string path, Action<HttpRequestMessage> change)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        change(request);
        return request;
    }
}
