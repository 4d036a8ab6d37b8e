using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http;
using StreamEngine.Host.Http.Security;
using StreamEngine.Host.Live;
using StreamEngine.Host.Telemetry;
using StreamEngine.Tests.Requests;
using Xunit;

namespace StreamEngine.Tests.Live;

/// <summary>Live streams on a real Kestrel, before a running engine on the embedded log.</summary>
public sealed class LiveStreamTests : IAsyncLifetime
{
    private const string Page = "https://shop.example";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly (string Key, string Sha256) Reader = KeyRing.New(), Site = KeyRing.New();

    private readonly string _folder = Directory.CreateTempSubdirectory("live-").FullName;
    private readonly MetricsEndpoint _metrics = new();
    private readonly CancellationTokenSource _late = new(Patience);
    private RequestShop _shop = null!;
    private LiveStreams _live = null!;
    private HttpEndpoint _http = null!;
    private HttpClient _client = null!;

    public async Task InitializeAsync()
    {
        _shop = new RequestShop(_folder);
        _live = new LiveStreams(new LiveOptions { Origins = [Page], MaxListeners = 2 }, new LiveSources(_shop.Engine.Feed!, _shop.Customers,
            _ => true, _shop.Options.Requests.Remember, _shop.Options.Requests.Recent), LiveTokens.NewSecret(), TimeProvider.System);
        _http = await HttpEndpoint.ListenAsync("127.0.0.1", 0, _metrics, () => new HealthReport(true, [], [], []), () => true,
            app => LiveEndpoints.Map(app, _live), options: new HttpOptions
            {
                Keys =
                [
                    new() { Name = "reader", Sha256 = Reader.Sha256, Scopes = [Scope.Read] },
                    new() { Name = "site", Sha256 = Site.Sha256, Scopes = [Scope.Collect] },
                ],
            });
        _client = new HttpClient { BaseAddress = new Uri(_http.Address) };
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _http.DisposeAsync();
        _live.Dispose();
        _metrics.Dispose();
        _shop.Dispose();
        _late.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_page_gets_the_decision_that_an_event_caused_and_resumes_behind_it()
    {
        string last;
        await using (var page = await Listen("c1", r => r.Headers.Add("Origin", Page)))
        {
            Assert.Equal(Page, page.Reply.Headers.GetValues("Access-Control-Allow-Origin").Single());
            Assert.Equal("text/event-stream", page.Reply.Content.Headers.ContentType!.MediaType);
            Assert.Equal("c1", (string)(await page.Next("ready")).Data["customer"]!);
            Assert.InRange(page.Retry, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4));
            var first = (await page.Next("features")).Data;
            Assert.True((bool)first["all"]!);
            Assert.Equal(_shop.Compiled.Features.Names, first["features"]!.AsObject().Select(f => f.Key));
            _shop.Send("c1", "page_view", placement: "home");
            var (id, data) = await page.Next("decision", past: "features");
            var logged = Assert.Single(_shop.Decisions());
            Assert.Equal((logged["decision_id"], "event", "home", false), ((string)data["decision_id"]!, (string)data["origin"]!,
                (string)data["placement"]!, (bool)data["again"]!));
            Assert.Equal((string)((Avro.Generic.GenericRecord)logged["chosen"]!)["offer"]!, (string)data["offers"]![0]!["offer"]!);
            last = id;
        }
        // While it is away.
        var missed = (await _shop.DecideAsync("c1", "ask-1")).DecisionId;
        await using (var again = await Listen("c1", r => r.Headers.Add("Last-Event-ID", last)))
        {
            await again.Next("ready");
            var (id, data) = await again.Next("decision", past: "features");
            Assert.Equal((missed, missed, true), (id, (string)data["decision_id"]!, (bool)data["again"]!));
        }
        var metrics = await Metrics();
        foreach (var name in new[] { "live_delay_seconds_count", "live_age_seconds_count", "live_sent_total{", "live_listeners" })
            Assert.Contains($"streamengine_{name}", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_web_socket_gets_the_same()
    {
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Origin", Page);
        await socket.ConnectAsync(new Uri($"{_http.Address.Replace("http", "ws", StringComparison.Ordinal)}{await Address("c2")}"),
            _late.Token);
        Assert.Equal("ready", (string)(await Next(socket))["type"]!);
        Assert.Equal("features", (string)(await Next(socket))["type"]!);
        var decided = (await _shop.DecideAsync("c2", "ask-1")).DecisionId;
        var told = await Next(socket);
        while ((string)told["type"]! == "features") told = await Next(socket);
        Assert.Equal((decided, decided), ((string)told["id"]!, (string)told["data"]!["decision_id"]!));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, _late.Token);
        while ((await Metrics()).Split('\n').All(l => !l.StartsWith("streamengine_live_listeners", StringComparison.Ordinal)
            || !l.EndsWith(" 0", StringComparison.Ordinal))) _late.Token.ThrowIfCancellationRequested();
    }

    [Fact]
    public async Task A_token_opens_one_customers_stream_alone_and_a_pages_key_none()
    {
        var (address, other) = (await Address("c1"), await Address("c2"));
        var token = address[address.IndexOf('?', StringComparison.Ordinal)..];
        Assert.Equal("token", await Refused($"/v1/customers/c3/stream{token}", 401, Page));
        Assert.Equal("token", await Refused("/v1/customers/c1/stream?token=", 401, Page));
        Assert.Equal("no_key", await Refused("/v1/customers/c1/stream", 401, Page));
        Assert.Equal("scope", await Refused($"/v1/customers/c1/stream?key={Site.Key}", 403, Page));
        Assert.Equal("key_in_address", await Refused($"/v1/customers/c1/stream?key={Reader.Key}", 403, Page));
        Assert.Equal("bad_request", await Refused($"{address}&last_event_id=d%0Adata:x", 400, Page));
        Assert.Equal("origin", await Refused(address, 403, "https://evil.example", isOurs: false));
        using (var asked = await _client.PostAsync("/v1/customers/c1/token", null))
            Assert.Equal(HttpStatusCode.Unauthorized, asked.StatusCode);
        // A server needs no token, and there is room for two.
        await using var server = await Open("/v1/customers/c1/stream", r => r.Headers.Add("X-Api-Key", Reader.Key));
        await using var page = await Open(other, _ => { });
        Assert.Equal("listeners", await Refused(address, 503, Page));
    }

    [Fact]
    public async Task A_customer_whose_id_has_a_slash_is_listened_to()
    {
        var address = await Address("a%2Fb");
        Assert.StartsWith("/v1/customers/a%2Fb/stream?", address, StringComparison.Ordinal);
        await using var page = await Open(address, _ => { });
        await page.Next("ready");
    }

    [Fact]
    public async Task Streams_end_with_a_word_when_the_process_stops()
    {
        await using var page = await Listen("c1", _ => { });
        await page.Next("ready");
        var stopping = _http.DisposeAsync();
        Assert.Equal("closing", (string)(await page.Next("end", past: "features")).Data["reason"]!);
        await stopping;
    }

    [Fact]
    public void Mistakes_in_the_config_are_told_all_at_once()
    {
        var errors = new ConfigErrors();
        LiveCheck.Check(new LiveOptions { Origins = ["shop.example"] },
            new HostOptions { Http = new HttpOptions { Port = 0 }, Cluster = new StreamEngine.Cluster.ClusterOptions() }, errors);
        Assert.Equal(4, errors.All.Count);
    }

    private async Task<string> Address(string customer)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/customers/{customer}/token");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Reader.Key);
        using var reply = await _client.SendAsync(request);
        return (string)JsonNode.Parse(await reply.Content.ReadAsStringAsync())!["stream"]!;
    }

