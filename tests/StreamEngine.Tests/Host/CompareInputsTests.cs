using System.Globalization;
using System.Text.Json.Nodes;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary><c>replay compare</c> where the two configs do not read the same: files beside them, columns, unreadable records.</summary>
public sealed class CompareInputsTests : IDisposable
{
    private const string Config = """
        name: small
        events:
          orders:
            topic: orders
            format: csv
            time: { field: at, format: iso }
            id: order
            customer: who
            fields: { value: int, note: string }
        features:
          spent: { op: sum, of: event.value }
        timers:
          thanks: { after: 1h }
        decisions:
          triggers:
            big: { when: event.value >= 10, placement: "'web'" }
            thanks: { timer: thanks, placement: "'mail'" }
        offers:
          gift: { placements: [web], propensity: 0.5, value: "2.0" }
          poster: { placements: [web], propensity: 0.1, value: "4.0" }
          letter: { placements: [mail], channel: post, propensity: 0.1, value: "1.0" }
        state: { store: memory }
        """;

    private const string Louder = "poster: { levers: { season: \"2.0\" }, ";

    private readonly string _folder = Directory.CreateTempSubdirectory("compare-inputs-").FullName;

    public CompareInputsTests()
    {
        foreach (var side in new[] { "a", "b" })
        {
            Directory.CreateDirectory(In(side));
            Write($"{side}/c.yaml", Config);
        }
        Write("orders.csv", "order,who,at,value,note\n1,ann,2020-01-01T10:00:00Z,20,n\n");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Other_rows_of_a_table_are_a_difference()
    {
        var config = Config.Replace("note: string", "note: string, price: { lookup: \"prices[event.note].price\" }",
            StringComparison.Ordinal) + "\ntables: { prices: { file: prices.csv, key: sku, fields: { price: double } } }";
        foreach (var side in new[] { "a", "b" })
        {
            Write($"{side}/c.yaml", config);
            Write($"{side}/prices.csv", "sku,price\nn,1\n");
        }
        Assert.Empty((await CompareAsync())["differences"]!.AsArray());
        Write("b/prices.csv", "sku,price\nn,2\n");
        var difference = Assert.Single((await CompareAsync())["differences"]!.AsArray())!;
        Assert.Equal(("tables.prices (rows)", Hash("a/prices.csv"), Hash("b/prices.csv")),
            ((string)difference["path"]!, (string)difference["a"]!, (string)difference["b"]!));

        string Hash(string file) => Convert.ToHexStringLower(
            System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(In(file))))[..12];
    }

