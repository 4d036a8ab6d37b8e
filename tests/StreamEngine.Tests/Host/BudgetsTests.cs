using System.Text;
using System.Text.Json.Nodes;
using StreamEngine.Connectors.Embedded;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary><c>budgets</c> on a log that no engine runs on, and what <c>replay</c> tells of budgets.</summary>
public sealed class BudgetsTests : IDisposable
{
    private const string Config = """
        name: small
        events:
          orders: { topic: orders, format: json, time: { field: at, format: iso }, id: order, customer: who }
        decisions:
          triggers: { any: { when: 'true', placement: "'home'" } }
          budgets:
            money: { amount: 3, offers: [club], cost: "offer.cost" }
            days: { amount: 2, period: day }
        offers:
          club: { propensity: 0.5, value: "9.0", attributes: { cost: "1.5" } }
          letter: { propensity: 0.1, value: "1.0" }
        state: { store: memory }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("budgets-test-").FullName;

    public BudgetsTests() => File.WriteAllText(In("config.yaml"), Config);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task They_are_listed_as_the_topic_says()
    {
        await Done("topics", "create", "--config", In("config.yaml"), "--embedded", In("log"), "--partitions", "2");
        using (var log = new EmbeddedLog(new EmbeddedLogOptions(In("log"))))
        using (var writer = log.OpenWriter())
        {
            foreach (var (key, values) in new[]
            {
                ("0/budget/money@all", "1500000,3000000"), ("1/budget/money@all", "750000,750000"), ("0/grant/money@all/0", "2000000"),
                ("0/grant/money@all/1", "1000000"), ("0/budget/days@2020-01-01", "1000000,1000000"),
            })
                writer.Write("shared", Encoding.UTF8.GetBytes($"tally/small/{key}"),
                    Encoding.UTF8.GetBytes($"{{\"values\":[{values}]}}"), 0);
            writer.Flush();
        }
        string[] where = ["--config", In("config.yaml"), "--embedded", In("log")];
        Assert.Matches(@"^budget +period +amount +released +granted +spent +pace\nmoney +all +3\.00 +3\.00 +3\.00 +2\.25 +75\.0 %\n"
            + @"days +\d{4}-\d\d-\d\d +2\.00 +2\.00 +0\.00 +0\.00 +0\.0 %\n$", await Done(["budgets", .. where]));
        var all = JsonNode.Parse(await Done(["budgets", "--all", "--json", .. where]))!["budgets"]!.AsArray();
        Assert.Equal("""{"budget":"days","period":"2020-01-01","amount":2,"released":2,"granted":0,"spent":1,"pace":0.5}""",
            all.Single(b => (string?)b!["period"] == "2020-01-01")!.ToJsonString());
        Assert.Equal(3, all.Count);
        // The topic is listed with its role, and switched is what the config has.
        Assert.Contains("shared numbers", await Done(["topics", "list", .. where]), StringComparison.Ordinal);
        Assert.Equal("budget:money: off\n", await Done(["switch", "off", "budget:money", "--reason", "a test", .. where]));
    }

    [Fact]
    public async Task A_replay_spends_as_documented_and_tells_it()
    {
        File.WriteAllLines(In("orders.ndjson"), Enumerable.Range(0, 6).Select(i =>
            $$"""{"order":"o{{i}}","who":"c{{i}}","at":"2020-01-01T1{{i}}:00:00Z"}"""));
        var summary = JsonNode.Parse(await Done("replay", "--config", In("config.yaml"), "--events", In("orders.ndjson"), "--out",
            In("out"), "--json"))!;
        // Two a day, of which the dearer offer takes both.
        Assert.Equal([
            """{"budget":"money","period":"all","amount":3,"released":3,"granted":3,"spent":3,"pace":1}""",
            """{"budget":"days","period":"2020-01-01","amount":2,"released":2,"granted":2,"spent":2,"pace":1}""",
        ], summary["budgets"]!.AsArray().Select(b => b!.ToJsonString()));
        Assert.Equal((2, 4), ((int)summary["actions"]!["club"]!, (int)summary["outcomes"]!["no_offer"]!));
        Assert.Equal(8, (int)summary["dropped"]!["budget"]!);
    }

    private static async Task<string> Done(params string[] arguments)
    {
        var (code, output, error) = await Cli.RunAsync(arguments);
        Assert.True(code == 0, $"{string.Join(' ', arguments)}: {error}");
        return output;
    }

    private string In(string name) => Path.Combine(_folder, name);
}
