using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEngine.Decisions;
using StreamEngine.Host.Evaluation.Experiments;
using StreamEngine.Host.Evaluation.OffPolicy;
using StreamEngine.Host.Explanation;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>
/// <c>evaluate policy</c>: estimators against numbers computed by hand and against a simulated truth, and the command over a shop that
/// explores.
/// </summary>
public sealed class EvaluatePolicyTests : IDisposable
{
    /// <summary>A file: the intervals' coverage is then measured over 1,000 logs in place of 60, and written there.</summary>
    private const string Long = "STREAMENGINE_TEST_COVERAGE";

    private const string Config = """
        name: small
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
          exploration: { home: { method: epsilon_greedy, epsilon: 0.5 } }
        offers: { a: { propensity: 0.5 }, b: { propensity: 0.4 } }
        outcomes:
          windows: { click: 1h, conversion: 1h, impression: 1h, refund: 1h, reject: 1h }
          events: { clicked: { kind: click, when: "event.kind == 'click'", without_decision: last_decision, offer: event.offer } }
        state: { store: memory }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("policy-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Estimates_are_those_of_a_calculation_by_hand()
    {
        // Weights 0.5, 3 and 1: w r = 0.5, 0 and 1; the third is of the first's customer.
        Sample[] samples = [new("x", 0.8, 0.4, 1, 0.5, 0.6), new("y", 0.2, 0.6, 0, 0.25, 0.3), new("x", 1, 1, 1, 0.5, 0.5)];
        var all = Estimators.All(samples, 2, 0.05).ToDictionary(e => e.Name);
        Near(2 / 3.0, all["logged"].Value);
        Near(0.5, all["ips"].Value);
        Near(1.5 / 3, all["clipped_ips"].Value);
        Near(1.5 / 4.5, all["snips"].Value);
        Near(1.4 / 3, all["dm"].Value);
        Near((1.4 + 0.5 * 0.5 - 3 * 0.25 + 0.5) / 3, all["dr"].Value);
        Near(1.5, all["mean_weight"].Value);
        Near(4.5 * 4.5 / (0.25 + 9 + 1), Estimators.EffectiveSize(samples));
        // IPS by customer: x has (0.5 - 0.5) + (1 - 0.5), y has 0 - 0.5.
        Near(Math.Sqrt((0.25 + 0.25) * 2) / 3, all["ips"].Error);
        // SNIPS: w (r - 1/3) / 1.5: x has (1/3 + 2/3) / 1.5, y has -1 / 1.5.
        Near(Math.Sqrt(2 * (1 / 2.25) * 2) / 3, all["snips"].Error);
        Near(0.5 + 1.959963984540054 * all["ips"].Error, all["ips"].High);
    }

    [Theory]
    [InlineData("greedy", 1, 0, 0)]
    [InlineData("uniform", 1 / 3.0, 1 / 3.0, 1 / 3.0)]
    [InlineData("epsilon_greedy:0.3", 0.8, 0.1, 0.1)]
    [InlineData("offer:c", 0, 0, 1)]
    [InlineData("offer:gone", 1, 0, 0)]
    public void A_policy_is_read_and_chooses(string text, double a, double b, double c)
    {
        var probabilities = TargetPolicy.TryParse(text)!.Probabilities([new("a", 0, 0, 5), new("b", 0, 0, 4), new("c", 0, 0, 2.5)]);
        Assert.Equal([a, b, c], probabilities, (x, y) => Math.Abs(x - y) < 1e-12);
    }

    [Theory]
    [InlineData("softmax:0")]
    [InlineData("softmax")]
    [InlineData("epsilon_greedy:1.5")]
    [InlineData("offer:")]
    [InlineData("greedy:1")]
    [InlineData("best")]
    public void What_is_no_policy_is_refused(string text) => Assert.Null(TargetPolicy.TryParse(text));

    /// <summary>
    /// A bandit of four offers whose priorities are not what they earn: logs of 2,000 decisions by softmax, another softmax evaluated. The
    /// expectation is known exactly, so that bias and coverage are. Fails where an interval covers far too little or an estimate is biased.
    /// </summary>
    [Fact]
    public void Intervals_cover_the_truth_of_a_simulated_bandit()
    {
        var file = Environment.GetEnvironmentVariable(Long);
        var logs = string.IsNullOrEmpty(file) ? 60 : 1_000;
        var random = new Random(5);
        var covered = new Dictionary<string, int>();
        var errors = new Dictionary<string, double>();
        var (logging, target) = (new SelectionRule(ExplorationMethod.Softmax, 0.5), TargetPolicy.TryParse("softmax:0.1")!);
        for (var log = 0; log < logs; log++)
        {
            var (samples, truth) = (new List<Sample>(), 0.0);
            for (var i = 0; i < 2_000; i++)
            {
                var chances = Enumerable.Range(0, 4).Select(_ => random.NextDouble() * 0.4).ToArray();
                var candidates = chances.Select((p, o) => new LoggedCandidate($"{o}", 0.1 + p / 2, 1, 0.5 + random.NextDouble() + p))
                    .OrderByDescending(c => c.Priority).ToArray();
                var logged = new double[4];
                logging.Probabilities([.. candidates.Select(c => c.Priority)], logged);
                var wanted = target.Probabilities(candidates);
                double Chance(int at) => chances[candidates[at].Offer[0] - '0'];
                truth += Enumerable.Range(0, 4).Sum(at => wanted[at] * Chance(at)) / 2_000;
                var (drawn, chosen) = (random.NextDouble(), 0);
                while (chosen < 3 && (drawn -= logged[chosen]) >= 0) chosen++;
                samples.Add(new Sample($"{log}-{i}", logged[chosen], wanted[chosen], random.NextDouble() < Chance(chosen) ? 1 : 0,
                    candidates[chosen].P, Enumerable.Range(0, 4).Sum(at => wanted[at] * candidates[at].P)));
            }
            foreach (var e in Estimators.All(samples, 1_000, 0.05))
            {
                var right = e.Name == "mean_weight" ? 1 : truth;
                covered[e.Name] = covered.GetValueOrDefault(e.Name) + (e.Low <= right && right <= e.High ? 1 : 0);
                errors[e.Name] = errors.GetValueOrDefault(e.Name) + (e.Value - right) / logs;
            }
        }
        var text = string.Join(", ", covered.Select(c => $"{c.Key} covers {c.Value} of {logs}, mean error {errors[c.Key]:0.00000}"));
        foreach (var name in new[] { "ips", "snips", "dr", "mean_weight" })
            Assert.True(covered[name] >= 0.88 * logs && Math.Abs(errors[name]) < (name == "mean_weight" ? 0.01 : 0.004), text);
        if (!string.IsNullOrEmpty(file)) File.WriteAllText(file, text);
        Assert.True(covered["dm"] < logs / 2, text);     // its model is wrong, and nothing corrects it
        Assert.True(covered["logged"] < logs / 2, text); // the policies do differ
    }

    [Fact]
    public async Task A_shop_that_explores_is_evaluated_from_a_replays_files()
    {
        File.WriteAllText(In("config.yaml"), Config);
        using (var events = File.CreateText(In("events.ndjson")))
        {
            // Who was shown b clicks, who was shown a does not: an event about b joins a decision for b only.
            for (var i = 0; i < 600; i++)
            {
                events.WriteLine($$"""{"id":"v{{i}}","who":"c{{i}}","kind":"visit","offer":"","at":"2026-11-01T10:00:00Z"}""");
                events.WriteLine($$"""{"id":"k{{i}}","who":"c{{i}}","kind":"click","offer":"b","at":"2026-11-01T10:05:00Z"}""");
            }
            events.WriteLine("""{"id":"end","who":"last","kind":"end","offer":"","at":"2026-11-09T10:00:00Z"}""");
        }
        var (code, _, error) = await Cli.RunAsync("replay", "--config", In("config.yaml"), "--events", In("events.ndjson"), "--out",
            In("results"));
        Assert.True(code == 0, error);

        // Each candidate's probability is told by a decision's explanation and in its row of a table.
        Assert.Equal([0.75, 0.25], Explained().Candidates.Select(c => c.SelectionProbability));
        (code, _, error) = await Cli.RunAsync("decisions", "export", "--config", In("config.yaml"), "--from", In("results"), "--out",
            In("table.csv"));
        Assert.True(code == 0, error);
        var rows = File.ReadLines(In("table.csv")).Select(l => l.Split(',')).ToList();
        var (offer, drawn) = (Array.IndexOf(rows[0], "candidate_offer"), Array.IndexOf(rows[0], "candidate_selection_probability"));
        Assert.Equal(1_200, rows.Skip(1).Count(r => r[drawn] == (r[offer] == "a" ? "0.75" : "0.25")));

        var always = await Report("offer:b");
        Assert.Equal((600, 0.0, 0), ((int)always["decisions"]!, (double)always["not_covered"]!, (int)always["open"]!));
        Assert.Equal(0.25, (double)always["least_logged_probability"]!, 1e-12);
        Assert.Equal(1, Of(always, "snips"), 1e-12);
        Assert.InRange(Of(always, "ips"), 0.7, 1.3);
        Assert.Equal(Of(always, "logged") * 4, Of(always, "ips"), 1e-9);
        Assert.Equal(0.4, Of(always, "dm"), 1e-12);
        Assert.Equal(0, Of(await Report("greedy"), "snips"), 1e-12);
        Assert.Equal(0.5, Of(await Report("uniform"), "snips"), 0.1);

        var (_, text, _) = await Cli.RunAsync(Arguments("uniform"));
        Assert.Contains("uniform: 600 decisions of 600 customers, effective size", text, StringComparison.Ordinal);
        Assert.Contains("95 % interval", text, StringComparison.Ordinal);
        (code, _, error) = await Cli.RunAsync(Arguments("best"));
        Assert.Equal(1, code);
        Assert.Contains("--policy is 'best'", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_exploration_what_can_not_be_known_is_told()
    {
        File.WriteAllText(In("config.yaml"), Config);
        File.WriteAllText(In("events.ndjson"), """
            {"id":"v","who":"c","kind":"visit","offer":"","at":"2026-11-01T10:00:00Z"}
            {"id":"end","who":"last","kind":"end","offer":"","at":"2026-11-09T10:00:00Z"}
            """ + "\n");
        await Cli.RunAsync("replay", "--config", In("config.yaml"), "--events", In("events.ndjson"), "--out", In("results"), "--set",
            "decisions.exploration={}");
        Assert.Equal([null, null], Explained().Candidates.Select(c => c.SelectionProbability));
        var (code, json, error) = await Cli.RunAsync([.. Arguments("uniform"), "--json"]);
        Assert.Equal(0, code);
        Assert.Equal(0.5, (double)JsonNode.Parse(json)!["not_covered"]!);
        Assert.Contains("could not come out in the log", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_no_decision_is_closed_it_fails_and_says_why()
    {
        File.WriteAllText(In("config.yaml"), Config);
        File.WriteAllText(In("events.ndjson"), """{"id":"v","who":"c","kind":"visit","offer":"","at":"2026-11-01T10:00:00Z"}""" + "\n");
        string[] replay = ["replay", "--config", In("config.yaml"), "--events", In("events.ndjson"), "--out", In("results")];
        Assert.Equal(0, (await Cli.RunAsync(replay)).Code);
        var (code, output, error) = await Cli.RunAsync([.. Arguments("uniform"), "--json"]);
        Assert.Equal((3, ""), (code, output));
        Assert.Contains("error: no decision is closed yet (1 open)", error, StringComparison.Ordinal);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        (code, _, error) = await Cli.RunAsync([.. Arguments("uniform"), "--placement", "none"]);
        Assert.Equal(3, code);
        Assert.Contains("error: no decision can be evaluated: of the placement 'none'", error, StringComparison.Ordinal);

        // What the message advises helps.
        Assert.Equal(0, (await Cli.RunAsync([.. replay, "--as-of", "2026-11-09T10:00:00Z"])).Code);
        Assert.Equal(1, (int)(await Report("uniform"))["decisions"]!);
    }

    /// <summary>
    /// What the log could not have shown is told by each candidate's own probability, also where the chosen one was not certain.
    /// </summary>
    [Theory]
    [InlineData("offer:c", "[0.5, 0.5, 0]", "0.5", 1.0)]
    [InlineData("uniform", "[0.5, 0.5, 0]", "0.5", 1.0 / 3)]
    [InlineData("offer:a", "[0.5, 0.5, 0]", "0.5", 0.0)]
    [InlineData("offer:c", "[]", "0.5", 0.0)] // a record of an earlier version does not say
    [InlineData("offer:c", "[]", "1", 1.0)]
    public void What_the_log_does_not_cover_follows_from_the_candidates_probabilities(string policy, string drawn, string logged,
        double uncovered)
    {
        var data = new PolicyData(TargetPolicy.TryParse(policy)!, "click", null);
        using var record = JsonDocument.Parse($$"""
            {"decision_id":"d","outcome":"served","customer_id":"x","placement":"home","selection_probability":{{logged}},
            "chosen":{"offer":"a","is_default":false},"candidate_probabilities":{{drawn}},
            "candidates":[{"offer":"a","drop":"","p":1,"v":1,"priority":9},{"offer":"b","drop":"lost_arbitration","p":1,"v":1,"priority":9},
            {"offer":"c","drop":"lost_arbitration","p":1,"v":1,"priority":1}]}
            """);
        data.Decision(new LoggedRecord(record.RootElement));
        Assert.Equal(uncovered, data.Uncovered, 1e-15);
    }

    private ExplainedDecision Explained()
    {
        using var record = JsonDocument.Parse(File.ReadLines(In("results/decisions.ndjson")).First());
        return new Explainer(null).Explain(record.RootElement);
    }

    private async Task<JsonNode> Report(string policy)
    {
        var (code, output, error) = await Cli.RunAsync([.. Arguments(policy), "--json"]);
        Assert.True(code == 0, error);
        return JsonNode.Parse(output)!;
    }

    private string[] Arguments(string policy) =>
        ["evaluate", "policy", "--config", In("config.yaml"), "--from", In("results"), "--policy", policy, "--reward", "click"];

    private static double Of(JsonNode report, string estimate) => (double)report["estimates"]![estimate]!["value"]!;

    private static void Near(double expected, double actual) => Assert.Equal(expected, actual, 1e-12);

    private string In(string file) => Path.Combine(_folder, file);
}
