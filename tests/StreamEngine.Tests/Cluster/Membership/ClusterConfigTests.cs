using StreamEngine.Cluster;
using StreamEngine.Cluster.Membership;
using StreamEngine.Configuration;
using StreamEngine.Runtime;
using StreamEngine.Tests.Host;
using Xunit;

namespace StreamEngine.Tests.Cluster.Membership;

/// <summary>The config's section <c>cluster</c>: what is refused, and what Akka is told.</summary>
public sealed class ClusterConfigTests
{
    private static readonly string Demo = Configuration.Repository.Path("deploy", "samples", "demo", "streamengine.yaml");

    private static Task<(int Code, string Output, string Error)> Validate(params string[] sets) =>
        Cli.RunAsync(["validate", "--config", Demo, .. sets.SelectMany(s => new[] { "--set", s })]);

    private static readonly string[] Needed =
        ["requests.enabled=true", "runtime.wrong_partition=refuse", "runtime.delivery=exactly_once"];

    [Theory]
    [InlineData("cluster.seeds=[a]", "'a' is no address of a node")]
    [InlineData("cluster.seeds=[a:4053, A:4053]", "A:4053 is listed twice")]
    [InlineData("cluster.seeds=[0.0.0.0:4053]", "'0.0.0.0:4053' is no address of a node")]
    [InlineData("cluster={}", "nothing by which nodes could find each other")]
    [InlineData("cluster.discovery={method: dns}", "'' is no name in DNS")]
    [InlineData("cluster={seeds: [a:1], discovery: {method: kubernetes}}", "seeds are given as well")]
    [InlineData("cluster.discovery={method: kubernetes, selector: ' '}", "every pod would count as a node")]
    [InlineData("cluster={seeds: [a:1], address: 0.0.0.0}", "'0.0.0.0' is no address that other nodes can connect to")]
    [InlineData("cluster={seeds: [a:1], bind_address: host}", "'host' is no address to listen on")]
    [InlineData("cluster={seeds: [a:1], roles: [node.b]}", "begins as the role that names a node")]
    [InlineData("cluster={seeds: [a:1], roles: ['a b']}", "'a b' is no role")]
    [InlineData("cluster={seeds: [a:1], tls: {}}", "cluster.tls.certificate: there is none")]
    [InlineData("cluster={seeds: [a:1], tls: {certificate: none.pfx}}", "'none.pfx' can't be used")]
    [InlineData("cluster={seeds: [a:1], tls: {certificate: none.pfx, password_file: none.txt}}", "the file can't be read")]
    [InlineData("cluster={seeds: [a:1], failure_detector: {heartbeat: 2s, pause: 1s}}", "every node would be taken for dead")]
    [InlineData("cluster={seeds: [a:1], downing: {strategy: keep_newest}}", "keep_oldest")]
    public async Task A_mistake_is_told_before_anything_starts(string set, string told)
    {
        var (code, _, error) = await Validate([.. Needed, set]);
        Assert.Equal(2, code);
        Assert.Contains(told, error, StringComparison.Ordinal);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries), l => l.Contains("cluster", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_it_needs_of_the_other_sections_is_told_all_at_once()
    {
        var (code, _, error) = await Validate("requests.enabled=false", "runtime.wrong_partition=count", "cluster.seeds=[a:1]");
        Assert.Equal(2, code);
        Assert.Contains("a cluster answers requests, and they are off", error, StringComparison.Ordinal);
        Assert.Contains("Set runtime.wrong_partition to refuse", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_right_section_is_taken_and_the_embedded_log_refuses_it_with_the_reason()
    {
        string[] right = [.. Needed, "cluster={seeds: [a:4053, b:4053], address: a, roles: [web]}"];
        var (code, output, error) = await Validate(right);
        Assert.True(code == 0, output + error);
        (code, _, error) = await Cli.RunAsync(["run", "--config", Demo, "--embedded", "none", .. right.SelectMany(s =>
            new[] { "--set", s })]);
        Assert.Equal(2, code);
        Assert.Contains("an embedded log has one process", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Kafkas_session_timeout_is_what_nodes_are_taken_out_by()
    {
        var text = AkkaConfig.Write(new ClusterOptions { Seeds = ["a:1", "b:1"], Address = "b", Port = 1 }, "n", TimeSpan.FromSeconds(15));
        Assert.Contains("acceptable-heartbeat-pause = 3000ms", text, StringComparison.Ordinal);
        Assert.Contains("streamengine.cluster.stable-after = 5000ms", text, StringComparison.Ordinal);
        Assert.Contains("KeepAll, StreamEngine.Cluster\"", text, StringComparison.Ordinal);
        Assert.Contains("roles = [\"node.n\"]", text, StringComparison.Ordinal);
        Assert.Contains("seed-node-timeout = 10000ms", text, StringComparison.Ordinal); // b is the second seed
        text = AkkaConfig.Write(new ClusterOptions { Seeds = ["a:1", "b:1", "c:1"], Address = "d" }, "n", TimeSpan.FromSeconds(6));
        Assert.Contains("acceptable-heartbeat-pause = 1200ms", text, StringComparison.Ordinal);
        Assert.Contains("active-strategy = keep-majority\n      stable-after = 2000ms", text, StringComparison.Ordinal);
        Assert.Contains("down-all-when-unstable = off", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("shop", "streamengine-shop")]
    [InlineData("shop.eu", "streamengine-shop-eu-[0-9a-f]{8}")]
    public void Engines_have_systems_of_their_own(string engine, string name) =>
        Assert.Matches($"^{name}$", AkkaConfig.SystemName(engine));

    [Fact]
    public void A_mistake_has_its_line()
    {
        var errors = new ConfigErrors();
        var node = StreamEngine.Host.Configuration.YamlConfigReader.Read("shop.yaml", "seeds:\n  - a:1\n  - b\n", errors)!;
        var engine = new EngineOptions
        {
            Requests = new() { Enabled = true },
            Runtime = new() { WrongPartition = WrongPartitionFate.Refuse },
        };
        ClusterCheck.Check(OptionsBinder.Bind<ClusterOptions>(node, errors), engine, "/", errors);
        Assert.Equal("shop.yaml:3:5", Assert.Single(errors.All).At.ToString());
    }
}
