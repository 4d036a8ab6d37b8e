using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Reflection.V1;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http;
using StreamEngine.Host.Http.Security;
using StreamEngine.Host.Live;
using StreamEngine.Host.Rpc;
using StreamEngine.Host.Telemetry;
using StreamEngine.Runtime.Requests;
using StreamEngine.Testing;
using StreamEngine.Tests.Requests;
using StreamEngine.V1;
using Xunit;
using DecideRequest = StreamEngine.V1.DecideRequest;

namespace StreamEngine.Tests.Rpc;

/// <summary>gRPC by its own client, on a real Kestrel, before a running engine on the embedded log.</summary>
public sealed class RpcTests : IAsyncLifetime
{
    private static readonly (string Key, string Sha256) Shop = KeyRing.New(), Asker = KeyRing.New(), Slow = KeyRing.New();

    private readonly string _folder = Directory.CreateTempSubdirectory("rpc-").FullName;
    private readonly MetricsEndpoint _metrics = new();
    private readonly int _port = FreePort.Find();
    private RequestShop _shop = null!;
    private LiveStreams _live = null!;
    private HttpEndpoint _http = null!;
    private GrpcChannel _channel = null!;

    public async Task InitializeAsync()
    {
        _shop = new RequestShop(_folder, o => o with
        {
            Requests = o.Requests with { Fallbacks = new Dictionary<string, string> { ["home"] = "b" } }
        });
        _live = new LiveStreams(new LiveOptions { MaxListeners = 1 }, new LiveSources(_shop.Engine.Feed!, _shop.Customers, _ => true,
            _shop.Options.Requests.Remember, _shop.Options.Requests.Recent), LiveTokens.NewSecret(), TimeProvider.System);
        _http = await HttpEndpoint.ListenAsync("127.0.0.1", 0, _metrics, () => new HealthReport(true, [], [], []), () => true, app =>
            RpcEndpoints.Map(app, new FallbackGateway(_shop.Customers, _shop.Compiled, _shop.Engine.Metrics, _shop.Engine.Switches),
                _shop.Options.Requests.Timeout, _live), options: new HttpOptions
                {
                    GrpcPort = _port,
                    Keys =
                    [
                        new() { Name = "shop", Sha256 = Shop.Sha256, Scopes = [Scope.Decide, Scope.Read] },
                        new() { Name = "asker", Sha256 = Asker.Sha256, Scopes = [Scope.Decide] },
                        new() { Name = "slow", Sha256 = Slow.Sha256, Scopes = [Scope.Read], Rate = 1 },
                    ],
                });
        _channel = GrpcChannel.ForAddress($"http://127.0.0.1:{_port}");
        _shop.Send("c1", "purchase", 80);
        await _shop.ReadAsync("c1", p => p.NewestEvent is not null);
    }