    [Fact]
    public async Task Another_avro_schema_under_the_same_name_is_refused()
    {
        const string Schema = """
            {"type":"record","name":"Order","fields":[{"name":"at","type":"long"},{"name":"order","type":"string"},
            {"name":"who","type":"string"},{"name":"note","type":"string"},{"name":"value","type":"int","default":7}]}
            """;
        File.WriteAllBytes(In("orders.avro"), AvroContainer.Of(Schema, []));
        foreach (var side in new[] { "a", "b" })
        {
            Write($"{side}/c.yaml", Config.Replace("format: csv", "format: avro\n    schema: order.avsc", StringComparison.Ordinal)
                .Replace("{ field: at, format: iso }", "at", StringComparison.Ordinal));
            Write($"{side}/order.avsc", Schema);
        }
        var (code, _, error) = await Cli.RunAsync(Line("orders.avro"));
        Assert.True(code == 0, error);
        Write("b/order.avsc", Schema.Replace("7", "8", StringComparison.Ordinal));
        (code, _, error) = await Cli.RunAsync(Line("orders.avro"));
        Assert.Equal(2, code);
        Assert.Contains("b/c.yaml:6:13: events.orders.schema: the file 'order.avsc' says something else here", error,
            StringComparison.Ordinal);
        Assert.EndsWith("\n1 mistake\n", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mistake_in_one_config_hides_none_of_what_the_other_finds_in_the_files()
    {
        Write("a/c.yaml", Config.Replace("of: event.value", "of: event.valeu", StringComparison.Ordinal));
        Write("b/c.yaml", Config.Replace("note: string", "note: string, coupon: string", StringComparison.Ordinal));
        var (code, _, error) = await Cli.RunAsync(Line("orders.csv"));
        Assert.Equal(2, code);
        Assert.Contains("features.spent.of: ", error, StringComparison.Ordinal);
        Assert.Contains("lacks 'coupon'", error, StringComparison.Ordinal);
        Assert.EndsWith("\n2 mistakes\n", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_changes_are_in_the_order_of_their_causes()
    {
        Write("b/c.yaml", Config.Replace("poster: { ", Louder, StringComparison.Ordinal)
            .Replace("after: 1h", "after: 2h", StringComparison.Ordinal));
        Write("orders.csv", "order,who,at,value,note\n" + string.Concat(Enumerable.Range(0, 2_500)
            .Select(i => $"{i},c{i % 400},2020-02-{i / 100 + 1:D2}T{i / 5 % 20:D2}:{i % 60:D2}:00Z,{i % 12},n\n")));
        var report = await CompareAsync("--out", In("out"));
        Assert.True((int)report["total"]!["changed"]! > 300 && (int)report["total"]!["only_a"]! > 1_000, report.ToJsonString());
        // The first policy's decision counts where there is one; its id ends with the offset of its cause and an ordinal.
        var causes = File.ReadLines(In("out/changes.csv")).Skip(1).Select(l => l.Split(',')).Select(c => c[5].Length > 0 ? c[5] : c[6])
            .Select(id => int.Parse(id.Split('/')[^2], CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(causes.Order(), causes);
    }

    [Fact]
    public async Task A_timer_that_fires_much_later_where_records_can_not_be_read_is_the_same_decision()
    {
        Write("b/c.yaml", Config.Replace("note: string", "note: int", StringComparison.Ordinal));
        var start = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        // Ten customers, then hours of another's orders that B can't read, then one that both can.
        Write("orders.csv", "order,who,at,value,note\n" + string.Concat(Enumerable.Range(0, 4_311).Select(i =>
            $"{i},{(i < 10 ? $"c{i}" : i < 4_310 ? "other" : "last")},{start.AddSeconds(i * 10):yyyy-MM-ddTHH:mm:ssZ},1,"
            + $"{(i is < 10 or 4_310 ? "1" : "text")}\n")));
        var report = await CompareAsync("--as-of", "2020-01-03T00:00:00Z");
        // The other's thanks are in A alone, as B knows nothing of that customer.
        Assert.Equal((11, 0, 1, 0), ((int)report["total"]!["same"]!, (int)report["total"]!["changed"]!, (int)report["total"]!["only_a"]!,
            (int)report["total"]!["only_b"]!));

        // Where B can't read the last ones either, its timers fire up to the end that A knows.
        Write("orders.csv", string.Concat(File.ReadLines(In("orders.csv")).SkipLast(1).Select(l => l + "\n")));
        report = await CompareAsync();
        Assert.Equal((10, 0, 0), ((int)report["total"]!["same"]!, (int)report["total"]!["only_a"]!, (int)report["total"]!["only_b"]!));
        Assert.Equal("2020-01-01T11:58:10.000Z", (string)report["as_of"]!);
    }

    private async Task<JsonNode> CompareAsync(params string[] more)
    {
        var (code, output, error) = await Cli.RunAsync([.. Line("orders.csv"), "--json", .. more]);
        Assert.True(code == 0, error);
        return JsonNode.Parse(output)!;
    }

    private string[] Line(string events) =>
        ["replay", "compare", "--policy", In("a/c.yaml"), "--policy", In("b/c.yaml"), "--events", In(events)];

    private string In(string name) => Path.Combine(_folder, name);

    private void Write(string name, string text) => File.WriteAllText(In(name), text);
}
