using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using StreamEngine.Decisions;
using StreamEngine.Host.Explanation;
using StreamEngine.Host.Http;
using StreamEngine.Host.Telemetry;
using StreamEngine.Runtime.Requests;
using StreamEngine.Testing;
using StreamEngine.Tests.Requests;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>The decision API over HTTP, before a running engine.</summary>
public sealed class DecisionApiTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("api-").FullName;
    private readonly MetricsEndpoint _metrics = new();
    private RequestShop _shop = null!;
    private DecisionLookups _lookups = null!;
    private HttpEndpoint _http = null!;
    private HttpClient _client = null!;

    public async Task InitializeAsync()
    {
        _shop = new RequestShop(_folder, o => Scenario.WithTexts(o) with
        {
            Requests = o.Requests with { Fallbacks = new Dictionary<string, string> { ["home"] = "b" } }
        });
        _lookups = new DecisionLookups(_shop.Log, _shop.Compiled, TimeSpan.FromSeconds(60));
        _http = await HttpEndpoint.ListenAsync("127.0.0.1", 0, _metrics, () => new HealthReport(true, [], [], []), () => true, app =>
        {
            CustomerEndpoints.Map(app, new FallbackGateway(_shop.Customers, _shop.Compiled, _shop.Engine.Metrics,
                _shop.Engine.Switches));
            DecisionEndpoint.Map(app, _lookups);
        });
        _client = new HttpClient { BaseAddress = new Uri(_http.Address) };
        _shop.Send("c1", "purchase", 80);
        await _shop.ReadAsync("c1", p => p.NewestEvent is not null);
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _http.DisposeAsync();
        _lookups.Dispose();
        _metrics.Dispose();
        _shop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_decision_is_told_with_its_offers_and_again_the_same()
    {
        var body = """{"customer":"c1","id":"ask-1","placement":"home","context":{"value":12.5},"offers":2}""";
        var first = await Post(body, HttpStatusCode.OK);
        Assert.Equal("served", (string)first["outcome"]!);
        Assert.Equal(2, first["offers"]!.AsArray().Count);
        Assert.Equal(["offer", "treatment", "channel", "is_default"], first["offers"]![0]!.AsObject().Select(p => p.Key));
        var again = await Post(body, HttpStatusCode.OK);
        Assert.Equal(((string)first["decision_id"]!, true), ((string)again["decision_id"]!, (bool)again["repeated"]!));
        Assert.Contains(await Metrics("streamengine_request_duration_seconds_count"), line =>
            line.Contains("kind=\"decide\"", StringComparison.Ordinal) && line.Contains("status=\"done\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_decision_is_explained_by_its_id()
    {
        var decided = await Post("""{"customer":"c1","id":"ask-1","placement":"home","context":{"value":12.5}}""", HttpStatusCode.OK);
        var id = (string)decided["decision_id"]!;
        foreach (var address in new[] { id, Uri.EscapeDataString(id) })
        {
            var why = JsonNode.Parse(await _client.GetStringAsync($"/v1/decisions/{address}"))!;
            Assert.Equal((id, "c1", "request", "ask-1"), ((string)why["decision_id"]!, (string)why["customer"]!, (string)why["origin"]!,
                (string)why["cause"]!["event_id"]!));
            Assert.Equal((string)decided["offers"]![0]!["offer"]!, (string)why["chosen"]!["offer"]!);
            Assert.StartsWith("Request 'ask-1' asked for a decision for placement 'home', after ", (string)why["why"]![0]!,
                StringComparison.Ordinal);
            Assert.Equal("revenue", (string)why["features"]!.AsArray().First(f => (double)f!["value"]! == 80)!["name"]!);
        }
        foreach (var (wrong, status, reason, told) in new (string, HttpStatusCode, string, string)[]
        {
            ("17", HttpStatusCode.BadRequest, "malformed", "ENGINE/TOPIC/PARTITION/OFFSET/ORDINAL"),
            ("other/shop/0/1/0", HttpStatusCode.NotFound, "unknown_decision", "is of engine 'other': ask that one"),
            (id[..^1] + "77", HttpStatusCode.NotFound, "unknown_decision", "the newest one seen before it"),
        })
        {
            var reply = await _client.GetAsync($"/v1/decisions/{wrong}");
            var problem = JsonNode.Parse(await reply.Content.ReadAsStringAsync())!;
            Assert.Equal((status, reason), (reply.StatusCode, (string)problem["reason"]!));
            Assert.Contains(told, (string)problem["detail"]!, StringComparison.Ordinal);
        }
        Assert.Contains(await Metrics("streamengine_decision_lookups_total"),
            line => line.Contains("status=\"found\"", StringComparison.Ordinal) && line.TrimEnd().EndsWith(" 2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_profile_is_shown()
    {
        await Post("""{"customer":"c1","placement":"home"}""", HttpStatusCode.OK);
        var profile = JsonNode.Parse(await _client.GetStringAsync("/v1/customers/c1"))!;
        Assert.Equal(80, (double)profile["features"]!["revenue"]!);
        Assert.Equal("purchase", (string)profile["texts"]!["types_1"]!);
        Assert.Equal("served", (string)profile["decisions"]![0]!["outcome"]!);
        Assert.False((bool)JsonNode.Parse(await _client.GetStringAsync("/v1/customers/no%20body"))!["found"]!);
    }

    [Theory]
    [InlineData("c%2F1", "c/1")]
    [InlineData("c%2f1%3F", "c/1?")]
    [InlineData("c%252F1?a=/b", "c%2F1")]
    [InlineData("c%20%C3%A4+1", "c ä+1")]
    [InlineData("c1/", "c1")]
    [InlineData("c1%2F/?a=/", "c1/")]
    public async Task An_id_in_an_address_is_decoded_once(string address, string id)
    {
        var profile = JsonNode.Parse(await _client.GetStringAsync($"/v1/customers/{address}"))!;
        Assert.Equal(id, (string)profile["customer"]!);
    }

    [Fact]
    public async Task The_command_line_shows_a_profile()
    {
        var config = RepositoryRoot.At("deploy/samples/demo/streamengine.yaml");
        var (code, output, error) = await Cli.RunAsync("features", "show", "c1", "--config", config, "--url", _http.Address);
        Assert.True(code == 0, error);
        Assert.Matches("(?m)^revenue +80$", output);
        Assert.Matches("(?m)^types_1 +purchase$", output);
        var (_, json, _) = await Cli.RunAsync("features", "show", "no body", "--config", config, "--url", _http.Address, "--json");
        Assert.Equal(("no body", false), ((string)JsonNode.Parse(json)!["customer"]!, (bool)JsonNode.Parse(json)!["found"]!));
    }

    [Theory]
    [InlineData("""{"placement":"home"}""", "customer: it is missing")]
    [InlineData("""{"customer":"c1","ofers":2}""", "ofers")]
    [InlineData("""{"customer":"c1","context":{"value":[1]}}""", "context.value: a list or an object is no field's value")]
    [InlineData("""{"customer":"c1","context":{"nothing":1}}""", "context.nothing: no event field")]
    [InlineData("""{"customer":"c1","timeout_ms":0}""", "timeout_ms: 0")]
    [InlineData("{", "The body can't be read")]
    [InlineData("""{"customer":"c1","context":{"placement":"\ud83d"}}""", "context.placement: it is no text")]
    [InlineData("""{"customer":"\ud83d"}""", "The body can't be read")]
    public async Task A_mistake_is_a_400_that_names_it(string body, string named)
    {
        var problem = await Post(body, HttpStatusCode.BadRequest);
        Assert.Contains(named, (string)problem["message"]!, StringComparison.Ordinal);
        Assert.Contains(named, (string)problem["detail"]!, StringComparison.Ordinal);
        Assert.Equal((400, "invalid"), ((int)problem["status"]!, (string)problem["reason"]!));
    }

    [Fact]
    public async Task A_large_body_and_another_type_are_refused()
    {
        await Post($$"""{"customer":"{{new string('x', 70_000)}}"}""", HttpStatusCode.RequestEntityTooLarge);
        var form =
            await _client.PostAsync("/v1/decisions", new StringContent("customer=c1", Encoding.UTF8, "application/x-www-form-urlencoded"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, form.StatusCode);
    }

    [Fact]
    public async Task An_engine_that_has_stopped_is_a_503_to_be_tried_again()
    {
        _shop.Engine.Stop();
        await _shop.Engine.Completion;
        var reply = await _client.PostAsJsonAsync("/v1/decisions", new { customer = "c1", timeout_ms = 30 });
        Assert.Equal(HttpStatusCode.ServiceUnavailable, reply.StatusCode);
        Assert.NotNull(reply.Headers.RetryAfter);
        Assert.Equal("application/problem+json", reply.Content.Headers.ContentType!.MediaType);
        var problem = JsonNode.Parse(await reply.Content.ReadAsStringAsync())!;
        Assert.Equal((503, "moved", 0.0), ((int)problem["status"]!, (string)problem["reason"]!, (double)problem["progress"]!));
        Assert.Equal((string)problem["detail"]!, (string)problem["message"]!);
    }

    /// <summary>A page has something to show even then: marked, with what was at fault.</summary>
    [Fact]
    public async Task Where_no_decision_can_be_had_the_configs_stand_in_is_shown()
    {
        const string Body = """{"customer":"c1","id":"ask-1","placement":"home","timeout_ms":30}""";
        _shop.Engine.Stop();
        await _shop.Engine.Completion;
        var shown = await Post(Body, HttpStatusCode.OK);
        Assert.Equal(("b", "moved", true), ((string)shown["offers"]![0]!["offer"]!, (string)shown["status"]!, (bool)shown["fallback"]!));
        Assert.Equal("ask-1", (string)shown["request_id"]!);
        Assert.Null(shown["decision_id"]);
        Assert.Contains("streamengine_requests_fallbacks_total{status=\"moved\"} 1",
            string.Join('\n', (await Metrics("streamengine_requests_fallbacks")).Select(l => System.Text.RegularExpressions.Regex
                .Replace(l, "otel[^,}]*,", ""))), StringComparison.Ordinal);
        // No other placement has one.
        await Post(Body.Replace("home", "email", StringComparison.Ordinal), HttpStatusCode.ServiceUnavailable);
        // Nor does one that is switched off stand in.
        foreach (var (target, offset) in new[] { (new SwitchTarget(SwitchKind.Offer, "b"), 0), (SwitchTarget.All, 2) })
        {
            _shop.Engine.Switches!.Offer(new SwitchRecord(target, offset, true, "ann", "wrong price", DateTimeOffset.UnixEpoch));
            await Post(Body, HttpStatusCode.ServiceUnavailable);
            _shop.Engine.Switches!.Offer(new SwitchRecord(target, offset + 1, false, "ann", "", DateTimeOffset.UnixEpoch));
            await Post(Body, HttpStatusCode.OK);
        }
    }

    private async Task<JsonNode> Post(string body, HttpStatusCode expected)
    {
        var reply = await _client.PostAsync("/v1/decisions", new StringContent(body, Encoding.UTF8, "application/json"));
        var text = await reply.Content.ReadAsStringAsync();
        Assert.True(reply.StatusCode == expected, $"{reply.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }

    private async Task<string[]> Metrics(string name) =>
        [.. (await _client.GetStringAsync("/metrics")).Split('\n').Where(l => l.StartsWith(name, StringComparison.Ordinal))];
}
