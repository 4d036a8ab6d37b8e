using System.Text.Json.Nodes;
using StreamEngine.Host.Cli;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.SystemTests;

/// <summary>The commands around a run on Kafka: what <c>produce</c> writes is decided on, and <c>tail</c> shows it.</summary>
[Collection(nameof(ChaosTests))]
public sealed class CommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("commands-").FullName;
    private readonly string _name = "t" + Guid.NewGuid().ToString("n")[..12];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableFact]
    public async Task Events_are_produced_and_what_is_decided_on_them_is_shown()
    {
        Skip.If(KafkaBroker.Missing is not null, KafkaBroker.Missing);
        await File.WriteAllTextAsync(In("config.yaml"), $$"""
            name: {{_name}}
            events:
              orders: { topic: {{_name}}-in, format: json, time: { field: at, format: iso }, id: order, customer: who,
                fields: { value: double } }
            features: { spent: { op: sum, of: event.value } }
            decisions: { triggers: { big: { when: event.value >= 10.0, placement: event.type } } }
            offers: { gift: { propensity: 0.5, value: "1.0", channel: web } }
            outputs: { actions: {{_name}}-actions, decisions: {{_name}}-decisions, dead_letter: {{_name}}-dead,
              late: {{_name}}-late }
            state: { store: memory }
            http: { port: 0 }
            """);
        await File.WriteAllLinesAsync(In("orders.ndjson"), Enumerable.Range(0, 500).Select(i =>
            $$"""{"order":"{{i}}","who":"c{{i % 50}}","""
            + $$""" "at":"2020-01-01T10:{{i / 60:00}}:{{i % 60:00}}Z","value":{{(i % 5 == 0 ? 20 : 1)}}}""")
            .Append("{}"));

        var (code, _, error) = await RunAsync("produce", "--events", In("orders.ndjson"));
        Assert.Equal(3, code);
        Assert.Contains("topics create", error, StringComparison.Ordinal);
        Assert.Contains("missing: `topics create` makes it", await DoneAsync("topics", "list"), StringComparison.Ordinal);
        await DoneAsync("topics", "create", "--partitions", "3");
        var produced = JsonNode.Parse(await DoneAsync("produce", "--events", In("orders.ndjson"), "--json", "--rate", "100000/s"))!;
        Assert.Equal((500, 1), ((int)produced["written"]!, (int)produced["rejected"]!["missing-customer"]!));
        await DoneAsync("run", "--drain", "--set", "runtime.wrong_partition=refuse");

        Assert.Equal(100, Lines(await DoneAsync("tail", "actions", "--json", "--from-beginning")).Count);
        Assert.Equal(10, Lines(await DoneAsync("tail", "web", "--json")).Count);
        // Of 500 events a fifth opens a decision; c0 has the 0th, 50th, ... of them, and the last is shown.
        var last = Assert.Single(Lines(await DoneAsync("tail", "decisions", "--json", "--customer", "c0", "--last", "1")));
        Assert.Equal(("c0", "450"), ((string)last["customer_id"]!, (string)last["cause"]!["event_id"]!));
        var why = JsonNode.Parse(await DoneAsync("decisions", "show", (string)last["decision_id"]!, "--json"))!;
        Assert.Equal(("c0", "gift", "spent"), ((string)why["customer"]!, (string)why["chosen"]!["offer"]!,
            (string)why["features"]![0]!["name"]!));
        Assert.Equal(why.ToJsonString(), JsonNode.Parse(await DoneAsync("decisions", "why", "c0", "--json"))![0]!.ToJsonString());
        Assert.Empty(Lines(await DoneAsync("tail", "dead-letter", "--json")));
        var topics = JsonNode.Parse(await DoneAsync("topics", "list", "--json"))!["topics"]!.AsArray();
        var source = topics.Single(t => (string)t!["name"]! == $"{_name}-in")!;
        Assert.Equal(("source orders", 500, 3), ((string)source["role"]!, (int)source["records"]!, source["offsets"]!.AsArray().Count));
        Assert.DoesNotContain(topics, t => t!["fault"] is not null);
    }

    private static List<JsonNode> Lines(string output) =>
        [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!)];

    private async Task<string> DoneAsync(params string[] line)
    {
        var (code, output, error) = await RunAsync(line);
        Assert.True(code == 0, error);
        return output;
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] line)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await CommandLine.RunAsync([.. line, "--config", In("config.yaml"), "--kafka", KafkaBroker.Shared.Address], output,
            error);
        return (code, output.ToString(), error.ToString());
    }

    private string In(string name) => Path.Combine(_folder, name);
}
