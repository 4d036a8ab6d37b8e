using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Tests.Host;
using Xunit;

namespace StreamEngine.Tests.Tables;

/// <summary>A topic as a table by the command line: what commands refuse, tell and do with it.</summary>
public sealed class TopicTableRunTests : IDisposable
{
    private const string Config = """
        name: shop
        time: { max_future: 3650d }
        tables:
          products: { topic: products, key: $key, fields: { category: string, margin: double } }
        events:
          shop:
            topic: shop
            format: json
            customer: c
            id: id
            time: t
            fields:
              product: { from: sku, type: string }
              category: { lookup: "products[event.product].category", default: none }
              margin: { lookup: "products[event.product].margin" }
        features:
          margins: { op: sum, of: event.margin }
        decisions:
          triggers:
            seen: { when: "true", placement: event.category }
        offers:
          rich: { eligible: features.margins >= 3.0, propensity: 0.1, value: "2.0" }
          newsletter: { propensity: 0.1, value: "1.0" }
        state: { store: memory }
        checkpoints: { interval: 0s }
        control: { topic: "" }
        http: { port: 0 }
        """;

    private readonly TableFolder _folder = new();

    public TopicTableRunTests() => _folder.Write("shop.yaml", Config);

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// The state is in memory, and there are no checkpoints: each run folds the whole log again, and events of earlier runs must have what
    /// the table said then.
    /// </summary>
    [Fact]
    public async Task A_run_folds_earlier_events_with_the_rows_of_then()
    {
        string[] log = ["--embedded", _folder.At("log")];
        await DoAsync(["topics", "create", "--partitions", "1", .. log]);
        Write(("s1", "{\"category\":\"shoes\",\"margin\":1}"), ("h1", "{\"category\":\"hats\",\"margin\":2}"));
        Assert.Equal("""{"newsletter":2}""", await RunAsync("s1", "?"));
        Write(("s1", null), ("s1", "{\"category\":\"boots\",\"margin\":0.5}"), ("h1", "{"));
        Assert.Equal("""{"newsletter":2}""", await RunAsync("s1", "s1"));   // 1 + 0.5 + 0.5
        Write(("s1", "{\"margin\":100}"));
        Assert.Equal("""{"rich":1,"newsletter":1}""", await RunAsync("?", "h1"));    // 2, then 4
        using (var read = new EmbeddedLog(new EmbeddedLogOptions(_folder.At("log"))))
        {
            var (batch, reader) = (new RecordBatch(), read.OpenReader());
            using (reader)
            {
                reader.Assign(new TopicPartition("actions", 0), 0);
                reader.Read(batch, 100, TimeSpan.FromSeconds(60));
            }
            var placements = new[] { "shoes", "none", "boots", "boots", "none", "hats" };
            Assert.Equal(placements.Length, batch.Count);
            for (var i = 0; i < batch.Count; i++)
                Assert.Contains(placements[i], Encoding.UTF8.GetString(batch.Value(i)), StringComparison.Ordinal);
        }

        async Task<string> RunAsync(params string[] products)
        {
            _folder.Write("events.ndjson", string.Concat(products.Select(p => string.Create(CultureInfo.InvariantCulture,
                $"{{\"c\":\"ann\",\"id\":\"e{++_sent}\",\"t\":{1_767_600_000_000 + _sent * 1_000},\"sku\":\"{p}\"}}\n"))));
            await DoAsync(["produce", "--events", _folder.At("events.ndjson"), .. log]);
            var run = JsonNode.Parse(await DoAsync(["run", "--drain", .. log]))!;
            return run["actions"]!.ToJsonString();
        }
    }

    private int _sent;

