using System.Text.Json.Nodes;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>The catalogue of features by the command line, of the demo's config.</summary>
public sealed class CatalogueTests
{
    private static readonly string Demo = RepositoryRoot.At("deploy/samples/demo/streamengine.yaml");

    [Fact]
    public async Task Lineage_leads_from_fields_to_models_and_rules()
    {
        var listed = JsonNode.Parse(await Do("list", "--format", "json"))!["features"]!.AsArray();
        var views = Assert.Single(listed, f => (string)f!["name"]! == "views_1h")!;
        Assert.Equal("count where event.type == 'page_view' over the last 1h by panes of 5m", (string)views["definition"]!);
        Assert.Equal("exact", (string)views["bound"]!);
        // Twelve panes of a count, and the ring's clock.
        Assert.Equal(12 * 4 + 16, (int)views["bytes"]!);
        Assert.Equal(["type"], views["fields"]!.AsArray().Select(f => (string)f!["field"]!));
        Assert.Contains("feature cart_per_view expr", Readers(views));
        Assert.Contains("model session_purchase views_1h", Readers(views));

        // What a derived feature is made of, its inputs are.
        var derived = Assert.Single(listed, f => (string)f!["name"]! == "cart_per_view")!;
        Assert.Equal(["carts_24h", "views_1h"], derived["reads"]!.AsArray().Select(r => (string)r!));
        Assert.Equal(("shop: type", 0), ((string)derived["fields"]![0]!["from"]![0]!, (int)derived["bytes"]!));

        var buyer = JsonNode.Parse(await Do("describe", "buyer_monetary", "--json"))!;
        Assert.Equal("buyer", (string)buyer["name"]!);
        Assert.Contains("offer loyalty_club value", Readers(buyer));
        Assert.Equal(["shop: value"], Assert.Single(buyer["fields"]!.AsArray(), f => (string)f!["field"]! == "value")!["from"]!.AsArray()
            .Select(f => (string)f!));
    }

    [Fact]
    public async Task An_affinity_is_described_with_its_names_and_its_bound()
    {
        var text = await Do("describe", "drawn_to");
        foreach (var line in new[]
        {
            "top of event.category with a half-life of 7d over the whole life time", "drawn_to_weight_1, drawn_to_weight_2, drawn_to_total",
            "drawn_to_1, drawn_to_2",
            "up to rounding while there are at most 16 names, then too large by at most the smallest slot's weight (total / 16)",
            $"{16 + 16 * 64}", "event.category (shop: category)", "offer bundle_discount, suitable",
        }) Assert.Contains(line, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tables_have_a_row_for_each_feature()
    {
        var features = JsonNode.Parse(await Do("list", "--json"))!["features"]!.AsArray().Count;
        Assert.Equal(features + 1, (await Do("list")).TrimEnd().Split('\n').Length);
        var markdown = (await Do("list", "--format", "markdown")).TrimEnd().Split('\n');
        Assert.Equal(features + 2, markdown.Length);
        Assert.All(markdown, line => Assert.Equal(8, line.Replace("\\|", "", StringComparison.Ordinal).Count(c => c == '|')));
        Assert.StartsWith("## views_1h", await Do("describe", "views_1h", "--format", "markdown"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("describe views_2h", "did you mean views_1h?")]
    [InlineData("describe zzzzzzzzzz", "has all of them")]
    [InlineData("list --format xml", "table, json or markdown, not 'xml'")]
    [InlineData("show c1 --url ftp://x", "such as http://shop-1:9464")]
    public async Task What_is_not_there_is_a_mistake_of_usage(string line, string message)
    {
        var (code, _, error) = await Cli.RunAsync(["features", .. line.Split(' '), "--config", Demo]);
        Assert.Equal(1, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_there_is_told()
    {
        var (code, _, error) =
            await Cli.RunAsync("features", "show", "c1", "--config", Demo, "--url", $"http://127.0.0.1:{FreePort.Find()}");
        Assert.Equal(3, code);
        Assert.Contains("Nothing listens at", error, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Readers(JsonNode feature) =>
        feature["read_by"]!.AsArray().Select(r => $"{r!["kind"]} {r["name"]} {r["as"]}");

    private static async Task<string> Do(params string[] words)
    {
        var (code, output, error) = await Cli.RunAsync(["features", .. words, "--config", Demo]);
        Assert.True(code == 0, error);
        return output;
    }
}
