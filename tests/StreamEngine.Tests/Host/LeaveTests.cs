using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using StreamEngine.Host.Http;
using StreamEngine.Host.Run;
using StreamEngine.Host.Telemetry;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>The command <c>leave</c> and what it asks. Kafka's group is in the system tests.</summary>
public sealed class LeaveTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("leave-test-").FullName;
    private readonly string _config = Configuration.Repository.Path("deploy", "samples", "demo", "streamengine.yaml");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_running_process_commits_leaves_and_ends_well()
    {
        var port = FreePort.Find();
        string[] common = ["--config", _config, "--embedded", _folder, "--set", "state.store=memory", "--set", $"http.port={port}"];
        await Cli.RunAsync(["topics", "create", "--partitions", "2", .. common]);
        var running = Cli.RunAsync(["run", .. common]);
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/") };
        // Shards of other tests' engines in this process are in the metrics too: they alone do not tell that the worker has joined.
        await Until(async () => (await client.GetAsync("healthz")).IsSuccessStatusCode
            && await client.GetStringAsync("metrics") is var metrics
            && metrics.Contains("streamengine_shards{} 2\n", StringComparison.Ordinal)
            && metrics.Contains("streamengine_worker_since_turn_seconds{worker=\"0\"} ", StringComparison.Ordinal));

        var (code, output, error) = await Cli.RunAsync(["leave", "--json", .. common]);
        Assert.True(code == 0, error);
        Assert.Equal([0, 1], JsonNode.Parse(output)!["partitions"]!.AsArray().Select(n => (int)n!));
        var run = await running.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.True(run.Code == 0, run.Error);
    }

    [Fact]
    public async Task Nobody_there_is_told_with_the_remedy() =>
        await Fails(FreePort.Find(), "Nothing listens at http://127.0.0.1:", "--node");

    [Fact]
    public async Task Without_a_port_the_process_cannot_be_asked() => await Fails(0, "http.port is 0", "--node");

    [Fact]
    public async Task Another_engine_is_left_alone()
    {
        var asked = false;
        await using var http = await Listen(app => LeaveEndpoint.Map(app, "other", () =>
        {
            asked = true;
            return Task.FromResult(new LeaveReply("other", "a", []));
        }));
        await Fails(new Uri(http.Address).Port, "runs engine 'other', not '", "nothing was done");
        Assert.False(asked);
    }

    [Fact]
    public async Task What_cannot_leave_is_told_so()
    {
        await using var http = await Listen(null);
        await Fails(new Uri(http.Address).Port, "can't leave (it answered 404)");
    }

    [Fact]
    public async Task A_worker_that_failed_on_the_way_is_told()
    {
        await using var http =
            await Listen(app => LeaveEndpoint.Map(app, "demo", () => Task.FromResult(new LeaveReply("demo", "a", [1], "the log is away"))));
        await Fails(new Uri(http.Address).Port, "did not leave in order: the log is away");
    }

    [Fact]
    public async Task Only_json_from_this_machine_is_heard()
    {
        await using var http = await Listen(app =>
        {
            app.Use((context, next) =>
            {
                if (context.Request.Headers.ContainsKey("far")) context.Connection.RemoteIpAddress = IPAddress.Parse("192.0.2.7");
                return next(context);
            });
            LeaveEndpoint.Map(app, "demo", () => Task.FromResult(new LeaveReply("demo", "a", [])));
        });
        using var client = new HttpClient { BaseAddress = new Uri(http.Address) };
        using var form = await client.PostAsync("/leave", new StringContent("""{"engine":"demo"}"""));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, form.StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await client.GetAsync("/leave")).StatusCode);
        using var near = await client.PostAsJsonAsync("/leave", new LeaveRequest("demo"));
        Assert.Equal(HttpStatusCode.OK, near.StatusCode);
        client.DefaultRequestHeaders.Add("far", "1");
        using var far = await client.PostAsJsonAsync("/leave", new LeaveRequest("demo"));
        Assert.Equal(HttpStatusCode.Forbidden, far.StatusCode);
    }

    [Theory]
    [InlineData("Host", "evil.example")]
    [InlineData("Host", "evil.example:9464")]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Origin", "http://127.0.0.1:1")]
    public async Task A_page_of_another_site_reaches_nothing_that_acts_or_tells_of_a_customer(string header, string value)
    {
        var asked = 0;
        await using var http = await Listen(app =>
        {
            LeaveEndpoint.Map(app, "demo", () => Task.FromResult(new LeaveReply("demo", "a", [++asked])));
            app.MapPost("/v1/decisions", () => ++asked);
            app.MapGet("/v1/customers/{id}", (string id) => ++asked);
        });
        using var client = new HttpClient { BaseAddress = new Uri(http.Address) };
        client.DefaultRequestHeaders.TryAddWithoutValidation(header, value);
        using var left = await client.PostAsJsonAsync("/leave", new LeaveRequest("demo"));
        using var decided = await client.PostAsJsonAsync("/v1/decisions", new { });
        using var read = await client.GetAsync("/v1/customers/a");
        Assert.All([left, decided, read], r => Assert.Equal(HttpStatusCode.Forbidden, r.StatusCode));
        Assert.Equal(0, asked);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/healthz")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/metrics")).StatusCode);
    }

    [Theory]
    [InlineData("localhost", "http://localhost")]
    [InlineData("[::1]:9464", "http://[::1]:9464")]
    [InlineData("10.0.0.7:9464", null)]
    [InlineData("Engine.Internal", "http://engine.internal")]
    public async Task Our_own_names_are_heard(string host, string? origin)
    {
        await using var http = await HttpEndpoint.ListenAsync("127.0.0.1", 0, new MetricsEndpoint("none"),
            () => new HealthReport(true, [], [], []), () => true,
            app => LeaveEndpoint.Map(app, "demo", () => Task.FromResult(new LeaveReply("demo", "a", []))), ["engine.internal"]);
        using var client = new HttpClient { BaseAddress = new Uri(http.Address) };
        client.DefaultRequestHeaders.Host = host;
        if (origin is not null) client.DefaultRequestHeaders.TryAddWithoutValidation("Origin", origin);
        using var reply = await client.PostAsJsonAsync("/leave", new LeaveRequest("demo"));
        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
    }

    [Fact]
    public async Task A_node_needs_Kafka()
    {
        var (code, _, error) = await Cli.RunAsync("leave", "--config", _config, "--embedded", _folder, "--node", "b");
        Assert.Equal(1, code);
        Assert.Contains("--node needs --kafka", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_help_says_what_becomes_of_a_member_that_lives() =>
        Assert.Contains("fenced", (await Cli.RunAsync("leave", "--help")).Output, StringComparison.Ordinal);

    [Theory]
    [InlineData("shop-b-0", true)]
    [InlineData("shop-b-12", true)]
    [InlineData("shop-b-c-0", false)] // node b-c
    [InlineData("shop-b-", false)]
    [InlineData("shop-a-0", false)]
    public void A_nodes_members_are_those_with_a_number_behind_its_name(string instance, bool expected) =>
        Assert.Equal(expected, LeaveCommand.IsOf(instance, "shop-b-"));

    private async Task Fails(int port, params string[] words)
    {
        var (code, output, error) = await Cli.RunAsync("leave", "--config", _config, "--embedded", _folder, "--set", $"http.port={port}");
        Assert.Equal((3, ""), (code, output));
        foreach (var word in words) Assert.Contains(word, error, StringComparison.Ordinal);
    }

    private static Task<HttpEndpoint> Listen(Action<WebApplication>? more) =>
        HttpEndpoint.ListenAsync("127.0.0.1", 0, new MetricsEndpoint("none"), () => new HealthReport(true, [], [], []), () => true, more);

    private static async Task Until(Func<Task<bool>> holds)
    {
        for (var tries = 0; tries < 400; tries++)
        {
            try
            {
                if (await holds()) return;
            }
            catch (HttpRequestException)
            {
                // not listening yet
            }
            await Task.Delay(50);
        }
        Assert.Fail("the process did not come up");
    }
}
