using System.Globalization;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Host.Evaluation;
using StreamEngine.Host.Evaluation.Experiments;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>
/// <c>experiments report</c> over a shop whose customers buy more often in one variation and click alike in both: its figures against
/// sums that the test makes itself, from a replay's files and from a log.
/// </summary>
public sealed class ExperimentReportTests : IDisposable
{
    private const int Customers = 2_000;

    private const string Config = """
        name: small
        events:
          shop:
            topic: shop
            format: json
            time: { field: at, format: iso }
            id: id
            customer: who
            fields: { kind: string, revenue: double }
        decisions:
          triggers: { visit: { when: "event.kind == 'visit'", placement: "'home'" } }
          experiments: { price: { variations: { control: {}, low: { treatments: { club: cheap } } } } }
        offers: { club: { propensity: 0.5, value: "1.0" } }
        outcomes:
          events:
            clicked: { kind: click, when: "event.kind == 'click'", without_decision: last_decision }
            bought: { kind: conversion, when: "event.kind == 'buy'", value: event.revenue, without_decision: last_decision }
        state: { store: memory }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("experiment-test-").FullName;

    public ExperimentReportTests() => File.WriteAllText(In("config.yaml"), Config);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Figures_are_those_of_the_customers_from_files_and_from_a_log()
    {
        var (variations, bought) = await ShopAsync();
        var json = await Done("--from", In("results"), "--interval", "fixed", "--plot", In("lift.svg"), "--json");
        var report = JsonNode.Parse(json)![0]!;
        Assert.Equal((Customers, false), ((int)report["customers"]!, (bool)report["sample_ratio_mismatch"]!));
        var measures = report["measures"]!.AsArray();
        Assert.Equal(["click", "conversion", "value"], measures.Select(m => (string)m!["measure"]!));

        ArmSums Share(string variation) => ArmSums.Share(variations.Values.Count(v => v == variation),
            variations.Count(v => v.Value == variation && bought.ContainsKey(v.Key)));
        ArmSums Value(string variation) => new()
        {
            Count = variations.Values.Count(v => v == variation),
            Sum = bought.Where(b => variations[b.Key] == variation).Sum(b => b.Value),
            Squares = bought.Where(b => variations[b.Key] == variation).Sum(b => b.Value * b.Value),
        };
        Same(Share("control"), Share("low"), measures[1]!, "more");
        Same(Value("control"), Value("low"), measures[2]!, "more");
        Assert.Equal("not significant", (string)measures[0]!["variations"]![1]!["verdict"]!);

        // A variation's interval and its estimate for each measure; the axis is at 0.
        var svg = XDocument.Load(In("lift.svg")).Root!;
        Assert.Equal(3, svg.Elements().Count(e => e.Name.LocalName == "circle"));
        Assert.Equal(["more", "more", "open"], svg.Elements().Where(e => e.Name.LocalName == "circle")
            .Select(e => (string)e.Attribute("class")!).Order());

        string[] log = ["--config", In("config.yaml"), "--embedded", In("log")];
        foreach (var command in new string[][] { ["topics", "create", .. log], ["produce", .. log, "--events", In("all.ndjson")],
            ["run", "--drain", .. log, "--set", "http.port=0"] })
        {
            var (code, _, error) = await Cli.RunAsync(command);
            Assert.True(code == 0, error);
        }
        Assert.Equal(json, await Done("--embedded", In("log"), "--interval", "fixed", "--json", "--since", "2026-11-01", "--until",
            "2026-11-02"));
        Assert.Contains("price: 0 customers", await Done("--embedded", In("log"), "--until", "2026-11-01"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_says_what_was_found_and_a_wrong_ratio_that_nothing_is_to_be_believed()
    {
        await ShopAsync();
        var text = await Done("--from", In("results"));
        Assert.Matches(@"(?m)^price: 2,000 customers, sample ratio p 0\.\d+$", text);
        Assert.Matches(@"(?m)^    low +\d,?\d+ +0\.\d{4} +\+\d+\.\d %   \+\d+\.\d % to \+\d+\.\d %, p 0\.?\d*: more$", text);
        Assert.Contains(": not significant", text, StringComparison.Ordinal);
        Assert.Contains("95 % interval", text, StringComparison.Ordinal);

        var (code, output, error) = await Cli.RunAsync("experiments", "report", "--config", In("config.yaml"), "--from", In("results"),
            "--set", "decisions.experiments.price.variations.control.weight=0.6", "--set",
            "decisions.experiments.price.variations.low.weight=0.4");
        Assert.Equal(0, code);
        Assert.Contains("MISMATCH", output, StringComparison.Ordinal);
        Assert.DoesNotContain(": more", output, StringComparison.Ordinal);
        Assert.Contains(": not to be believed", output, StringComparison.Ordinal);
        Assert.Contains("believe none of its lifts", error, StringComparison.Ordinal);

        // Customers of a sticky experiment stay where earlier weights put them.
        string[] sticky = ["--from", In("results"), "--set", "decisions.experiments.price.sticky=true", "--set",
            "decisions.experiments.price.variations.control.weight=0.6", "--set", "decisions.experiments.price.variations.low.weight=0.4"];
        text = await Done(sticky);
        Assert.Contains("price: 2,000 customers, sample ratio not checked: the experiment is sticky", text, StringComparison.Ordinal);
        Assert.Contains(": more", text, StringComparison.Ordinal);
        var report = JsonNode.Parse(await Done([.. sticky, "--json"]))![0]!.AsObject();
        Assert.True(report.ContainsKey("sample_ratio_p") && report["sample_ratio_p"] is null && report["sample_ratio_mismatch"] is null);

        // Nobody was decided for so late.
        Assert.Contains("price: 0 customers", await Done("--from", In("results"), "--since", "2027-01-01"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_missing_is_told_with_the_remedy()
    {
        await Fails(2, "there are no experiments", "--from", In("results"), "--set", "decisions.experiments={}");
        await Fails(3, "streamengine replay --config FILE", "--from", In("nothing"));
        await Fails(1, "Give one of --from DIR, --embedded DIR and --kafka BOOTSTRAP");
        await Fails(3, "--plot", "--from", In("results"), "--plot", _folder);
        await Fails(1, "--alpha is '2'", "--from", In("results"), "--alpha", "2");
        await Fails(1, "--since is 'then'", "--from", In("results"), "--since", "then");
        Directory.CreateDirectory(In("results"));
        File.WriteAllText(In("results/decisions.ndjson"), "{}\nno json\n");
        await Fails(3, "decisions.ndjson:2", "--from", In("results"));
    }

    [Fact]
    public void Each_customer_counts_once_and_one_that_changed_the_variation_not_at_all()
    {
        var data = new ExperimentData(new ExperimentOptions
        {
            Name = "price",
            Variations = [new VariationOptions { Name = "control" }, new VariationOptions { Name = "low" }],
        });
        foreach (var customer in new[] { "ann", "ann", "bob" }) Assert.True(data.Decided(customer, "control"));
        data.Decided("eve", "low");
        data.Decided("moves", "low");
        data.Decided("moves", "control");
        Assert.False(data.Decided("zoe", "gone"));
        data.CameTrue("ann", "control", "1", OutcomeKind.Conversion, 10);
        data.CameTrue("ann", "control", "2", OutcomeKind.Conversion, 5);
        data.CameTrue("ann", "control", "2", OutcomeKind.Conversion, 5); // at least once, a record may come again
        data.CameTrue("ann", "control", "3", OutcomeKind.Refund, 3);
        data.CameTrue("moves", "low", "4", OutcomeKind.Conversion, 1_000);
        Assert.Equal([2, 1], data.Counts);
        Assert.Equal(1, data.Moved);
        Assert.Equal((2, 1), (data.Shares(OutcomeKind.Conversion)[0].Count, (int)data.Shares(OutcomeKind.Conversion)[0].Sum));
        Assert.Equal((12, 144), ((int)data.Values()[0].Sum, (int)data.Values()[0].Squares));
        Assert.Equal(0, data.Values()[1].Sum);
    }

    [Theory]
    [InlineData(1, 0)] // one of the control's bought, and nobody of the others
    [InlineData(0, 3)]
    [InlineData(30, 30)] // everybody did
    [InlineData(30, 12)]
    public void Where_all_of_an_arm_did_the_same_nothing_is_compared(int control, int low)
    {
        var data = new ExperimentData(new ExperimentOptions
        {
            Name = "price",
            Variations = [new VariationOptions { Name = "control" }, new VariationOptions { Name = "low", Weight = 1 }],
        });
        foreach (var compare in new Func<ArmSums, ArmSums, Lift>[] { (a, b) => Lift.Fixed(a, b), (a, b) => Lift.Sequential(a, b) })
            foreach (var arms in new ArmSums[][]
                {
                    [ArmSums.Share(30, control), ArmSums.Share(30, low)],
                    [Equal(control), Equal(low)],
                })
            {
                var report = ExperimentReport.Of(data, [("x", arms)], compare);
                Assert.Null(report.Measures[0].Arms[1].Lift);
                Assert.Equal("nothing to compare", (string?)report.Json()["measures"]![0]!["variations"]![1]!["verdict"]);
            }

        // Each of thirty customers is worth the same: sums of squares leave a remainder that is no variance.
        static ArmSums Equal(int each) => new() { Count = 30, Sum = 30 * (each + 0.1), Squares = 30 * (each + 0.1) * (each + 0.1) };
    }

    /// <summary>
    /// Replays visits to learn who is in which variation, then all events: of the control 10 percent buy, of the other 20; some buy twice.
    /// </summary>
    private async Task<(Dictionary<string, string> Variations, Dictionary<string, double> Bought)> ShopAsync()
    {
        var visits = Enumerable.Range(0, Customers).Select(i => Event("visit", $"c{i}", i, 0)).ToList();
        File.WriteAllLines(In("visits.ndjson"), visits);
        await ReplayAsync("visits.ndjson", "first");
        var variations = File.ReadLines(In("first/decisions.ndjson")).Select(l => JsonNode.Parse(l)!)
            .ToDictionary(d => (string)d["customer_id"]!, d => (string)d["assignments"]![0]!["variation"]!);
        var random = new Random(5);
        var bought = new Dictionary<string, double>();
        for (var i = 0; i < Customers; i++)
        {
            if (random.NextDouble() < 0.3) visits.Add(Event("click", $"c{i}", i, 0));
            for (var times = 0; times < 2 && random.NextDouble() < (variations[$"c{i}"] == "low" ? 0.2 : 0.1); times++)
            {
                var revenue = random.Next(1, 100);
                visits.Add(Event($"buy{times}", $"c{i}", i, revenue));
                // Of a decision the first conversion counts.
                bought.TryAdd($"c{i}", revenue);
            }
        }
        File.WriteAllLines(In("all.ndjson"), visits);
        await ReplayAsync("all.ndjson", "results");
        return (variations, bought);
    }

    private static string Event(string kind, string customer, int at, int revenue) => string.Create(CultureInfo.InvariantCulture,
        $$"""{"id":"{{kind}}-{{customer}}","kind":"{{kind.TrimEnd('0', '1')}}","who":"{{customer}}","at":"2026-11-01T{{at / 3600:00}}:{{at / 60 % 60:00}}:{{at % 60:00}}Z","revenue":{{revenue}}}""");

    private async Task ReplayAsync(string events, string results)
    {
        var (code, _, error) = await Cli.RunAsync("replay", "--config", In("config.yaml"), "--events", In(events), "--out", In(results));
        Assert.True(code == 0, error);
    }

    private static void Same(ArmSums control, ArmSums arm, JsonNode measure, string verdict)
    {
        var expected = Lift.Fixed(control, arm);
        var (first, second) = (measure["variations"]![0]!, measure["variations"]![1]!);
        Assert.Equal((control.Count, arm.Count, verdict),
            ((long)first["customers"]!, (long)second["customers"]!, (string)second["verdict"]!));
        Assert.Equal([control.Mean, arm.Mean, expected.Estimate, expected.Low, expected.High, expected.PValue],
            [(double)first["mean"]!, (double)second["mean"]!, (double)second["lift"]!, (double)second["low"]!, (double)second["high"]!,
                (double)second["p"]!]);
    }

    private async Task<string> Done(params string[] arguments)
    {
        var (code, output, error) = await Cli.RunAsync(["experiments", "report", "--config", In("config.yaml"), .. arguments]);
        Assert.True(code == 0, error);
        return output;
    }

    private async Task Fails(int expected, string message, params string[] arguments)
    {
        var (code, _, error) = await Cli.RunAsync(["experiments", "report", "--config", In("config.yaml"), .. arguments]);
        Assert.True((code, error.Contains(message, StringComparison.Ordinal)) == (expected, true), $"{code}: {error}");
    }

    private string In(string name) => Path.Combine(_folder, name);
}