    [Fact]
    public async Task Commands_that_read_files_need_one_for_the_table_and_have_its_values()
    {
        _folder.Write("events.ndjson", "{\"c\":\"ann\",\"id\":\"1\",\"t\":1767600000000,\"sku\":\"s1\"}\n");
        string[] replay = ["replay", "--events", _folder.At("events.ndjson"), "--out", _folder.At("out")];
        var (code, _, error) = await CallAsync(replay);
        Assert.Equal(2, code);
        Assert.Contains("the table 'products' is a topic, and this command reads files. Give its rows as CSV with a header or NDJSON: "
            + "--table products=FILE", error, StringComparison.Ordinal);
        (code, _, error) = await CallAsync([.. replay, "--table", "goods=x.csv"]);
        Assert.Contains("there is no table 'goods'. The tables are: products.", error, StringComparison.Ordinal);
        (code, _, error) = await CallAsync([.. replay, "--table", "products"]);
        Assert.Contains("--table takes NAME=FILE, not 'products'", error, StringComparison.Ordinal);

        _folder.Write("products.csv", "key,category,margin\ns1,shoes,3.5\n");
        await DoAsync([.. replay, "--table", $"products={_folder.At("products.csv")}"]);
        Assert.Contains("3.5", await File.ReadAllTextAsync(_folder.At("out/features.csv")), StringComparison.Ordinal);
        _folder.Write("labels.csv", "customer,time\nann,2026-01-06\n");
        await DoAsync("features", "--events", _folder.At("events.ndjson"), "--at", _folder.At("labels.csv"), "--out",
            _folder.At("vectors.csv"), "--table", $"products={_folder.At("products.csv")}");
        Assert.Contains("3.5", await File.ReadAllTextAsync(_folder.At("vectors.csv")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Validate_and_describe_name_the_topic()
    {
        Assert.Contains("\ntable products: the topic 'products', followed while the engine runs", await DoAsync("validate"),
            StringComparison.Ordinal);
        Assert.Equal("""{"products":{"topic":"products"}}""",
            JsonNode.Parse(await DoAsync("validate", "--json"))!["tables"]!.ToJsonString());
        Assert.Contains("event.margin (shop: tables.products.margin (topic products) by sku)",
            await DoAsync("features", "describe", "margins"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ topic: products, file: p.csv, key: id, fields: { margin: double } }", "the table names a file and a topic")]
    [InlineData("{ topic: products, format: avro, key: id, fields: { margin: double } }", "a table's topic can't be avro")]
    [InlineData("{ topic: products, encoding: latin1, key: id, fields: { margin: double } }", "'encoding' is of files")]
    [InlineData("{ topic: products, separator: ';', key: id, fields: { margin: double } }", "only CSV has a separator")]
    [InlineData("{ topic: decisions, key: id, fields: { margin: double } }", "topic 'decisions' is also that of outputs.decisions")]
    [InlineData("{ topic: shop, key: id, fields: { margin: double } }", "topic 'shop' is also that of events.shop.topic")]
    [InlineData("{ topic: 'a b', key: id, fields: { margin: double } }", "'a b' can't be a topic's name")]
    public void A_topic_that_cant_be_a_table_is_told(string table, string mistake)
    {
        var mistakes = _folder.Mistakes(Config.Replace("{ topic: products, key: $key, fields: { category: string, margin: double } }",
            table.Replace("fields: {", "fields: { category: string,", StringComparison.Ordinal), StringComparison.Ordinal));
        Assert.Contains(mistake, Assert.Single(mistakes), StringComparison.Ordinal);
    }

    private void Write(params (string Key, string? Value)[] rows)
    {
        using var log = new EmbeddedLog(new EmbeddedLogOptions(_folder.At("log")));
        using var writer = log.OpenWriter();
        foreach (var (key, value) in rows) writer.Write("products", Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(value ?? ""), 0);
        writer.Flush();
    }

    private async Task<string> DoAsync(params string[] arguments)
    {
        var (code, output, error) = await CallAsync(arguments);
        Assert.True(code == 0, error);
        return output;
    }

    private Task<(int Code, string Output, string Error)> CallAsync(params string[] arguments) =>
        Cli.RunAsync([.. arguments, "--config", _folder.At("shop.yaml")]);
}
