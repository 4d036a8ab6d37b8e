using System.Net;
using System.Text.Json.Nodes;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>The kill switch from the command line, on a log that nobody runs an engine on, and beside a running engine.</summary>
public sealed class SwitchTests : IDisposable
{
    private const string Config = """
        name: small
        events:
          orders: { topic: orders, format: json, time: { field: at, format: iso }, id: order, customer: who }
        decisions: { triggers: { any: { when: 'true', placement: "'home'" } } }
        offers:
          club: { propensity: 0.5, value: "1.0" }
          letter: { propensity: 0.1, value: "9.0", channel: post }
        state: { store: memory }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("switch-test-").FullName;
    private readonly int _port = FreePort.Find();
    private int _orders;

    public SwitchTests() => File.WriteAllText(In("config.yaml"), Config);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task What_is_switched_is_listed_with_who_when_and_why_and_stays_in_the_log()
    {
        await Create();
        var output = await Done("switch", "off", "offer:club", "channel:post", "--reason", "price is wrong");
        Assert.Equal("offer:club: off\nchannel:post: off\n", output);
        Assert.Equal("offer:club: on\n", await Done("switch", "on", "offer:club", "--by", "bob", "--reason", "mended"));

        var off = Assert.Single(JsonNode.Parse(await Done("switch", "list", "--json"))!["off"]!.AsArray())!;
        Assert.Equal(("channel:post", true, Environment.UserName, "price is wrong"),
            ((string)off["what"]!, (bool)off["in_config"]!, (string)off["by"]!, (string)off["reason"]!));
        Assert.InRange(DateTimeOffset.UtcNow - (DateTimeOffset)off["at"]!, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        Assert.Matches($@"^since +what +by +reason\n\d{{4}}-\S+Z  channel:post  {Environment.UserName} +price is wrong\n$",
            await Done("switch", "list"));

        var log = JsonNode.Parse(await Done("switch", "log", "--json"))!["log"]!.AsArray();
        Assert.Equal(["offer:club true price is wrong", "channel:post true price is wrong", "offer:club false mended"],
            log.Select(r => $"{r!["what"]} {r["off"]!.ToJsonString()} {r["reason"]}"));
        Assert.Matches(@"Z  on   offer:club +bob +mended\n$", await Done("switch", "log"));
    }

    [Fact]
    public async Task Switching_again_is_told_and_on_is_written_only_where_something_was_off()
    {
        await Create();
        Assert.Equal("nothing is off\n", await Done("switch", "list"));
        Assert.Equal("nothing was switched yet\n", await Done("switch", "log"));
        Assert.Equal("all: on (it was on already)\n", await Done("switch", "on", "all"));
        await Done("switch", "off", "all", "all", "--reason", "first");
        Assert.Matches(@"^all: off \(it was off already, since \S+Z; the new reason is on record\)\n$",
            await Done("switch", "off", "all", "--reason", "second"));
        Assert.Equal(["first", "second"], JsonNode.Parse(await Done("switch", "log", "--json"))!["log"]!.AsArray()
            .Select(r => (string)r!["reason"]!));
        var written = JsonNode.Parse(await Done("switch", "on", "all", "--json"))!["switched"]!.AsArray();
        Assert.Equal("all false ", $"{written.Single()!["what"]} {written[0]!["off"]!.ToJsonString()} {written[0]!["reason"]}");
    }

    [Fact]
    public async Task What_the_config_lost_can_be_switched_on_but_not_off()
    {
        await Create();
        await Done("switch", "off", "offer:club", "--reason", "x");
        File.WriteAllText(In("config.yaml"), Config.Replace("club:", "klub:", StringComparison.Ordinal));
        Assert.Matches(@"x  \(not in the config\)\n$", await Done("switch", "list"));
        Assert.Equal(1, (await RunAsync("switch", "off", "offer:club", "--reason", "x")).Code);
        Assert.Equal("offer:club: on\n", await Done("switch", "on", "offer:club"));
        Assert.Equal(1, (await RunAsync("switch", "on", "offer:club")).Code);
    }

    [Theory]
    [InlineData("offer:culb", "The config has no offer 'culb'. Did you mean 'club'? The offers are: club, letter.")]
    [InlineData("channel:email", "The config has no channel 'email'. The channels are: default, post.")]
    [InlineData("model:churn", "The config has no model 'churn'. There are no models in the config.")]
    [InlineData("club",
        "'club' can't be switched: write all, offer:NAME, channel:NAME, model:NAME or budget:NAME. Did you mean 'offer:club'?")]
    [InlineData("everything", "'everything' can't be switched: write all, offer:NAME, channel:NAME, model:NAME or budget:NAME.\n")]
    public async Task An_unknown_name_is_refused_with_those_there_are(string what, string message)
    {
        await Create();
        var (code, output, error) = await RunAsync("switch", "off", "all", what, "--reason", "x");
        Assert.Equal((1, ""), (code, output));
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Equal("nothing was switched yet\n", await Done("switch", "log")); // and nothing else of the line was done
    }

    [Fact]
    public async Task What_is_missing_is_told_with_the_remedy()
    {
        await Create();
        var (code, _, error) = await RunAsync("switch", "off", "all");
        Assert.Equal(1, code);
        Assert.Contains("'--reason' is required", error, StringComparison.Ordinal);
        (code, _, error) = await RunAsync("switch", "list", "--set", "control.topic=");
        Assert.Equal(2, code);
        Assert.Contains("the config names no control topic, so nothing can be switched", error, StringComparison.Ordinal);
        (code, _, error) = await RunAsync("switch", "off", "all", "--reason", "x", "--set", "control.topic=orders");
        Assert.Equal(2, code);
        Assert.Contains("topic 'orders' is also that of events.orders.topic", error, StringComparison.Ordinal);
        await Done("topics", "create", "--partitions", "2", "--set", "outputs.late=elsewhere");
        (code, _, error) = await RunAsync("switch", "list", "--set", "control.topic=elsewhere");
        Assert.Equal(3, code);
        Assert.Contains("Control topic 'elsewhere' has 2 partitions and needs one", error, StringComparison.Ordinal);
        (code, var help, _) = await Cli.RunAsync("switch", "off", "--help");
        Assert.Equal(0, code);
        Assert.Contains("streamengine switch off offer:club --reason", help, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_running_engine_follows_and_tells_over_HTTP_what_is_off()
    {
        await Create();
        using var stop = new CancellationTokenSource();
        var running = Cli.RunAsync(["run", "--config", In("config.yaml"), "--embedded", In("log"), "--set", $"http.port={_port}"],
            stop.Token);
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_port}") };
        await Until(async () => (await client.GetAsync("/healthz")).StatusCode == HttpStatusCode.OK);
        await DecidesAsync("letter");
        Assert.Equal("""{"version":-1,"off":[]}""", await client.GetStringAsync("/v1/switches"));

        await Done("switch", "off", "channel:post", "--reason", "the printer burns", "--by", "ann");
        await Until(async () => (await client.GetStringAsync("/v1/switches")).Contains("post", StringComparison.Ordinal));
        var told = JsonNode.Parse(await client.GetStringAsync("/v1/switches"))!;
        Assert.Equal((0, "channel:post", true, "ann", "the printer burns"), ((int)told["version"]!, (string)told["off"]![0]!["what"]!,
            (bool)told["off"]![0]!["in_config"]!, (string)told["off"]![0]!["by"]!, (string)told["off"]![0]!["reason"]!));
        await DecidesAsync("club");
        var metrics = await client.GetStringAsync("/metrics"); // other tests' engines are in them too
        foreach (var line in new[] { "switches_off{kind=\"channel\"} ", "switches_version{} ", "switch_delay_seconds_count{} ",
            "candidates_dropped_total{reason=\"switched_off\"} " })
            Assert.Contains($"\nstreamengine_{line}", metrics, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/healthz")).StatusCode);
        await Done("switch", "off", "all", "--reason", "stop");
        await DecidesAsync(null);
        await stop.CancelAsync();
        Assert.Equal(0, (await running).Code);
    }

    [Fact]
    public async Task An_embedded_log_gets_the_topic_when_it_is_needed_and_topics_list_says_what_does_not_fit()
    {
        using (var log = new EmbeddedLog(new EmbeddedLogOptions(In("log")))) log.CreateTopics([new TopicSpec("orders", 2)]);
        Assert.Equal("nothing is off\n", await Done("switch", "list"));
        Assert.Equal("control, missing: `topics create` makes it", await Row("control"));
        await Done("switch", "off", "offer:club", "--reason", "x");
        Assert.Equal("control, ", await Row("control"));
        Assert.Equal("control, needs one partition", await Row("other", "control.topic=other"));

        async Task<string> Row(string topic, string? set = null)
        {
            if (set is not null)
                using (var log = new EmbeddedLog(new EmbeddedLogOptions(In("log")))) log.CreateTopics([new TopicSpec("other", 2)]);
            var rows = JsonNode.Parse(await Done(["topics", "list", "--json", .. set is null ? [] : new[] { "--set", set }]))!["topics"]!;
            var row = rows.AsArray().Single(r => (string)r!["name"]! == topic)!;
            return $"{row["role"]}, {row["fault"]}";
        }
    }

    private async Task Create() => await Done("topics", "create", "--partitions", "2");

    /// <summary>Sends events until the decision about one chooses this offer.</summary>
    private async Task DecidesAsync(string? offer)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (await DecideAsync() != offer) Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(60));
    }

    /// <summary>One event, and the offer that the decision about it chose.</summary>
    private async Task<string?> DecideAsync()
    {
        var id = $"o{_orders++}";
        File.WriteAllText(In("orders.ndjson"), $$"""{"order":"{{id}}","who":"{{id}}","at":"2026-01-01T10:00:00Z"}""");
        await Done("produce", "--events", In("orders.ndjson"));
        JsonNode? decision = null;
        await Until(async () => (decision = (await TailAsync()).Find(d => (string)d["customer_id"]! == id)) is not null);
        return (string?)decision!["chosen"]?["offer"];
    }

    private async Task<List<JsonNode>> TailAsync() => [.. (await Done("tail", "decisions", "--json", "--from-beginning"))
        .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!)];

    private async Task<string> Done(params string[] line)
    {
        var (code, output, error) = await RunAsync(line);
        Assert.True(code == 0, error);
        return output;
    }

    private Task<(int Code, string Output, string Error)> RunAsync(params string[] line) =>
        Cli.RunAsync([.. line, "--config", In("config.yaml"), "--embedded", In("log")]);

    private static async Task Until(Func<Task<bool>> holds)
    {
        for (var began = TimeProvider.System.GetTimestamp(); ; await Task.Delay(20))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(60));
            try
            {
                if (await holds()) return;
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }
        }
    }

    private string In(string name) => Path.Combine(_folder, name);
}
