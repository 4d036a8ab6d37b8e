using System.Collections;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Evaluation.Experiments;
using StreamEngine.Host.Evaluation.OffPolicy;
using StreamEngine.Runtime;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>
/// <c>evaluate policy --policy FILE</c>: another config on the log, against built-in policies that are the same, and against a simulated
/// truth.
/// </summary>
public sealed class EvaluateConfigPolicyTests : IDisposable
{
    /// <summary>A file: the intervals' coverage is then measured over 1,000 logs in place of 10, and written there.</summary>
    private const string Long = "STREAMENGINE_TEST_CONFIG_COVERAGE";

    private const string Config = """
        name: small
        purposes: [ads]
        events:
          shop:
            topic: shop
            format: json
            time: { field: at, format: iso }
            id: id
            customer: who
            consent: allowed
            fields: { kind: string, offer: string, x: double }
        features:
          x: { op: last, of: event.x, where: event.kind == 'visit' }
          visits: { op: count, where: event.kind == 'visit' }
          liked: { op: last, of: event.offer }
        decisions:
          triggers: { visit: { when: "event.kind == 'visit'", placement: "'home'" } }
          exploration: { home: { method: softmax, temperature: 0.5 } }
          caps: { few: { per: offer, max: 1, window: 1h, offers: [d] } }
        offers:
          a: { propensity: 0.5 }
          b: { propensity: 0.4, value: "1.0 + features.x * 0.1", levers: { push: "0.2" } }
          c: { propensity: 0.3, suitable: event.x < 0.7, attributes: { margin: 2 } }
          d: { propensity: 0.2, applicable: features.x > 0.5 }
        outcomes:
          windows: { click: 1h, conversion: 1h, impression: 1h, refund: 1h, reject: 1h }
          events: { clicked: { kind: click, when: "event.kind == 'click'", without_decision: last_decision, offer: event.offer } }
        state: { store: memory }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("config-policy-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_config_is_evaluated_like_the_built_in_policy_that_it_is()
    {
        await Replay();
        // Without exploration, with another one, and with a value by which b always wins.
        foreach (var (set, same) in new[]
        {
            ("decisions.exploration={}", "greedy"), ("decisions.exploration.home.temperature=0.1", "softmax:0.1"),
            ("decisions.exploration.home={method: epsilon_greedy, epsilon: 1}", "uniform"),
        })
        {
            var (there, _) = await Report(await Variant(set));
            var (built, _) = await Report(same);
            Assert.True((int)there["decisions"]! == 300, set);
            Assert.Equal(built["estimates"]!.ToJsonString(), there["estimates"]!.ToJsonString());
            Assert.Equal((double)built["not_covered"]!, (double)there["not_covered"]!, 1e-12);
            Assert.Empty(there["not_known"]!.AsObject());
        }
        var always = await Variant("decisions.exploration={}", "offers.b.value=\"100.0\"");
        var (told, error) = await Report(always);
        var (wanted, _) = await Report("offer:b");
        foreach (var name in new[] { "ips", "clipped_ips", "snips", "mean_weight" })
            Assert.Equal((double)wanted["estimates"]![name]!["value"]!, (double)told["estimates"]![name]!["value"]!, 1e-12);
        Assert.Contains("each served decision is decided again by itself", error, StringComparison.Ordinal);
        Assert.Contains(told["differences"]!.AsArray(), d => (string)d!["path"]! == "offers.b.value");
        // A new temperature of the same decisions is told in text with what differs.
        var (code, output, _) = await Cli.RunAsync(Arguments(await Variant("decisions.exploration.home.temperature=0.1")));
        Assert.Equal(0, code);
        Assert.Contains("decisions.exploration.home.temperature: 0.5 -> 0.1", output, StringComparison.Ordinal);
        Assert.Contains("300 decisions of 300 customers", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Experiments_on_values_and_propensities_are_evaluated_for_their_customers()
    {
        const string tried =
            "decisions.experiments={ e: { variations: { x: { weight: W }, y: { weight: V, values: { b: \"100.0\" } } } } }";
        // On its own log it is itself, in every variation.
        var config = Config.Replace("  exploration:", "  experiments: { e: { variations: { x: {}, y: { values: { b: 3.0 + features.x }, "
            + "propensities: { c: 0.9 }, contexts: { a: \"2.0\" } } } } }\n  exploration:", StringComparison.Ordinal);
        await Replay(config);
        var (told, _) = await Report(In("config.yaml"));
        Assert.Equal((300, 0.0, 0), ((int)told["decisions"]!, (double)told["not_covered"]!, told["not_known"]!.AsObject().Count));
        Assert.Equal(1, (double)told["estimates"]!["mean_weight"]!["value"]!, 1e-12);
        // What it tries takes the place of what is there without it.
        await Replay();
        var (wanted, _) = await Report("offer:b");
        (told, _) = await Report(await Variant("decisions.exploration={}", tried.Replace("W", "0").Replace("V", "1")));
        Assert.Equal((double)wanted["estimates"]!["snips"]!["value"]!, (double)told["estimates"]!["snips"]!["value"]!, 1e-12);
        (wanted, _) = await Report("greedy");
        (told, _) = await Report(await Variant("decisions.exploration={}", tried.Replace("W", "1").Replace("V", "0")));
        Assert.Equal((double)wanted["estimates"]!["snips"]!["value"]!, (double)told["estimates"]!["snips"]!["value"]!, 1e-12);
        // A value that the log can not tell is not known of those customers; a feature that it does not have is refused.
        (told, _) = await Report(await Variant(tried.Replace("W", "0.5").Replace("V", "0.5").Replace("\"100.0\"", "event.x")));
        Assert.Equal("offers.b.value reads event.x, which decision records do not have", told["not_known"]!.AsObject().Single().Key);
        var (code, _, error) = await Cli.RunAsync(Arguments(await Variant("features.more={op: count}",
            tried.Replace("W", "0.5").Replace("V", "0.5").Replace("\"100.0\"", "features.more"))));
        Assert.Equal(2, code);
        Assert.Contains("has no feature 'more'", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_offer_whose_value_is_no_number_is_no_candidate_of_its_own_config_either()
    {
        await Replay(Config.Replace("method: softmax, temperature: 0.5", "method: epsilon_greedy, epsilon: 1", StringComparison.Ordinal)
            .Replace("  a: {", "  z: { propensity: 0.9, value: \"features.x / 0.0 - features.x / 0.0\" }\n  a: {",
                StringComparison.Ordinal));
        Assert.Contains("\"bad_priority\"", await File.ReadAllTextAsync(In("results/decisions.ndjson")), StringComparison.Ordinal);
        var (told, _) = await Report(In("config.yaml"));
        Assert.Equal((300, 0.0), ((int)told["decisions"]!, (double)told["not_covered"]!));
        Assert.Equal(1, (double)told["estimates"]!["mean_weight"]!["value"]!, 1e-12);
    }

    [Fact]
    public async Task What_the_log_can_not_tell_is_counted_and_what_it_can_is_computed()
    {
        await Replay();
        // A rule that reads the event is taken from the log where it is the same, and is not known where it is another.
        // Where another rule drops the offer anyway, it does not matter.
        var (told, error) = await Report(await Variant("offers.c.suitable=event.x < 0.5", "offers.c.applicable=features.x > 0.5"));
        var (why, count) = told["not_known"]!.AsObject().Single();
        Assert.Equal("offers.c.suitable reads event.x, which decision records do not have", why);
        Assert.Equal((149, 151), ((int)count!, (int)told["decisions"]!));
        Assert.Contains($"149 decisions are left out: {why}", error, StringComparison.Ordinal);
        // Over features the same rule is known: those who come in by it were no candidates, and are not covered.
        var wider = await Variant("offers.c.suitable=features.x < 0.9", "decisions.exploration={}", "offers.c.value=\"50.0\"");
        (told, _) = await Report(wider);
        Assert.Equal((300, 0), ((int)told["decisions"]!, told["not_known"]!.AsObject().Count));
        Assert.Equal(0.2, (double)told["not_covered"]!, 0.06); // x from 0.7 to 0.9
        // An offer that could not come so far in the log may be kept back by a limit there: not known.
        (told, _) = await Report(await Variant("offers.d.applicable=features.x > 0.4"));
        Assert.Equal("whether a limit would drop d is not in the log, where it did not come so far",
            told["not_known"]!.AsObject().Single().Key);
        // An offer that the log never had, no limits: it takes all, and nothing of that is covered. Nothing at all is shown without offers.
        (told, _) = await Report(await Variant("offers.e={propensity: 1.0, value: \"100.0\"}", "decisions.caps={}",
            "decisions.exploration={}"));
        Assert.Equal((1.0, 0.0), ((double)told["not_covered"]!, (double)told["estimates"]!["mean_weight"]!["value"]!));
        (told, _) = await Report(await Variant("offers.a.eligible=\"false\"", "offers.b.eligible=\"false\"", "offers.c.eligible=\"false\"",
            "offers.d.eligible=\"false\""));
        Assert.Equal((300, 1.0), ((int)told["nothing_shown"]!, (double)told["not_covered"]!));
        // Decisions of another config are none of this log's.
        File.WriteAllText(In("config.yaml"), Config.Replace("propensity: 0.5", "propensity: 0.51", StringComparison.Ordinal));
        var (code, _, failed) = await Cli.RunAsync(Arguments(In("config.yaml")));
        Assert.Equal(3, code);
        Assert.Contains("300 decisions are left out: another config than --config decided", failed, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("features.x.where", "event.kind == 'click'", "the feature 'x' means something else in")]
    [InlineData("features.x.default", "0.5", "the feature 'x' means something else in")]
    [InlineData("events.shop.fields.x", "decimal(2)", "the feature 'x' means something else in")]
    [InlineData("offers.a.value", "features.more", "has no feature 'more', so that the log has no values of it")]
    [InlineData("time.lateness", "3h", "event time is not handled as in")]
    [InlineData("decisions.default_offer", "a", "decision records do not have which customers were new")]
    [InlineData("decisions.purpose", "ads", "decision records do not have who consents to what")]
    [InlineData("offers.a.value", "features.y", "unknown name 'features.y'")]
    public async Task A_config_that_does_not_mean_the_same_is_refused_with_the_reason(string path, string value, string reason)
    {
        File.WriteAllText(In("config.yaml"), Config);
        Directory.CreateDirectory(In("results"));
        var other = await Variant($"{path}={value}", "features.more={op: count}");
        var (code, _, error) = await Cli.RunAsync(Arguments(other));
        Assert.Equal(2, code);
        Assert.Contains(reason, error, StringComparison.Ordinal);
        // What is not read may be otherwise.
        if (path == "time.lateness") Assert.DoesNotContain("visits", error, StringComparison.Ordinal);
    }

    /// <summary>
    /// A bandit whose customers differ: logs of a config that explores, another config that values offers by a feature. What that would
    /// earn is known exactly.
    /// </summary>
    [Fact]
    public void Intervals_cover_the_truth_of_another_config()
    {
        var file = Environment.GetEnvironmentVariable(Long);
        var (logs, decisions) = string.IsNullOrEmpty(file) ? (10, 300) : (1_000, 2_000);
        using var log = Compile(Config.Replace(", suitable: event.x < 0.7", "", StringComparison.Ordinal));
        using var other = Compile(Config.Replace(", suitable: event.x < 0.7", "", StringComparison.Ordinal)
            .Replace("a: { propensity: 0.5 }", "a: { propensity: 0.5, value: 2.0 - features.x * 2.0 }", StringComparison.Ordinal)
            .Replace("1.0 + features.x * 0.1", "features.x * 2.0", StringComparison.Ordinal)
            .Replace("temperature: 0.5", "temperature: 0.2", StringComparison.Ordinal));
        var (before, after) = (new SelectionRule(ExplorationMethod.Softmax, 0.5), new SelectionRule(ExplorationMethod.Softmax, 0.2));
        var random = new Random(9);
        var covered = new Dictionary<string, int>();
        for (var round = 0; round < logs; round++)
        {
            using var policy = new ConfigPolicy(log, other);
            var (data, truth) = (new PolicyData(policy, "click", null), 0.0);
            for (var i = 0; i < decisions; i++)
            {
                var x = random.NextDouble();
                // Who has a small x likes a, who has a large one b; c and d are in between.
                double[] chances = [0.5 * (1 - x), 0.5 * x, 0.2, 0.1];
                double[] old = [0.5, 0.4 * (1 + x * 0.1) * 1.2, 0.3, 0.2], wanted = [0.5 * (2 - x * 2), 0.4 * x * 2 * 1.2, 0.3, 0.2];
                var (shown, target) = (Chances(before, old, x), Chances(after, wanted, x));
                truth += Enumerable.Range(0, 4).Sum(o => target[o] * chances[o]) / decisions;
                var (drawn, chosen) = (random.NextDouble(), 0);
                while (chosen < 3 && (drawn -= shown[chosen]) >= 0) chosen++;
                Take(data, $"{round}-{i}", x, old, shown, chosen, log.ConfigHash, random.NextDouble() < chances[chosen]);
            }
            Assert.Empty(policy.Unknown);
            foreach (var e in Estimators.All(data.Samples, 1_000, 0.05))
            {
                var right = e.Name == "mean_weight" ? 1 : truth;
                covered[e.Name] = covered.GetValueOrDefault(e.Name) + (e.Low <= right && right <= e.High ? 1 : 0);
            }
        }
        var text = string.Join(", ", covered.Select(c => $"{c.Key} covers {c.Value} of {logs}"));
        if (!string.IsNullOrEmpty(file)) File.WriteAllText(file, text);
        foreach (var name in new[] { "ips", "snips", "dr", "mean_weight" }) Assert.True(covered[name] >= 0.75 * logs, text);
        Assert.True(covered["logged"] < logs / 2, text); // the policies do differ
    }

    /// <summary>By offer, the probability with which a policy shows it; d is a candidate of those with a large x.</summary>
    private static double[] Chances(SelectionRule rule, double[] priorities, double x)
    {
        var order = Enumerable.Range(0, x > 0.5 ? 4 : 3).OrderByDescending(o => priorities[o]).ThenBy(o => o).ToArray();
        var probabilities = new double[order.Length];
        rule.Probabilities([.. order.Select(o => priorities[o])], probabilities);
        var result = new double[4];
        for (var place = 0; place < order.Length; place++) result[order[place]] = probabilities[place];
        return result;
    }

    private static void Take(PolicyData data, string id, double x, double[] priorities, double[] shown, int chosen, string hash,
        bool clicked)
    {
        double[] p = [0.5, 0.4, 0.3, 0.2], l = [1, 1.2, 1, 1];
        string Number(double number) => number.ToString("R", CultureInfo.InvariantCulture);
        var candidates = Enumerable.Range(0, 4).Select(o => o == 3 && x <= 0.5
            ? """{"offer":"d","drop":"not_applicable","p":0,"c":0,"v":0,"l":0,"priority":0,"rank":0,"p_source":"none"}"""
            : $$"""
                {"offer":"{{"abcd"[o]}}","drop":"{{(o == chosen ? "" : "lost_arbitration")}}","p":{{Number(p[o])}},"c":1,
                "v":{{Number(priorities[o] / p[o] / l[o])}},"l":{{Number(l[o])}},"priority":{{Number(priorities[o])}},"rank":1,
                "p_source":"fixed"}
                """);
        using var decision = JsonDocument.Parse($$"""
            {"decision_id":"{{id}}","outcome":"served","customer_id":"{{id}}","placement":"home","config_hash":"{{hash}}",
            "selection_probability":{{Number(shown[chosen])}},"chosen":{"offer":"{{"abcd"[chosen]}}","is_default":false},
            "candidate_probabilities":[{{string.Join(',', shown.Select(Number))}}],"features":[{{Number(x)}},1],
            "candidates":[{{string.Join(',', candidates)}}]}
            """);
        data.Decision(new LoggedRecord(decision.RootElement));
        using var outcome = JsonDocument.Parse($$"""
            {"decision_id":"{{id}}","status":"closed","outcomes":[{{(clicked ? "\"click\"" : "")}}]}
            """);
        data.Outcome(new LoggedRecord(outcome.RootElement));
    }

    private CompiledEngine Compile(string config)
    {
        File.WriteAllText(In("compiled.yaml"), config);
        var errors = new ConfigErrors();
        var engine = ConfigCheck.Compile(ConfigLoader.Load(In("compiled.yaml"), [], new Hashtable(), errors), errors);
        errors.ThrowIfAny();
        return engine!;
    }

    /// <summary>Three hundred customers with their own x, each shown something once; who was shown b clicks where x is large.</summary>
    private async Task Replay(string config = Config)
    {
        File.WriteAllText(In("config.yaml"), config);
        using (var events = File.CreateText(In("events.ndjson")))
        {
            for (var i = 0; i < 300; i++)
            {
                var x = (i * 7 % 300 / 300.0).ToString("R", CultureInfo.InvariantCulture);
                events.WriteLine(Event($"v{i}", $"c{i}", "visit", "", x, "2026-11-01T10:00:00Z"));
                events.WriteLine(Event($"k{i}", $"c{i}", "click", "b", "0", "2026-11-01T10:05:00Z"));
            }
            events.WriteLine(Event("end", "last", "end", "", "0", "2026-11-09T10:00:00Z"));
        }
        var (code, _, error) = await Cli.RunAsync("replay", "--config", In("config.yaml"), "--events", In("events.ndjson"), "--out",
            In("results"));
        Assert.True(code == 0, error);

        static string Event(string id, string who, string kind, string offer, string x, string at) => $$"""
            {"id":"{{id}}","who":"{{who}}","allowed":["ads"],"kind":"{{kind}}","offer":"{{offer}}","x":{{x}},"at":"{{at}}"}
            """;
    }

    /// <summary>A file with the config and some values of it set otherwise.</summary>
    private async Task<string> Variant(params string[] sets)
    {
        var errors = new ConfigErrors();
        var root = YamlConfigReader.Read("config.yaml", Config, errors)!;
        root = ConfigOverrides.Apply<HostOptions>(root, [.. sets.Select(s =>
        {
            var (path, value) = (s[..s.IndexOf('=', StringComparison.Ordinal)], s[(s.IndexOf('=', StringComparison.Ordinal) + 1)..]);
            return new ConfigOverride(path, path.Split('.'), value.StartsWith('{') || value.StartsWith('"')
                ? YamlConfigReader.Read(path, value, errors)! : new ConfigNode(new ConfigLocation(path, 0, 0, "")) { Scalar = value });
        })], errors);
        errors.ThrowIfAny();
        var path = In($"{Guid.NewGuid():N}.yaml");
        await File.WriteAllTextAsync(path, Json(root).ToJsonString());
        return path;

        static JsonNode Json(ConfigNode node) => node.Entries is { } entries
            ? new JsonObject(entries.Select(e => KeyValuePair.Create<string, JsonNode?>(e.Key, Json(e.Value))))
            : node.Items is { } items ? new JsonArray([.. items.Select(Json)]) : JsonValue.Create(node.Scalar ?? "")!;
    }

    private async Task<(JsonNode Report, string Error)> Report(string policy)
    {
        var (code, output, error) = await Cli.RunAsync([.. Arguments(policy), "--json"]);
        Assert.True(code == 0, error);
        return (JsonNode.Parse(output)!, error);
    }

    private string[] Arguments(string policy) =>
        ["evaluate", "policy", "--config", In("config.yaml"), "--from", In("results"), "--policy", policy, "--reward", "click"];

    private string In(string file) => Path.Combine(_folder, file);
}
