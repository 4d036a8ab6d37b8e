using System.Text.Json.Nodes;
using StreamEngine.Testing;
using StreamEngine.Tests.Host;
using Xunit;

namespace StreamEngine.Tests.Explanation;

/// <summary>Why decisions came out as they did, told by the command line from an embedded log.</summary>
public sealed class ExplainCommandTests : IDisposable
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
          caps: { once: { per: offer, max: 1, window: 2d, offers: [letter] } }
          experiments: { price: { variations: { control: {}, low: { without: [poster] } } } }
        offers:
          gift: { propensity: 0.5, value: "1.0", context: "2.0" }
          letter: { propensity: 0.1, value: "20.0", channel: post, treatment: blue, eligible: event.value >= 50.0 }
          poster: { propensity: 0.01, placements: [wall] }
        state: { store: memory }
        http: { port: 0 }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("explain-").FullName;

    public ExplainCommandTests() => File.WriteAllText(In("config.yaml"), Config);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_funnel_is_told_in_words_and_numbers_and_what_is_not_there_with_what_is()
    {
        await DecideAsync("""{"order":"o1","who":"ann","allowed":["ads"],"at":"2020-01-01T10:00:00Z","value":"60","placement":"home"}""",
            """{"order":"o2","who":"ann","allowed":["ads"],"at":"2020-01-01T11:00:00Z","value":"70","placement":"home"}""",
            """{"order":"o3","who":"ann","allowed":["ads"],"at":"2020-01-01T12:00:00Z","value":"20","placement":"home"}""",
            """{"order":"o4","who":"bob","allowed":[],"at":"2020-01-01T12:00:01Z","value":"80","placement":"home"}""");
        var first = await ShowAsync("small/orders/0/0/0", config: true);
        Assert.Equal(("ann", "served", "big", "home", true), ((string)first["customer"]!, (string)first["outcome"]!,
            (string)first["trigger"]!, (string)first["placement"]!, (bool)first["config_is_same"]!));
        Assert.Equal("""{"offer":"letter","treatment":"blue","channel":"post","is_default":false}""", first["chosen"]!.ToJsonString());
        Assert.Equal(["gift selection lost_arbitration 2", "letter chosen  1", "poster placement placement 0"],
            first["candidates"]!.AsArray().Select(c => $"{c!["offer"]} {c["stage"]} {c["drop"]} {c["rank"]}"));
        Assert.Equal([("spent", 60.0), ("bought", 1.0)],
            first["features"]!.AsArray().Select(f => ((string)f!["name"]!, (double)f["value"]!)));
        Assert.Equal("price", (string)first["assignments"]![0]!["experiment"]!);
        Assert.Equal("""{"topic":"decisions","partition":0}""", Without(first["record"]!, "offset").ToJsonString());
        var why = first["why"]!.AsArray().Select(w => (string)w!).ToList();
        Assert.EndsWith("(orders[0], offset 0) opened it by trigger 'big' for placement 'home'.", why[0], StringComparison.Ordinal);
        Assert.Contains("3 offers were looked at: dropped poster at placement; 2 came to arbitration.", why);
        Assert.Contains("letter was chosen: priority 2 = P 0.1 (fixed) x C 1 x V 20 x L 1. Next was gift: priority 1 = P 0.5 (fixed) x C 2 "
            + "x V 1 x L 1.", why);

        var second = await ShowAsync("small/orders/0/1/0", config: true);
        Assert.Contains("letter at contact policy", second["why"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("The cap 'once' on this offer is reached: 1 within 2 d.", (string)second["candidates"]![1]!["why"]!);
        // Another config's rules and names would be wrong here.
        var third = await ShowAsync("small/orders/0/2/0", config: false);
        Assert.Equal("The customer may not get it: its rule 'eligible' says no.", (string)third["candidates"]![1]!["why"]!);
        Assert.False((bool)third["config_is_same"]!);
        Assert.Null(third["features"]![0]!["name"]);
        third = await ShowAsync("small/orders/0/2/0", config: true);
        Assert.Equal("The customer may not get it: 'eligible' says no (event.value >= 50.0).", (string)third["candidates"]![1]!["why"]!);

        var refused = await ShowAsync("small/orders/0/3/0", config: true);
        Assert.Contains("does not consent to 'ads'", (string)refused["why"]!.AsArray()[^1]!, StringComparison.Ordinal);
        Assert.Empty(refused["candidates"]!.AsArray());

        var (code, output, _) = await RunAsync("decisions", "show", "small/orders/0/1/0", "--config", In("config.yaml"));
        Assert.Equal(0, code);
        Assert.StartsWith("small/orders/0/1/0: served gift for ann at 2020-01-01T11:00:00.000Z, config ", output, StringComparison.Ordinal);
        Assert.Matches(@"\n  gift +1 +1 +0\.5 +2 +1 +1  chosen: It was chosen\.\n", output);
        Assert.EndsWith("  features: spent 130, bought 2\n", output, StringComparison.Ordinal);

        (code, output, _) = await RunAsync("decisions", "why", "ann", "--last", "2", "--json");
        Assert.Equal((0, "small/orders/0/1/0 small/orders/0/2/0"),
            (code, string.Join(' ', JsonNode.Parse(output)!.AsArray().Select(d => (string)d!["decision_id"]!))));

        (code, _, var error) = await RunAsync("decisions", "show", "small/orders/0/5/0");
        Assert.Equal(3, code);
        Assert.Contains("the newest one seen before it is of offset 3, ordinal 0", error, StringComparison.Ordinal);
        (code, _, error) = await RunAsync("decisions", "show", "orders/0/5");
        Assert.Equal(1, code);
        Assert.Contains("'orders/0/5' is no decision id, which is ENGINE/TOPIC/PARTITION/OFFSET/ORDINAL", error, StringComparison.Ordinal);
        (code, _, error) = await RunAsync("decisions", "why", "nobody");
        Assert.Equal(3, code);
        Assert.Contains("has no decision of customer 'nobody'", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_features_added_to_a_models_score_is_told_with_the_model_that_scored()
    {
        foreach (var version in new[] { "1", "2" })
        {
            Directory.CreateDirectory(In($"covers/{version}"));
            foreach (var file in new[] { "model.onnx", "model.json" })
                File.Copy(RepositoryRoot.At("tests/StreamEngine.Tests/Inference/models/covers/1", file), In($"covers/{version}/{file}"));
        }
        File.WriteAllText(In("covers/2/model.json"), File.ReadAllText(In("covers/2/model.json"))
            .Replace("\"version\": \"1\"", "\"version\": \"2\"", StringComparison.Ordinal));
        var config = Config.Replace("features: { spent: { op: sum, of: event.value }, bought: { op: count } }", """
            features:
              f0: { op: sum, of: event.value }
              f1: { op: count }
              f2: { op: sum, of: event.value, where: event.value > 1000.0 }
              f3: { op: time_since, where: event.value > 1000.0, default: .nan }
              f4: { op: mean, of: event.value }
            models: { covers: { version: "1" } }
            """, StringComparison.Ordinal).Replace("propensity: 0.5", "propensity: { model: covers }", StringComparison.Ordinal)
            .Replace("propensity: 0.1", "propensity: { model: covers }", StringComparison.Ordinal);
        File.WriteAllText(In("config.yaml"), config.Replace("models: { covers: { version: \"1\" } }",
            $"models: {{ covers: {{ path: {In("covers")}, version: \"1\" }} }}", StringComparison.Ordinal));
        await DecideAsync("""{"order":"o1","who":"ann","allowed":["ads"],"at":"2020-01-01T10:00:00Z","value":"60","placement":"home"}""");

        var told = (await ShowAsync("small/orders/0/0/0", config: true))["reasons"]!.AsArray().Single()!;
        Assert.Equal(("covers", "1", "path_dependent", "training", "log_odds", ""), ((string)told["model"]!, (string)told["version"]!,
            (string)told["method"]!, (string)told["compared_with"]!, (string)told["unit"]!, (string)told["refusal"]!));
        Assert.Equal(["gift", "letter"], told["offers"]!.AsArray().Select(o => (string)o!));
        var reasons = told["reasons"]!.AsArray();
        Assert.Equal(5, reasons.Count);
        Assert.Equal(reasons.Select(r => Math.Abs((double)r!["contribution"]!)).OrderDescending(),
            reasons.Select(r => Math.Abs((double)r!["contribution"]!)));
        Assert.Equal(60, (double)reasons.Single(r => (string)r!["feature"]! == "f0")!["value"]!);
        Assert.Equal((double)told["raw"]!, (double)told["base"]! + reasons.Sum(r => (double)r!["contribution"]!), 1e-9);
        Assert.Equal((double)told["p"]!, 1 / (1 + Math.Exp(-(double)told["raw"]!)), 1e-9);

        var (code, output, _) = await RunAsync("decisions", "show", "small/orders/0/0/0", "--config", In("config.yaml"), "--reasons", "2");
        Assert.Equal(0, code);
        Assert.Matches(@"\n  covers 1, for gift, letter: P 0\.\d+ is log odds -?\d\.\d+ = 0\.784031 of the mean of the training, and of "
            + @"features:\n +[+-]\d\.\d{4}  f\d \S+\n +[+-]\d\.\d{4}  f\d \S+\n +[+-]\d\.\d{4}  3 other features\n  features: f0 60",
            output);
        // What an experiment tries is told by the model that scored for the customer.
        File.WriteAllText(In("config.yaml"), File.ReadAllText(In("config.yaml")).Replace("low: { without: [poster] }",
            "low: { propensities: { gift: 0.5, letter: 0.1, poster: { model: covers } } }", StringComparison.Ordinal)
            .Replace("control: {}", "control: { weight: 0 }", StringComparison.Ordinal).Replace("low: {", "low: { weight: 1,",
                StringComparison.Ordinal));
        await DecideAsync("""{"order":"o2","who":"eve","allowed":["ads"],"at":"2020-01-01T11:00:00Z","value":"60","placement":"wall"}""");
        told = (await ShowAsync("small/orders/0/1/0", config: true))["reasons"]!.AsArray().Single()!;
        Assert.Equal(("covers", "poster", ""), ((string)told["model"]!, (string)told["offers"]!.AsArray().Single()!,
            (string)told["refusal"]!));
        // Another model, another config or none: nothing is guessed.
        var without = (await ShowAsync("small/orders/0/0/0", config: false))["reasons"]![0]!;
        Assert.Equal(("covers", "No config is at hand: name the one that decided."),
            ((string)without["model"]!, (string)without["refusal"]!));
        (_, output, _) = await RunAsync("decisions", "show", "small/orders/0/0/0", "--config", In("config.yaml"), "--set",
            "models.covers.version=2");
        Assert.Contains("Version 1 scored, and the config at hand has version 2: take the config that decided, with "
            + "models.covers.version: 1.", output, StringComparison.Ordinal);
        (_, output, _) = await RunAsync("decisions", "why", "ann", "--config", In("config.yaml"), "--set", "offers.gift.value=2.0");
        Assert.Contains("covers 1: Config ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("log odds", output, StringComparison.Ordinal);
    }

    private static JsonObject Without(JsonNode node, string name)
    {
        var copy = node.DeepClone().AsObject();
        Assert.True(copy.Remove(name));
        return copy;
    }

    private async Task DecideAsync(params string[] events)
    {
        await File.WriteAllLinesAsync(In("orders.ndjson"), events);
        Assert.Equal(0, (await RunAsync("topics", "create", "--config", In("config.yaml"), "--partitions", "1")).Code);
        foreach (var line in new string[][] { ["produce", "--events", In("orders.ndjson")], ["run", "--drain"] })
        {
            var (code, _, error) = await RunAsync([.. line, "--config", In("config.yaml")]);
            Assert.True(code == 0, error);
        }
    }

    private async Task<JsonNode> ShowAsync(string id, bool config)
    {
        string[] more = config ? ["--config", In("config.yaml")] : [];
        var (code, output, error) = await RunAsync(["decisions", "show", id, "--json", .. more]);
        Assert.True(code == 0, error);
        return JsonNode.Parse(output)!;
    }

    private Task<(int Code, string Output, string Error)> RunAsync(params string[] line) =>
        Cli.RunAsync([.. line, "--embedded", In("log")]);

    private string In(string name) => Path.Combine(_folder, name);
}
