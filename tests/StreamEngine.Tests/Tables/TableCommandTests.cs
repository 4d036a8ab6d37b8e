using System.Globalization;
using System.Text.Json.Nodes;
using StreamEngine.Tests.Host;
using Xunit;

namespace StreamEngine.Tests.Tables;

/// <summary>Tables by the command line: what is told of them, and that every command has the same values of them.</summary>
public sealed class TableCommandTests : IDisposable
{
    private const string Config = """
        name: shop
        time: { max_future: 3650d }
        tables:
          products: { file: data/products.csv.gz, key: sku, fields: { category: string, margin: double } }
        events:
          shop:
            topic: shop
            format: json
            customer: c
            id: id
            time: t
            fields:
              product: { from: sku, type: string }
              category: { lookup: "products[event.product].category" }
              margin: { lookup: "products[event.product].margin" }
        features:
          margins: { op: sum, of: event.margin }
          drawn: { op: top, of: event.category, k: 1, slots: 8 }
        decisions:
          triggers:
            rich: { when: "event.margin >= 0.5", placement: event.category }
        offers:
          polish: { eligible: event.category == 'shoes', propensity: 0.1, value: "2.0" }
          newsletter: { propensity: 0.1, value: "1.0" }
        state: { store: memory }
        http: { port: 0 }
        """;

    private readonly TableFolder _folder = new();

    public TableCommandTests()
    {
        Directory.CreateDirectory(_folder.At("data"));
        _folder.Write("shop.yaml", Config)
            .Write("data/products.csv.gz", "sku,category,margin\ns1,shoes,0.5\nh1,hats,0.75\ng1,gloves,0.25\n");
        string[] products = ["s1", "h1", "g1", "??"];
        _folder.Write("events.ndjson", string.Concat(Enumerable.Range(0, 40).Select(i => string.Create(CultureInfo.InvariantCulture,
            $"{{\"c\":\"c{i % 3}\",\"id\":\"e{i}\",\"t\":{1_767_600_000_000 + i * 1_000},\"sku\":\"{products[i % 4]}\"}}\n"))));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Replay_features_and_a_run_on_a_log_have_the_same_values()
    {
        var (code, output, error) = await CallAsync("replay", "--events", _folder.At("events.ndjson"), "--out", _folder.At("out"),
            "--json");
        Assert.True(code == 0, error);
        var replayed = JsonNode.Parse(output)!;
        Assert.Equal(("""{"polish":10,"newsletter":10}""", """{"products":10}"""),
            (replayed["actions"]!.ToJsonString(), replayed["lookups_missed"]!.ToJsonString()));
        Assert.Equal(3, (int)replayed["tables"]!["products"]!["rows"]!);
        Assert.Contains("table products: 3 rows of data/products.csv.gz, 0.0 MB in memory, sha256 ", error, StringComparison.Ordinal);

        _folder.Write("labels.csv", "customer,time\n" + string.Concat(Enumerable.Range(0, 3).Select(i => $"c{i},2026-01-06\n")));
        (code, _, error) = await CallAsync("features", "--events", _folder.At("events.ndjson"), "--at", _folder.At("labels.csv"), "--out",
            _folder.At("vectors.csv"));
        Assert.True(code == 0, error);
        Assert.Equal(Table("out/features.csv", "customer_id"), Table("vectors.csv", "customer"));

        string[] log = ["--embedded", _folder.At("log")];
        (code, _, error) = await CallAsync(["topics", "create", "--partitions", "1", .. log]);
        Assert.True(code == 0, error);
        (code, _, error) = await CallAsync(["produce", "--events", _folder.At("events.ndjson"), .. log]);
        Assert.True(code == 0, error);
        (code, output, error) = await CallAsync(["run", "--drain", .. log]);
        Assert.True(code == 0, error);
        Assert.Equal(replayed["actions"]!.ToJsonString(), JsonNode.Parse(output)!["actions"]!.ToJsonString());
        Assert.Contains("table products: 3 rows", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Validate_reads_the_tables_and_describe_names_them()
    {
        var (code, output, error) = await CallAsync("validate");
        Assert.True(code == 0, error);
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(
            await File.ReadAllBytesAsync(_folder.At("data/products.csv.gz"))));
        Assert.Contains($"\ntable products: 3 rows of data/products.csv.gz, 0.0 MB in memory, sha256 {hash}\n", output,
            StringComparison.Ordinal);
        (_, output, _) = await CallAsync("validate", "--json");
        Assert.Equal((3, hash), ((int)JsonNode.Parse(output)!["tables"]!["products"]!["rows"]!,
            (string)JsonNode.Parse(output)!["tables"]!["products"]!["sha256"]!));

        (_, output, _) = await CallAsync("features", "describe", "drawn");
        Assert.Contains("event.category (shop: tables.products.category by sku)", output, StringComparison.Ordinal);

        _folder.Write("data/products.csv.gz", "sku,category,margin\ns1,shoes,0.5\ns1,shoes,0.6\n");
        (code, _, error) = await CallAsync("validate");
        Assert.Equal(2, code);
        Assert.Contains("products.csv.gz:3:1: tables.products: the key 's1' is there already, in line 2. Leave one row of each key.", error,
            StringComparison.Ordinal);
    }

    private Task<(int Code, string Output, string Error)> CallAsync(params string[] arguments) =>
        Cli.RunAsync([.. arguments, "--config", _folder.At("shop.yaml")]);

    /// <summary>A CSV file's rows by the value of a column, without times.</summary>
    private List<string> Table(string file, string key)
    {
        var rows = File.ReadAllLines(_folder.At(file)).Select(r => r.Split(',')).ToList();
        var columns = new[] { key, "margins", "drawn_weight_1", "drawn_total", "drawn_1" }.Select(c => Array.IndexOf(rows[0], c)).ToList();
        Assert.DoesNotContain(-1, columns);
        return [.. rows.Skip(1).Select(r => string.Join(' ', columns.Select(c => r[c]))).Order(StringComparer.Ordinal)];
    }
}
