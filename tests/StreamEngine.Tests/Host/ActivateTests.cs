using System.Diagnostics;
using System.Text.Json.Nodes;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>From events to a partner by the commands alone, with the records as the engine writes them.</summary>
public sealed class ActivateTests : IDisposable
{
    private const int Count = 40;

    private const string Config = """
        name: shop
        events:
          clicks:
            { topic: clicks, format: json, customer: who, id: id, type: kind, time: { field: at, format: iso }, fields: { place: string } }
        decisions:
          triggers: { view: { when: event.place == 'home', placement: "'home'" } }
        offers:
          club: { channel: email, propensity: 0.5, value: "1.0" }
        state: { store: memory }
        http: { port: 0 }
        activations:
          warehouse: { in_run: true, files: { folder: out, interval: 50ms } }
          audit:
            topic: decisions
            where: decision.outcome == 'served' && decision.offer == 'club'
            files: { folder: audit, format: csv, columns: { id: decision_id, offer: chosen.offer, features: features } }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("activate-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Actions_reach_files_while_the_engine_runs_and_decisions_by_a_command_of_their_own()
    {
        File.WriteAllText(In("shop.yaml"), Config);
        File.WriteAllLines(In("clicks.ndjson"), Enumerable.Range(0, Count).Select(i =>
            $$"""{"who":"c{{i % 7}}","id":"{{i}}","kind":"view","place":"home","at":"2026-01-01T00:{{i:00}}:00Z"}"""));
        string[] common = ["--config", In("shop.yaml"), "--embedded", In("log")];
        await DoneAsync(["topics", "create", "--partitions", "2", .. common]);
        await DoneAsync(["produce", "--events", In("clicks.ndjson"), .. common]);

        using var stop = new CancellationTokenSource();
        var running = Cli.RunAsync(["run", .. common], stop.Token);
        for (var began = Stopwatch.GetTimestamp(); Lines("out").Count < Count && !running.IsCompleted; await Task.Delay(20))
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(90), "the actions did not come");
        await stop.CancelAsync();
        var (code, _, error) = await running;
        Assert.True(code == 0, error);
        var actions = Lines("out").Select(l => JsonNode.Parse(l)!).ToList();
        Assert.Equal(Count, actions.Select(a => (string)a["action_id"]!).Distinct().Count());
        Assert.All(actions, a => Assert.Equal(("email", "club"), ((string)a["channel"]!, (string)a["offer"]!)));

        var summary = JsonNode.Parse(await DoneAsync(["activate", "audit", "--drain", .. common]))!;
        Assert.Equal(Count, (int)summary["audit"]!["delivered"]!);
        Assert.Equal(actions.Select(a => (string)a["action_id"]! + ",club,[]").Order(),
            Lines("audit").Where(l => l != "id,offer,features").Order());
        summary = JsonNode.Parse(await DoneAsync(["activation", "replay", .. common]))!;
        Assert.Equal([0, 0], [(int)summary["warehouse"]!["delivered"]!, (int)summary["audit"]!["delivered"]!]);

        (code, _, error) = await Cli.RunAsync(["activate", "crm", .. common]);
        Assert.Equal(1, code);
        Assert.Contains("there is no connector 'crm'; the config has warehouse, audit", error);
        // What it serves is checked as run's is.
        (code, _, error) = await Cli.RunAsync(["activate", "audit", .. common, "--set", "http.address=0.0.0.0", "--set", "http.port=9464"]);
        Assert.Equal(2, code);
        Assert.Contains("other machines could reach this address, and there is no key", error, StringComparison.Ordinal);
    }

    private static async Task<string> DoneAsync(string[] arguments)
    {
        var (code, output, error) = await Cli.RunAsync(arguments);
        Assert.True(code == 0, error);
        return output;
    }

    private string In(string name) => Path.Combine(_folder, name);

    private List<string> Lines(string folder) => !Directory.Exists(In(folder)) ? []
        : [.. Directory.EnumerateFiles(In(folder)).Where(f => !f.EndsWith(".part", StringComparison.Ordinal))
            .SelectMany(File.ReadAllLines)];
}