    private async Task<Stream> Listen(string customer, Action<HttpRequestMessage> change) => await Open(await Address(customer), change);

    private async Task<Stream> Open(string address, Action<HttpRequestMessage> change)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        change(request);
        var reply = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, _late.Token);
        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
        return new Stream(reply, await reply.Content.ReadAsStreamAsync(_late.Token), _late.Token);
    }

    private async Task<string> Refused(string address, int status, string origin, bool isOurs = true)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Add("Origin", origin);
        using var reply = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, _late.Token);
        Assert.Equal(status, (int)reply.StatusCode);
        // A page that may listen may also read why it can't.
        Assert.Equal(isOurs, reply.Headers.Contains("Access-Control-Allow-Origin"));
        return (string)JsonNode.Parse(await reply.Content.ReadAsStringAsync())!["reason"]!;
    }

    private async Task<string> Metrics()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Reader.Key);
        using var reply = await _client.SendAsync(request);
        return await reply.Content.ReadAsStringAsync();
    }

    private async Task<JsonNode> Next(WebSocket socket)
    {
        var bytes = new byte[16_384];
        var got = await socket.ReceiveAsync(bytes, _late.Token);
        Assert.True(got.EndOfMessage);
        return JsonNode.Parse(Encoding.UTF8.GetString(bytes, 0, got.Count))!;
    }

    /// <summary>An open stream, read as the standard says.</summary>
    private sealed class Stream : IAsyncDisposable
    {
        private readonly SseParser<string> _parser;
        private readonly IAsyncEnumerator<SseItem<string>> _items;

        public Stream(HttpResponseMessage reply, System.IO.Stream body, CancellationToken late)
        {
            Reply = reply;
            _parser = SseParser.Create(body);
            _items = _parser.EnumerateAsync(late).GetAsyncEnumerator(late);
        }

        public HttpResponseMessage Reply { get; }

        public TimeSpan Retry => _parser.ReconnectionInterval;

        public async Task<(string Id, JsonNode Data)> Next(string type, string? past = null)
        {
            do Assert.True(await _items.MoveNextAsync(), $"the stream ended before a {type}");
            while (_items.Current.EventType == past);
            Assert.Equal(type, _items.Current.EventType);
            return (_parser.LastEventId, JsonNode.Parse(_items.Current.Data)!);
        }

        public async ValueTask DisposeAsync()
        {
            await _items.DisposeAsync();
            Reply.Dispose();
        }
    }
}
