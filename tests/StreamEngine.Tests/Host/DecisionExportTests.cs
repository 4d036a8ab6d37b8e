using System.Text;
using System.Text.Json.Nodes;
using Parquet;
using Parquet.Serialization;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>Decisions of a log and of a replay as tables, read back and compared with the records.</summary>
public sealed class DecisionExportTests : IDisposable
{
    private const string Config = """
        name: small
        purposes: [ads]
        events:
          orders: { topic: orders, format: json, time: { field: at, format: iso }, id: order, customer: who, consent: allowed,
            fields: { value: decimal(2), placement: string } }
        features: { spent: { op: sum, of: event.value }, bought: { op: count } }
        decisions:
          purpose: ads
          triggers: { big: { when: event.value >= 10.0, placement: event.placement } }
          experiments: { price: { variations: { control: {}, low: { without: [poster] } } } }
        offers:
          gift: { propensity: 0.5, value: "1.0", context: "2.0" }
          letter: { propensity: 0.1, value: "20.0", channel: post, treatment: blue, eligible: event.value >= 50.0 }
          poster: { propensity: 0.01, placements: [wall] }
        state: { store: memory }
        http: { port: 0 }
        """;

    private static readonly string[] Events =
    [
        """{"order":"o1","who":"ann","allowed":["ads"],"at":"2020-01-01T10:00:00Z","value":"60","placement":"home"}""",
        """{"order":"o2","who":"a, \"b\"","allowed":["ads"],"at":"2020-01-01T11:00:00Z","value":"20","placement":"wall"}""",
        """{"order":"o3","who":"cleo","allowed":[],"at":"2020-01-02T12:00:00Z","value":"80","placement":"home"}""",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("export-").FullName;

    public DecisionExportTests()
    {
        File.WriteAllText(In("config.yaml"), Config);
        File.WriteAllLines(In("orders.ndjson"), Events);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Parquet_has_every_field_candidates_as_lists_and_says_what_columns_mean()
    {
        string[] log = ["--embedded", In("log")];
        await DoneAsync(["topics", "create", "--partitions", "2", .. log]);
        await DoneAsync(["produce", "--events", In("orders.ndjson"), .. log]);
        await DoneAsync(["run", "--drain", .. log]);
        var told = JsonNode.Parse(await DoneAsync(["decisions", "export", "--out", In("d.parquet"), "--json", .. log]))!;
        Assert.Equal("""{"decisions":3,"rows":3,"other_config":0}""", told.ToJsonString());
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(In("d.parquet")));
        Assert.Empty(Directory.GetFiles(_folder, "*.unfinished"));

        // The same records, by another way to JSON.
        var records = (await DoneAsync(["tail", "decisions", "--last", "10", "--json", .. log])).Split('\n',
            StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!).ToDictionary(r => (string)r["decision_id"]!);
        await using var file = File.OpenRead(In("d.parquet"));
        var table = await ParquetSerializer.DeserializeUntypedAsync(file);
        Assert.Equal(records.Keys.Order(), table.Data.Select(r => Text(r["decision_id"])).Order());
        foreach (var row in table.Data) IsRecord(records[Text(row["decision_id"])], row!);
        file.Position = 0;
        await using var reader = await ParquetReader.CreateAsync(file);
        Assert.Equal("small", reader.CustomMetadata["streamengine.engine"]);
        Assert.Equal((string)records.Values.First()["config_hash"]!, reader.CustomMetadata["streamengine.config_hash"]);
        Assert.Equal("The feature spent", (string)JsonNode.Parse(reader.CustomMetadata["streamengine.columns"])!["feature_spent"]!);
    }

    [Fact]
    public async Task Csv_has_a_row_for_each_candidate_and_only_what_was_asked_for()
    {
        await DoneAsync(["replay", "--events", In("orders.ndjson"), "--out", In("results")]);
        var csv = await ExportAsync("d.csv");
        Assert.Equal(["decision_id", "customer_id", "event_time"], csv[0].Split(',')[..3]);
        Assert.EndsWith("candidate_rank,candidate_p_source,feature_spent,feature_bought", csv[0], StringComparison.Ordinal);
        Assert.Equal(1 + 3 + 3 + 1, csv.Count); // who has not consented has no candidates, and a row
        Assert.StartsWith("small/orders/0/0/0,ann,2020-01-01T10:00:00.000Z,2020-01-01T10:00:00.000Z,event,big,home,served,letter,blue,post,"
            + "0.1,1,20,1,2,false,1,o1,orders,0,0,0,", csv[1], StringComparison.Ordinal);
        Assert.Contains("\"[{\"\"experiment\"\":\"\"price\"\"", csv[1], StringComparison.Ordinal);
        Assert.EndsWith(",gift,lost_arbitration,0.5,2,1,1,1,2,fixed,60,1", csv[1], StringComparison.Ordinal);
        Assert.Contains(",\"a, \"\"b\"\"\",", csv[4], StringComparison.Ordinal);
        Assert.EndsWith(",,,,,,,,,,,", csv[7], StringComparison.Ordinal);

        Assert.Equal(["small/orders/0/0/0", "small/orders/0/2/0"], Ids(await ExportAsync("home.csv", "--placement", "home")));
        Assert.Equal(["small/orders/0/1/0"], Ids(await ExportAsync("day.csv", "--since", "2020-01-01T11:00:00Z", "--until", "2020-01-02",
            "--candidates", "none")));
        Assert.Equal(8, (await ExportAsync("d.csv")).Count); // in the place of the earlier one
    }

    [Fact]
    public async Task Long_tables_are_written_in_groups_and_another_configs_features_are_not_named()
    {
        await DoneAsync(["replay", "--events", In("orders.ndjson"), "--out", In("results")]);
        var line = File.ReadLines(In("results/decisions.ndjson")).First();
        const int Copies = 20_001; // one more than a group has
        await File.WriteAllLinesAsync(In("results/decisions.ndjson"), Enumerable.Repeat(line, Copies));
        await ExportAsync("long.parquet", "--candidates", "none");
        await using (var file = File.OpenRead(In("long.parquet")))
        {
            await using var reader = await ParquetReader.CreateAsync(file);
            Assert.Equal((2, (long)Copies), (reader.RowGroupCount, reader.Metadata!.NumRows));
        }
        await File.WriteAllTextAsync(In("config.yaml"), Config.Replace("bought:", "orders:", StringComparison.Ordinal));
        await File.WriteAllTextAsync(In("results/decisions.ndjson"), line);
        var (code, _, error) = await RunAsync(["decisions", "export", "--from", In("results"), "--out", In("other.csv")]);
        Assert.Equal(0, code);
        Assert.Contains("1 of the decisions were made by another config", error, StringComparison.Ordinal);
        Assert.EndsWith(",fixed,,", File.ReadLines(In("other.csv")).ElementAt(1), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cant_be_exported_is_said()
    {
        var (code, _, error) = await RunAsync(["decisions", "export", "--from", _folder, "--out", In("d.txt")]);
        Assert.Equal(1, code);
        Assert.Contains("ends with .parquet or .csv", error, StringComparison.Ordinal);
        (code, _, error) = await RunAsync(["decisions", "export", "--from", _folder, "--out", In("d.csv")]);
        Assert.Equal(3, code);
        Assert.Contains("decisions.ndjson is not there", error, StringComparison.Ordinal);
        await File.WriteAllTextAsync(In("decisions.ndjson"), "{\"kind\":\"decision\"}\n");
        (code, _, error) = await RunAsync(["decisions", "export", "--from", _folder, "--out", In("d.csv")]);
        Assert.Equal(3, code);
        Assert.Contains("decisions.ndjson:1: not a record", error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder, "d.csv*"));
    }

    private static void IsRecord(JsonNode record, IDictionary<string, object?> row)
    {
        foreach (var name in new[] { "customer_id", "origin", "trigger", "placement", "outcome", "config_hash" })
            Assert.Equal((string)record[name]!, Text(row[name]));
        foreach (var name in new[] { "event_time", "decided_at" })
            Assert.Equal(((DateTimeOffset)record[name]!).UtcDateTime, Assert.IsType<DateTime>(row[name]).ToUniversalTime());
        Assert.Equal((long)record["cause"]!["offset"]!, row["offset"]);
        Assert.Equal((double)record["selection_probability"]!, row["selection_probability"]);
        Assert.Equal((double?)record["chosen"]?["priority"], row.TryGetValue("priority", out var priority) ? priority : null);
        Assert.Equal((string?)record["chosen"]?["offer"] ?? "", row.TryGetValue("offer", out var offer) ? Text(offer) : "");
        Assert.Equal(record["candidates"]!.AsArray().Select(c => $"{c!["offer"]} {c["drop"]} {(double)c["p"]!:R} {c["rank"]}"),
            Items(row, "candidates").Select(c => $"{Text(c["offer"])} {Text(c["drop"])} {c["p"]:R} {c["rank"]}"));
        Assert.Equal(record["assignments"]!.AsArray().Select(a => $"{a!["experiment"]} {a["variation"]}"),
            Items(row, "assignments").Select(a => $"{Text(a["experiment"])} {Text(a["variation"])}"));
        var features = record["features"]!.AsArray().Select(f => (double?)f).ToList();
        Assert.Equal(features.Count > 0 ? features : [null, null], new[] { "feature_spent", "feature_bought" }
            .Select(n => row.TryGetValue(n, out var value) ? (double?)value : null));
    }

    private static string Text(object? value) => value switch
    {
        ReadOnlyMemory<char> text => text.ToString(),
        byte[] utf8 => Encoding.UTF8.GetString(utf8),
        null => "",
        _ => (string)value,
    };

    private static IEnumerable<IDictionary<string, object?>> Items(IDictionary<string, object?> row, string name) =>
        row.TryGetValue(name, out var list) && list is System.Collections.IEnumerable items
            ? items.Cast<IDictionary<string, object?>>() : [];

    private static IEnumerable<string> Ids(IReadOnlyList<string> csv) => csv.Skip(1).Select(l => l.Split(',')[0]).Distinct();

    private async Task<IReadOnlyList<string>> ExportAsync(string name, params string[] more)
    {
        await DoneAsync(["decisions", "export", "--from", In("results"), "--out", In(name), .. more]);
        return name.EndsWith(".csv", StringComparison.Ordinal) ? await File.ReadAllLinesAsync(In(name)) : [];
    }

    private async Task<string> DoneAsync(string[] line)
    {
        var (code, output, error) = await RunAsync(line);
        Assert.True(code == 0, error);
        return output;
    }

    private Task<(int Code, string Output, string Error)> RunAsync(string[] line) =>
        Cli.RunAsync([.. line, "--config", In("config.yaml")]);

    private string In(string name) => Path.Combine(_folder, name);
}