    public async Task DisposeAsync()
    {
        _channel.Dispose();
        await _http.DisposeAsync();
        _live.Dispose();
        _metrics.Dispose();
        _shop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_decision_and_a_profile_are_told_as_over_http()
    {
        var request = new DecideRequest
        {
            Customer = "c1",
            Id = "ask-1",
            Placement = "home",
            Offers = 2,
            Context = { ["value"] = Value.ForNumber(12.5) },
        };
        var first = await Decisions.DecideAsync(request, Key(Shop.Key));
        Assert.Equal(("ask-1", Outcome.Served, 2, false, false), (first.RequestId, first.Outcome, first.Offers.Count, first.Repeated,
            first.Fallback));
        Assert.Contains(first.DecisionId, _shop.Decisions().Select(d => (string)d["decision_id"]!));
        var again = await Decisions.DecideAsync(request, Key(Shop.Key));
        Assert.Equal((true, first.DecisionId), (again.Repeated, again.DecisionId));
        var customer = await Customers.GetAsync(new GetCustomerRequest { Customer = "c1" }, Key(Shop.Key));
        Assert.Equal(_shop.Compiled.Features.Names.Order(), customer.Features.Keys.Order());
        Assert.Equal((first.DecisionId, Outcome.Served, first.Offers[0].Offer_, true), (customer.Decisions[0].DecisionId,
            customer.Decisions[0].Outcome, customer.Decisions[0].Offer, customer.Decisions[0].ByRequest));
        Assert.Equal(first.DecidedAt, customer.Decisions[0].DecidedAt);

        request.Context["nothing"] = Value.ForBool(true);
        request.Context["value"] = Value.ForList(Value.ForNumber(1));
        request.Customer = "";
        var fault = await Fault(Decisions.DecideAsync(request, Key(Shop.Key)));
        Assert.Equal((StatusCode.InvalidArgument, "INVALID"), (fault.StatusCode, Reason(fault)));
        Assert.Contains("customer: it is missing; context.value: a list", fault.Status.Detail, StringComparison.Ordinal);
        request.Customer = "c1";
        request.Context.Remove("value");
        fault = await Fault(Decisions.DecideAsync(request, Key(Shop.Key)));
        Assert.Equal((StatusCode.InvalidArgument, "context.nothing: no event field"), (fault.StatusCode, fault.Status.Detail[..31]));
        fault = await Fault(Decisions.DecideAsync(new DecideRequest { Customer = new string('x', 70_000) }, Key(Shop.Key)));
        Assert.Equal(StatusCode.ResourceExhausted, fault.StatusCode);
        // A call is counted behind its answer.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        foreach (var code in new[] { "ok", "invalid_argument" })
            // Engines of other tests in this process count as well.
            while (!(await Metrics("streamengine_grpc_calls_total")).Any(l =>
                Has(l, "method=\"/streamengine.v1.Decisions/Decide\"", $"code=\"{code}\"") && Amount(l) >= 2))
                patience.Token.ThrowIfCancellationRequested();
    }

    [Fact]
    public async Task Keys_scopes_rates_and_names_are_those_of_http()
    {
        async Task<RpcException> Read(Metadata? key, GrpcChannel? channel = null) =>
            await Fault(new V1.Customers.CustomersClient(channel ?? _channel).GetAsync(new GetCustomerRequest { Customer = "c1" }, key));
        var none = await Read(null);
        Assert.Equal((StatusCode.Unauthenticated, "NO_KEY"), (none.StatusCode, Reason(none)));
        Assert.StartsWith("This needs a key: send it as 'Authorization: Bearer KEY'", none.Status.Detail, StringComparison.Ordinal);
        Assert.Equal("UNKNOWN_KEY", Reason(await Read(Key("sek_wrong"))));
        var scope = await Read(Key(Asker.Key));
        Assert.Equal((StatusCode.PermissionDenied, "SCOPE"), (scope.StatusCode, Reason(scope)));
        Assert.Equal(Outcome.Served, (await Decisions.DecideAsync(new DecideRequest { Customer = "c1", Placement = "home" },
            new Metadata { { "x-api-key", Asker.Key } })).Outcome);
        // A rate of one a second: the second call at once is one too many, unless the machine stood still in between.
        RpcException? waits = null;
        while (waits is null)
            waits = (await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Caught(Customers.GetAsync(
                new GetCustomerRequest { Customer = "c1" }, Key(Slow.Key)))))).FirstOrDefault(f => f is not null);
        Assert.Equal((StatusCode.ResourceExhausted, "RATE"), (waits.StatusCode, Reason(waits)));
        Assert.Equal(1, waits.GetRpcStatus()!.GetDetail<RetryInfo>()!.RetryDelay.Seconds);
        // A page that gave its own name our address.
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) =>
            {
                var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
                await socket.ConnectAsync("127.0.0.1", _port, cancel);
                return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
            },
        });
        using var evil = GrpcChannel.ForAddress("http://evil.example", new GrpcChannelOptions { HttpClient = http });
        var host = await Read(Key(Shop.Key), evil);
        Assert.Equal((StatusCode.PermissionDenied, "HOST"), (host.StatusCode, Reason(host)));
        Assert.Contains(await Metrics("streamengine_http_refused_total"), l => Has(l, "reason=\"host\"") && Amount(l) >= 1);
        // Tools learn what there is, with a key.
        var tool = new ServerReflection.ServerReflectionClient(_channel);
        using var asking = tool.ServerReflectionInfo(Key(Shop.Key));
        await asking.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" });
        Assert.True(await asking.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(["streamengine.v1.Customers", "streamengine.v1.Decisions"],
            asking.ResponseStream.Current.ListServicesResponse.Service.Select(s => s.Name).Order());
        using var unknown = tool.ServerReflectionInfo();
        Assert.Equal(StatusCode.Unauthenticated, (await Assert.ThrowsAsync<RpcException>(async () =>
            await unknown.ResponseStream.MoveNext(CancellationToken.None))).StatusCode);
    }

    [Fact]
    public async Task An_engine_that_has_stopped_is_unavailable_and_a_stand_in_is_marked()
    {
        _shop.Engine.Stop();
        await _shop.Engine.Completion;
        var timeout = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(30));
        var stand = await Decisions.DecideAsync(new DecideRequest { Customer = "c1", Id = "a", Placement = "home", Timeout = timeout },
            Key(Shop.Key));
        Assert.Equal((true, "moved", "b", ""), (stand.Fallback, stand.Status, stand.Offers.Single().Offer_, stand.DecisionId));
        var asked = new DecideRequest { Customer = "c1", Id = "a", Placement = "email", Timeout = timeout };
        var fault = await Fault(Decisions.DecideAsync(asked, Key(Shop.Key)));
        Assert.Equal((StatusCode.Unavailable, "MOVED"), (fault.StatusCode, Reason(fault)));
        Assert.Equal("a", fault.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Metadata["request_id"]);
        Assert.NotNull(fault.GetRpcStatus()!.GetDetail<RetryInfo>());
    }

    [Fact]
    public async Task A_watch_tells_the_decision_that_an_event_caused_and_resumes_behind_it()
    {
        string last;
        using (var watch = Customers.Watch(new WatchCustomerRequest { Customer = "c1" }, Key(Shop.Key)))
        {
            var ready = await Next(watch, "ready");
            Assert.Equal("c1", ready.Data.Fields["customer"].StringValue);
            // There is room for one.
            using var other = Customers.Watch(new WatchCustomerRequest { Customer = "c2" }, Key(Shop.Key));
            var full = await Assert.ThrowsAsync<RpcException>(() => other.ResponseStream.MoveNext(CancellationToken.None));
            Assert.Equal((StatusCode.Unavailable, "LISTENERS"), (full.StatusCode, Reason(full)));
            _shop.Send("c1", "page_view", placement: "home");
            var told = await Next(watch, "decision");
            Assert.Equal(("event", "home"), (told.Data.Fields["origin"].StringValue, told.Data.Fields["placement"].StringValue));
            Assert.Equal(told.Id, told.Data.Fields["decision_id"].StringValue);
            last = told.Id;
        }
        var second = (await _shop.DecideAsync("c1")).DecisionId;
        while (true)
        {
            using var again = Customers.Watch(new WatchCustomerRequest { Customer = "c1", LastEventId = last }, Key(Shop.Key));
            try
            {
                Assert.Equal(second, (await Next(again, "decision")).Id);
                return;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable)
            {
                // The first one's place is given back a moment later.
            }
        }
    }

    private V1.Decisions.DecisionsClient Decisions => new(_channel);

    private V1.Customers.CustomersClient Customers => new(_channel);

    private static Metadata Key(string key) => new() { { "authorization", $"Bearer {key}" } };

    private static string Reason(RpcException fault)
    {
        var info = fault.GetRpcStatus()!.GetDetail<ErrorInfo>()!;
        Assert.Equal("streamengine", info.Domain);
        return info.Reason;
    }

    private static async Task<RpcException> Fault<T>(AsyncUnaryCall<T> call) =>
        await Assert.ThrowsAsync<RpcException>(async () => await call);

    private static async Task<RpcException?> Caught<T>(AsyncUnaryCall<T> call)
    {
        try
        {
            await call;
            return null;
        }
        catch (RpcException e)
        {
            return e;
        }
    }

    private static async Task<CustomerEvent> Next(AsyncServerStreamingCall<CustomerEvent> watch, string type)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await watch.ResponseStream.MoveNext(patience.Token))
            if (watch.ResponseStream.Current is { } told && told.Type == type) return told;
        throw new InvalidOperationException($"The stream ended without {type}.");
    }

    private static bool Has(string line, params string[] parts) =>
        parts.All(p => p[0] == ' ' ? line.TrimEnd().EndsWith(p, StringComparison.Ordinal) : line.Contains(p, StringComparison.Ordinal));

    private static double Amount(string line) => double.Parse(line.TrimEnd()[(line.TrimEnd().LastIndexOf(' ') + 1)..],
        System.Globalization.CultureInfo.InvariantCulture);

    private async Task<string[]> Metrics(string name)
    {
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Add("X-Api-Key", Shop.Key);
        return [.. (await client.GetStringAsync($"{_http.Address}/metrics")).Split('\n')
            .Where(l => l.StartsWith(name, StringComparison.Ordinal))];
    }
}
