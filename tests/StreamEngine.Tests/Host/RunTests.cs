using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Events;
using StreamEngine.Host.Demo;
using Xunit;

namespace StreamEngine.Tests.Host;

public sealed class RunTests : IDisposable
{
    private const int Count = 3_000;
    private readonly string _folder = Directory.CreateTempSubdirectory("run-test-").FullName;
    private readonly string _config = Configuration.Repository.Path("deploy", "samples", "demo", "streamengine.yaml");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("json")]
    [InlineData("avro")]
    public async Task A_drained_run_reads_everything_once_and_says_so_in_one_line(string format)
    {
        string[] common = ["--config", _config, "--embedded", _folder, "--set", $"events.shop.format={format}", "--set",
            "state.store=memory", "--set", "http.port=0"];
        var (code, output, error) = await Cli.RunAsync(["topics", "create", "--partitions", "2", "--json", .. common]);
        Assert.True(code == 0, error);
        Assert.Equal(["events", "decisions", "dead-letter", "late", "actions", "control"],
            JsonNode.Parse(output)!["created"]!.AsArray().Select(n => (string)n!));
        Write(format);

        (code, output, error) = await Cli.RunAsync(["run", "--drain", .. common]);
        Assert.True(code == 0, error);
        var summary = JsonNode.Parse(Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)))!;
        Assert.Equal(Count, (int)summary["events"]!);
        Assert.True((int)summary["decisions"]! > 100);
        Assert.Equal(["events", "admitted", "rejected", "decisions", "actions", "fallbacks", "seconds", "cpu_seconds",
            "allocated_bytes", "peak_rss_mb"], summary.AsObject().Select(p => p.Key));
        Assert.Equal(Count, (int)summary["admitted"]! + summary["rejected"]!.AsObject().Sum(r => (int)r.Value!));
        Assert.True((int)summary["rejected"]!["duplicate"]! > 0, output);
        var acted = summary["actions"]!.AsObject().Sum(a => (int)a.Value!);

        (code, output, _) = await Cli.RunAsync(["run", "--drain", .. common]);
        Assert.Equal((0, 0), (code, (int)JsonNode.Parse(output)!["events"]!));

        (_, output, _) = await Cli.RunAsync("topics", "list", "--embedded", _folder, "--json");
        var topics = JsonNode.Parse(output)!["topics"]!.AsArray().ToDictionary(t => (string)t!["name"]!, t => (int)t!["records"]!);
        Assert.Equal((Count, (int)summary["decisions"]!, acted), (topics["events"], topics["decisions"], topics["actions"]));
        Assert.True(topics["dead-letter"] > 0);
    }

    [Fact]
    public async Task Missing_topics_are_a_runtime_error_with_a_remedy()
    {
        var (code, _, error) = await Cli.RunAsync("run", "--config", _config, "--embedded", _folder, "--drain");
        Assert.Equal(3, code);
        Assert.Contains("topics create", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_demo_runs_for_a_while_and_sums_up()
    {
        var (code, output, error) = await Cli.RunAsync("demo", "--config", _config, "--for", "2s", "--rate", "500", "--customers", "100",
            "--dir", _folder, "--json", "--set", "state.store=memory");
        Assert.True(code == 0, error);
        var summary = JsonNode.Parse(output)!;
        Assert.True((int)summary["written"]! > 0);
        Assert.True((int)summary["admitted"]! > 0);
        Assert.True((int)summary["read"]! == (int)summary["written"]! || error.Contains("were not read", StringComparison.Ordinal), error);
    }

    [Fact]
    public async Task A_second_demo_in_the_same_folder_goes_on_with_new_events()
    {
        string[] line = ["demo", "--config", _config, "--for", "2s", "--rate", "500", "--customers", "100", "--dir", _folder, "--json",
            "--set", "state.store=memory", "--set", "state.directory=" + Path.Combine(_folder, "state")];
        var (code, _, error) = await Cli.RunAsync(line);
        Assert.True(code == 0, error);
        (code, var output, error) = await Cli.RunAsync(line);
        Assert.True(code == 0, error);
        Assert.Contains("events of an earlier demo", error, StringComparison.Ordinal);
        var summary = JsonNode.Parse(output)!;
        Assert.True((int)summary["admitted"]! > (int)summary["read"]! * 9 / 10, output);
    }

    [Fact]
    public async Task A_port_that_is_taken_names_the_remedy()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        string[] common = ["--config", _config, "--embedded", _folder, "--set", "state.store=memory"];
        await Cli.RunAsync(["topics", "create", .. common]);
        var (code, _, error) = await Cli.RunAsync(["run", "--drain", .. common, "--set", $"http.port={port}"]);
        Assert.Equal(3, code);
        Assert.Contains($"can't be served at 127.0.0.1:{port}: ", error, StringComparison.Ordinal);
        Assert.Contains("(0 turns it off)", error, StringComparison.Ordinal);
    }

    private void Write(string format)
    {
        using var log = new EmbeddedLog(new EmbeddedLogOptions(_folder));
        using var writer = log.OpenWriter();
        using var encoder = new ShopEventWriter(format == "avro" ? RecordFormat.Avro : RecordFormat.Json);
        var shop = new Shop(5, 50);
        for (var i = 0; i < Count; i++)
        {
            var e = shop.Next(1_700_000_000_000 + i * 1_000);
            writer.Write("events", Encoding.UTF8.GetBytes(e.CustomerId), encoder.Write(e), e.Time);
        }
        writer.Flush();
    }
}
