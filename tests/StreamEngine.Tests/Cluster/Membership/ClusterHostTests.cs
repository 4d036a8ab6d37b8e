using System.Net;
using System.Text.Json.Nodes;
using StreamEngine.Host.Http;
using StreamEngine.Host.Run;
using StreamEngine.Host.Telemetry;
using StreamEngine.Testing;
using StreamEngine.Tests.Host;
using StreamEngine.Tests.Requests;
using Xunit;

namespace StreamEngine.Tests.Cluster.Membership;

/// <summary>What the host shows of the cluster, and that without one nothing of it is loaded.</summary>
public sealed class ClusterHostTests : IDisposable
{
    private static readonly ClusterReport Report = new("demo", "a", "a:4053", "up", "b:4053", true, true,
        [new("a", "a:4053", "up", true, false, [], 75), new("b", "b:4053", "weakly_up", false, true, ["web"], 7_300)],
        [new(0, "a", "a", false, 1_234, null), new(1, "b", "a", true, null, null), new(2, null, null, false, 0, 0.25)]);

    private readonly string _folder = Directory.CreateTempSubdirectory("cluster-host-").FullName;
    private readonly string _config = Configuration.Repository.Path("deploy", "samples", "demo", "streamengine.yaml");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Members_and_shards_are_shown_side_by_side_with_the_differences_marked()
    {
        await using var http = await Listen(() => Task.FromResult(Report));
        var (code, output, error) = await Ask(http);
        Assert.True(code == 0, error);
        Assert.Equal("""
            demo: node a at a:4053 is up; leader b:4053

            node  address  status     heard  leader  seen  roles
            a     a:4053   up         yes            75s
            b     b:4053   weakly up  NO     yes     2h    web

            shard  owner (Kafka)  requests to (Akka)  lag    restore
            0      a              a                   1,234
            1      b              a DIFFERS           ?
            2      nobody         -                   0      25 %

            """, output);
        (code, output, _) = await Ask(http, "--json");
        var shard = JsonNode.Parse(output)!["shards"]![1]!;
        Assert.Equal((0, "b", "a", true), (code, (string)shard["owner"]!, (string)shard["location"]!, (bool)shard["differs"]!));
    }

    [Fact]
    public void What_is_not_known_yet_is_shown_as_such()
    {
        var lines = ClusterCommand.Lines(Report with { OwnersKnown = false, LocationsKnown = false }).ToList();
        Assert.Contains("0      ?              ?                   1,234", lines);
        Assert.Contains(lines, l => l.StartsWith("Kafka's group does not tell", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_process_without_a_cluster_says_so()
    {
        await using var http = await Listen(null);
        var (code, _, error) = await Ask(http);
        Assert.Equal(3, code);
        Assert.Contains("is in no cluster: its config has no section 'cluster'", error, StringComparison.Ordinal);
        await using var other = await Listen(() => Task.FromResult(Report with { Engine = "other" }));
        Assert.Contains("runs engine 'other', not 'demo'", (await Ask(other)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Readiness_needs_the_cluster_where_the_config_says_so_and_shows_it_either_way()
    {
        using var shop = new RequestShop(_folder, start: false);
        var outside = new ClusterHealth("joining", true, 0, [], "nobody of a:4053 lets this node in");
        ClusterHealth? cluster = outside;
        await using var http = await HttpEndpoint.ListenAsync("127.0.0.1", 0, new MetricsEndpoint("none"), () =>
            RunCommand.Health(shop.Engine, cluster), () => true);
        using var client = new HttpClient { BaseAddress = new Uri(http.Address) };
        var reply = await client.GetAsync("/healthz/ready");
        var json = JsonNode.Parse(await reply.Content.ReadAsStringAsync())!;
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "joining", "nobody of a:4053 lets this node in"),
            (reply.StatusCode, (string)json["status"]!, (string)json["cluster"]!["reason"]!));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/healthz/live")).StatusCode);
        cluster = outside with { Required = false };
        reply = await client.GetAsync("/healthz");
        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
        Assert.Contains("\"status\":\"joining\"", await reply.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        cluster = outside with { Status = "up", Unreachable = ["b:4053"] };
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/healthz/ready")).StatusCode);
    }

    [SkippableFact]
    public async Task Without_the_section_no_assembly_of_Akka_is_loaded()
    {
        Skip.IfNot(Directory.Exists("/proc/self"), "what a process has loaded is read from /proc");
        string[] common = ["--config", _config, "--embedded", _folder, "--set", "state.store=memory", "--set", "requests.enabled=true"];
        Assert.Equal(0, (await Cli.RunAsync(["topics", "create", "--partitions", "1", .. common])).Code);
        using var engine = EngineProcess.Start(["run", .. common]);
        Assert.True(await engine.Until(async () => await engine.Metric("streamengine_shards") == 1, TimeSpan.FromSeconds(30)),
            engine.Output);
        var maps = await File.ReadAllTextAsync($"/proc/{engine.Id}/maps");
        Assert.Contains("/StreamEngine.Connectors.Embedded.dll", maps, StringComparison.Ordinal);
        Assert.DoesNotContain("/Akka", maps, StringComparison.Ordinal);
    }

    private static Task<HttpEndpoint> Listen(Func<Task<ClusterReport>>? report) => HttpEndpoint.ListenAsync("127.0.0.1", 0,
        new MetricsEndpoint("none"), () => new HealthReport(true, [], [], []), () => true, app => ClusterEndpoint.Map(app, "demo", report));

    private Task<(int Code, string Output, string Error)> Ask(HttpEndpoint http, params string[] more) =>
        Cli.RunAsync(["cluster", "--config", _config, "--set", $"http.port={new Uri(http.Address).Port}", .. more]);
}
