using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Host.Explanation;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>A shop that learns, from a replay's files: what it chooses, how it is explained, and what can be evaluated on it.</summary>
public sealed class LearningReplayTests : IDisposable
{
    private const string Config = """
        name: small
        time: { lateness: 10m }
        events:
          shop:
            topic: shop
            format: json
            time: { field: at, format: iso }
            id: id
            customer: who
            fields: { kind: string, offer: string }
        decisions:
          triggers: { visit: { when: "event.kind == 'visit'", placement: "'home'" } }
          exploration: { home: { method: thompson, reward: click } }
        offers: { a: { propensity: 0.5 }, b: { propensity: 0.4 } }
        outcomes:
          windows: { click: 1h, conversion: 2h, impression: 1h, refund: 1h, reject: 1h }
          events: { clicked: { kind: click, when: "event.kind == 'click'", without_decision: last_decision, offer: event.offer } }
        state: { store: memory }
        """;

    /// <summary>The newest decisions that do not count: an hour and ten minutes, and one for numbers that are followed later.</summary>
    private const int Late = 72;

    private const int Visits = 400;

    private readonly string _folder = Directory.CreateTempSubdirectory("learning-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_shop_learns_from_what_it_showed_and_a_replay_decides_the_same_again()
    {
        File.WriteAllText(In("config.yaml"), Config);
        using (var events = File.CreateText(In("events.ndjson")))
        {
            // One visit a minute. Who was shown b clicks, who was shown a does not: an event about b joins a decision for b only.
            for (var i = 0; i < Visits; i++)
            {
                var at = new DateTime(2026, 11, 1, 10, 0, 0).AddMinutes(i);
                events.WriteLine($$"""{"id":"v{{i}}","who":"c{{i}}","kind":"visit","offer":"","at":"{{at:yyyy-MM-dd'T'HH:mm:ss}}Z"}""");
                events.WriteLine($$"""{"id":"k{{i}}","who":"c{{i}}","kind":"click","offer":"b","at":"{{at:yyyy-MM-dd'T'HH:mm:ss}}Z"}""");
            }
            events.WriteLine("""{"id":"end","who":"last","kind":"end","offer":"","at":"2026-11-09T10:00:00Z"}""");
        }
        await Replay("results");
        await Replay("again");
        var records = File.ReadAllLines(In("results/decisions.ndjson"));
        Assert.Equal(records, File.ReadAllLines(In("again/decisions.ndjson")));

        var decisions = records.Select(r => JsonNode.Parse(r)!).Where(r => (string)r["kind"]! == "decision").ToList();
        var drawn = decisions.Select(d => d["candidate_probabilities"]!.AsArray().Select(p => (double)p!).ToArray()).ToList();
        // Nothing counts before the window and the lateness are over: until then each is as likely, but for the sampling error.
        Assert.All(drawn[..70], p => Assert.InRange(p[1], 0.35, 0.65));
        Assert.All(drawn[200..], p => Assert.InRange(p[1], 0.97, 1));
        Assert.Equal(Visits, decisions.Count);
        Assert.InRange(decisions.Count(d => (string)d["chosen"]!["offer"]! == "b"), 320, 375);
        // The means at the end are those of what was closed: all of b was clicked on, nothing of a.
        var last = decisions[^1]["candidates"]!.AsArray();
        var shown = decisions[..^Late].Count(d => (string)d["chosen"]!["offer"]! == "b");
        Assert.Equal(("learned", (1.0 + shown) / (2 + shown)), ((string)last[1]!["p_source"]!, (double)last[1]!["p"]!));
        Assert.Equal(1.0 / (2 + Visits - Late - shown), (double)last[0]!["p"]!);

        using var record = JsonDocument.Parse(records[^1]);
        var why = new Explainer(null).Explain(record.RootElement).Why;
        Assert.Contains(why, s => s.StartsWith("The placement learns what offers earn, and drew one by the probability that it is the best "
            + "of them: b 0.99", StringComparison.Ordinal));
        Assert.Contains(why, s => s.Contains("(learned here)", StringComparison.Ordinal));

        var (code, json, error) = await Cli.RunAsync([.. Arguments("greedy"), "--json"]);
        Assert.True(code == 0, error);
        var greedy = JsonNode.Parse(json)!;
        Assert.Equal((Visits, 0.0), ((int)greedy["decisions"]!, (double)greedy["not_covered"]!));
        Assert.Equal(1, (double)greedy["estimates"]!["mean_weight"]!["value"]!, 0.2);
        Assert.NotNull(greedy["estimates"]!["dm"]);
        Assert.DoesNotContain("dm and dr", error, StringComparison.Ordinal);

        // What was learnt is how often an offer is clicked on: no model of impressions.
        (code, json, error) = await Cli.RunAsync([.. Arguments("greedy")[..^1], "impression", "--json"]);
        Assert.True(code == 0, error);
        Assert.Equal(["logged", "ips", "clipped_ips", "snips", "mean_weight"],
            JsonNode.Parse(json)!["estimates"]!.AsObject().Select(e => e.Key));
        Assert.Contains($"in {Visits} decisions P and V are what was learnt of another reward than impression, and no model of it: dm and "
            + "dr are left out", error, StringComparison.Ordinal);
    }

    /// <summary>Of two shards, one of which has counted an arm alone: 30 trials and 5 clicks, and nothing.</summary>
    [Fact]
    public async Task Arms_are_listed_as_the_topic_says()
    {
        File.WriteAllText(In("config.yaml"), Config);
        string[] where = ["--config", In("config.yaml"), "--embedded", In("log")];
        var (code, _, error) = await Cli.RunAsync("topics", "create", "--config", In("config.yaml"), "--embedded", In("log"),
            "--partitions", "2");
        Assert.True(code == 0, error);
        using (var log = new EmbeddedLog(new EmbeddedLogOptions(In("log"))))
        using (var writer = log.OpenWriter())
        {
            foreach (var (key, values) in new[]
            {
                ("tally/small/0/arm/click/home/b", "10,3,3,1767225600000,0"), ("tally/small/1/arm/click/home/b", "20,2,2,1767222000000,0"),
                ("tally/small/0/arm/conversion/home/b", "1000,900,900,1767225600000,0"),
                ("tally/other/0/arm/click/home/b", "500,0,0,1767225600000,0"),
            })
                writer.Write("shared", Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes($"{{\"values\":[{values}]}}"), 0);
            writer.Flush();
        }
        (code, var output, error) = await Cli.RunAsync(["exploration", .. where]);
        Assert.True(code == 0, error);
        // Beta(1, 1) and Beta(6, 26), whose quantiles were integrated by hand.
        Assert.Equal("home: click, as of 2026-01-01T00:00:00Z\n"
            + "  offer       trials       mean   believed   95 % interval\n"
            + "  a              0.0          -        0.5   0.025 to 0.975\n"
            + "  b             30.0    0.16667     0.1875   0.07452 to 0.33727\n", output);
        var arms = JsonNode.Parse((await Cli.RunAsync(["exploration", "--json", .. where])).Output)!["arms"]!.AsArray();
        Assert.Equal(("b", 30.0, 0.1875, "2026-01-01T00:00:00.000Z"), ((string)arms[1]!["offer"]!, (double)arms[1]!["trials"]!,
            (double)arms[1]!["posterior_mean"]!, (string)arms[1]!["as_of"]!));
        File.WriteAllText(In("config.yaml"), Config.Replace("{ method: thompson, reward: click }", "{ method: softmax, temperature: 1 }",
            StringComparison.Ordinal));
        (code, _, error) = await Cli.RunAsync(["exploration", .. where]);
        Assert.Equal(2, code);
        Assert.Contains("no placement learns", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_learns_can_not_be_evaluated_and_the_reason_is_told()
    {
        File.WriteAllText(In("config.yaml"), Config);
        Directory.CreateDirectory(In("results"));
        var (code, _, error) = await Cli.RunAsync(Arguments("thompson"));
        Assert.Equal(1, code);
        Assert.Contains("--policy is 'thompson': thompson learns from what its own choices earn", error, StringComparison.Ordinal);
        (code, _, error) = await Cli.RunAsync(Arguments(In("config.yaml")));
        Assert.Equal(2, code);
        Assert.Contains("decisions.exploration.home.method", error, StringComparison.Ordinal);
        Assert.Contains("thompson learns from what its own choices earn", error, StringComparison.Ordinal);
    }

    private async Task Replay(string results)
    {
        var (code, _, error) = await Cli.RunAsync("replay", "--config", In("config.yaml"), "--events", In("events.ndjson"), "--out",
            In(results));
        Assert.True(code == 0, error);
    }

    private string[] Arguments(string policy) =>
        ["evaluate", "policy", "--config", In("config.yaml"), "--from", In("results"), "--policy", policy, "--reward", "click"];

    private string In(string file) => Path.Combine(_folder, file);
}
