using System.Text.Json.Nodes;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>From a file of events to shown results, by way of an embedded log.</summary>
public sealed class TailTests : IDisposable
{
    private const string Config = """
        name: small
        events:
          orders: { topic: orders, format: json, time: { field: at, format: iso }, id: order, customer: who, pii: [mail],
            fields: { value: decimal(2) } }
        decisions: { triggers: { big: { when: event.value >= 10.0, placement: event.type } } }
        offers:
          gift: { propensity: 0.5, value: "1.0" }
          letter: { propensity: 0.1, value: "9.0", channel: post, eligible: event.value >= 50.0 }
        outputs: { channels: { post: letters } }
        state: { store: memory }
        http: { port: 0 }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("tail-test-").FullName;

    public TailTests() => File.WriteAllText(In("config.yaml"), Config);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Everything_that_was_written_is_shown_by_role_channel_and_customer()
    {
        await ProduceAsync(("ann", 10, 0), ("bob", 60, 1), ("ann", 11, 2), ("ann", "x", 3), ("bob", 12, -7 * 24 * 3600));
        await DrainAsync();
        using var open = EmbeddedLog.OpenShared(new EmbeddedLogOptions(In("log"))); // quicker, and it must do
        var actions = await TailAsync("actions", "--json");
        Assert.Equal(["ann gift", "bob letter", "ann gift"], actions.Select(a => $"{a["customer_id"]} {a["offer"]}"));
        Assert.Equal(["letter"], (await TailAsync("post", "--json")).Select(a => (string)a["offer"]!));
        Assert.Equal(2, (await TailAsync("default", "--json")).Count);
        Assert.Equal(["bob"], (await TailAsync("decisions", "--json", "--customer", "bob")).Select(d => (string)d["customer_id"]!));
        Assert.Equal(["ann"], (await TailAsync("decisions", "--json", "--last", "1")).Select(d => (string)d["customer_id"]!));
        Assert.Equal(3, (await TailAsync("decisions", "--json", "--from-beginning")).Count);
        Assert.Empty(await TailAsync("decisions", "--json", "--last", "0"));
        var letter = Assert.Single(await TailAsync("dead-letter", "--json"));
        Assert.Equal(("wrong-type", true), ((string)letter["reason"]!, (bool)letter["masked"]!));
        Assert.DoesNotContain("@", (string)letter["bytes"]!, StringComparison.Ordinal);
        var late = Assert.Single(await TailAsync("late", "--json"));
        Assert.Equal("bob", (string)JsonNode.Parse((string)late["record"]!)!["who"]!);

        var (_, text, _) = await RunAsync("tail", "decisions", "--customer", "bob");
        Assert.StartsWith("2020-01-01T10:00:01.000Z  bob ", text, StringComparison.Ordinal);
        Assert.Matches("served +letter +priority 0.9  dropped: gift [a-z_]+\n$", text);
        (_, text, _) = await RunAsync("tail", "dead-letter");
        Assert.Contains("wrong-type", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_value_that_can_not_be_read_is_told_and_its_control_characters_do_nothing()
    {
        using (var log = new EmbeddedLog(new EmbeddedLogOptions(In("log"))))
        {
            log.CreateTopics([new TopicSpec("actions", 1), new TopicSpec("late", 1), new TopicSpec("letters", 1)]);
            using var writer = log.OpenWriter();
            writer.Write("actions", "k"u8, [0, 0, 0, 0, 101, 255], 1);
            writer.Write("actions", "k"u8, """{"offer":"of another format","event_time":"2020"}"""u8, 2);
            writer.Write("late", "k"u8, "\u001b[2Jx"u8, 1);
            writer.Write("late", "k"u8, [255, 0], 2);
        }
        var (code, output, error) = await RunAsync("tail", "actions", "--json");
        Assert.Equal((0, """{"offer":"of another format","event_time":"2020"}""" + "\n"), (code, output));
        Assert.Contains("actions[0]@0: 6 bytes that can't be read", error, StringComparison.Ordinal);
        (_, output, _) = await RunAsync("tail", "late");
        Assert.Contains("\\u001b[2Jx", output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', output);
        Assert.Equal("/wA=", (string)(await TailAsync("late", "--json"))[1]["record"]!["base64"]!);
    }

    [Fact]
    public async Task Following_goes_on_over_the_ends_and_starts_of_the_processes_that_write()
    {
        await ProduceAsync(("ann", 10, 0));
        using var stop = new CancellationTokenSource();
        var (output, error) = (new StringWriter(), new StringWriter());
        var written = TextWriter.Synchronized(output); // by a lock on itself
        string[] line = ["tail", "actions", "--follow", "--config", In("config.yaml"), "--embedded", In("log")];
        var following = Task.Run(() => StreamEngine.Host.Cli.CommandLine.RunAsync(line, written, TextWriter.Synchronized(error),
            stop.Token));
        int Lines()
        {
            lock (written) return output.ToString().Count(c => c == '\n');
        }
        for (var lines = 1; lines <= 3; lines++)
        {
            await DrainAsync();
            while (Lines() < lines)
            {
                Assert.False(following.IsCompleted, error.ToString());
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
            }
            await ProduceAsync(("ann", 10 + lines, lines));
        }
        stop.Cancel();
        Assert.Equal(0, await following);
        Assert.Empty(error.ToString());
    }

    [Fact]
    public async Task What_is_not_there_is_named_with_the_remedy()
    {
        var (code, _, error) = await RunAsync("tail", "actoins");
        Assert.Equal(1, code);
        Assert.Contains("It can be actions, decisions, dead-letter, late, outcomes, audiences, and the channels post, default.", error,
            StringComparison.Ordinal);
        (code, _, error) = await RunAsync("tail", "outcomes");
        Assert.True(code == 3 && error.Contains("The config has no outcomes", StringComparison.Ordinal), error);
        (code, _, error) = await RunAsync("tail", "late");
        Assert.Equal(3, code);
        Assert.Contains("there is no such folder", error, StringComparison.Ordinal);
        await ProduceAsync(("ann", 10, 0));
        (code, _, error) = await RunAsync("tail", "late", "--set", "outputs.late=other");
        Assert.Equal(3, code);
        Assert.Contains("topic 'other' does not exist. Make them: `topics create`", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Topics_are_listed_with_role_offsets_and_what_does_not_fit()
    {
        using (var log = new EmbeddedLog(new EmbeddedLogOptions(In("log"))))
        {
            log.CreateTopics([new TopicSpec("orders", 3), new TopicSpec("decisions", 2), new TopicSpec("other", 1)]);
            using var writer = log.OpenWriter();
            writer.Write("other", "k"u8, "v"u8, 1);
        }
        var (code, output, error) = await RunAsync("topics", "list", "--json");
        Assert.True(code == 0, error);
        var topics = JsonNode.Parse(output)!["topics"]!.AsArray().ToDictionary(t => (string)t!["name"]!);
        Assert.Equal(["source orders", "actions", "actions post", "decisions", "dead-letter", "late", "control", null],
            topics.Values.Select(t => (string?)t!["role"]));
        Assert.Equal(["orders", "decisions", "other"], topics.Where(t => (bool)t.Value!["exists"]!).Select(t => t.Key));
        Assert.Equal("needs 3 partitions, as the sources have", (string?)topics["decisions"]!["fault"]);
        Assert.Equal("missing: `topics create` makes it", (string?)topics["late"]!["fault"]);
        Assert.Null(topics["orders"]!["fault"]);
        Assert.Equal("""[{"partition":0,"first":0,"end":1}]""", topics["other"]!["offsets"]!.ToJsonString());
        (_, output, _) = await RunAsync("topics", "list");
        Assert.Contains("letters actions post 0 0 - - missing: `topics create` makes it",
            output.Split('\n').Select(l => string.Join(' ', l.Split(' ', StringSplitOptions.RemoveEmptyEntries))));
    }

    private async Task ProduceAsync(params (string Who, object Value, int Second)[] events)
    {
        var at = DateTimeOffset.UnixEpoch.AddSeconds(1_577_872_800);
        File.WriteAllLines(In("orders.ndjson"), events.Select(e => $$"""{"order":"{{e.Who}}{{e.Second}}","who":"{{e.Who}}","""
            + $$""" "mail":"a@b.example","at":"{{at.AddSeconds(e.Second):s}}Z","value":"{{e.Value}}"}"""));
        var (code, _, error) = await RunAsync("produce", "--events", In("orders.ndjson"));
        Assert.True(code == 0, error);
    }

    private async Task DrainAsync()
    {
        var (code, _, error) = await RunAsync("run", "--drain");
        Assert.True(code == 0, error);
    }

    private async Task<List<JsonNode>> TailAsync(string output, params string[] more)
    {
        var (code, text, error) = await RunAsync(["tail", output, .. more]);
        Assert.True(code == 0, error);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!)];
    }

    private Task<(int Code, string Output, string Error)> RunAsync(params string[] line) =>
        Cli.RunAsync([.. line, "--config", In("config.yaml"), "--embedded", In("log")]);

    private string In(string name) => Path.Combine(_folder, name);
}
