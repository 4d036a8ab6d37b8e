using System.Collections;
using System.Text.Json;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Evaluation.Experiments;
using StreamEngine.Host.Evaluation.OffPolicy;
using StreamEngine.Runtime;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>What another config decides of single records: default offers, models, withheld offers.</summary>
public sealed class ConfigPolicyTests : IDisposable
{
    private const string Config = """
        name: small
        events:
          shop: { topic: shop, format: json, time: { field: at, format: iso }, id: id, customer: who, fields: { kind: string, v: double } }
        features:
          f0: { op: last, of: event.v }
          f1: { op: sum, of: event.v }
          f2: { op: max, of: event.v }
          f3: { op: min, of: event.v }
          f4: { op: count }
        decisions:
          default_offer: d
          triggers: { visit: { when: "event.kind == 'visit'", placement: "'home'" } }
        offers:
          a: { propensity: 0.5, applicable: features.f4 > 2.0 }
          d: { propensity: 0.1, suitable: features.f4 > 5.0 }
        state: { store: memory }
        """;

    private const string Withheld = "propensity: 0.1,|propensity: 0.1, holdout: { share: 1.0 },",
        Without = "default_offer: d|default_offer: d\n  experiments: { e: { variations: { x: { without: [d] }, y: { without: [d] } } } }",
        Bad = "propensity: 0.1,|propensity: 0.1, value: features.f0 / 0.0 - features.f0 / 0.0,",
        Rule = "features.f4 > 2.0|event.kind == 'visit'";

    private static readonly string Covers = RepositoryRoot.At("tests/StreamEngine.Tests/Inference/models/covers");

    private readonly string _folder = Directory.CreateTempSubdirectory("config-records-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    // The default went before a candidate: the customer was new, and it goes first under the other config too.
    [InlineData("a: lost_arbitration 2, d: - 1", true, 3, "", "d 1")]
    [InlineData("a: lost_arbitration 2, d: - 1", true, 3, "default_offer: d|default_offer: null", "a 1")]
    // It was taken as nothing was left: where something is left now, nobody knows whether the customer was new.
    [InlineData("a: not_applicable 0, d: - 0", true, 2, "", "d 1")]
    [InlineData("a: not_applicable 0, d: - 0", true, 2, "f4 > 2.0|f4 > 1.0", "?")]
    [InlineData("a: not_applicable 0, d: - 0", true, 2, "default_offer: d|default_offer: null", "")]
    // Somebody who was not new: the default is no more than a candidate, and stands in where nothing is left.
    [InlineData("a: - 1, d: not_suitable 0", false, 3, "", "a 1")]
    [InlineData("a: - 1, d: not_suitable 0", false, 3, "f4 > 2.0|f4 > 3.0", "d 1")]
    [InlineData("a: - 1, d: not_suitable 0", false, 3, "f4 > 5.0|f4 > 1.0, value: '9.0'", "d 1")]
    // A limit's verdict and a switch stand.
    [InlineData("a: - 1, d: offer_cap:x 0", false, 3, "f4 > 2.0|f4 > 3.0", "")]
    [InlineData("a: switched_off 0, d: - 1", false, 3, "f4 > 2.0|f4 > 1.0", "d 1")]
    // Withheld offers were priced; under a config without the experiment they are candidates that the log could not show.
    [InlineData("a: experiment 0, d: - 1", false, 3, "", "a 1")]
    [InlineData("a: - 1, d: not_suitable 0", false, 3, "propensity: 0.5|propensity: 0.5, holdout: { share: 1.0 }", "d 1")]
    // An offer that is kept back needs no verdict of its rules.
    [InlineData("a: - 1, d: not_suitable 0", false, 3, "applicable: features.f4 > 2.0|applicable: event.v > 1.0, holdout: { share: 1.0 }",
        "d 1")]
    public void A_record_is_decided_again(string candidates, bool isDefault, int count, string change, string expected)
    {
        using var log = Compile(Config);
        using var other = Compile(change.Length == 0 ? Config
            : Config.Replace(change.Split('|')[0], change.Split('|')[1], StringComparison.Ordinal));
        using var policy = new ConfigPolicy(log, other);
        var choice = policy.Choose(Record(log, candidates, isDefault, [1, 1, 1, 1, count]), []);
        Assert.Equal(expected, choice is null ? "?" : string.Join(", ", choice.Candidates.Zip(choice.Probabilities)
            .Where(c => c.Second > 0).Select(c => $"{c.First.Offer} {c.Second}")));
        Assert.Equal(expected == "?" ? 1 : 0, policy.Unknown.Count);
        Assert.Equal(expected.Length == 0 ? 1 : 0, policy.Nothing);
    }

    [Theory]
    // The default offer that the log withheld or could not price would have gone first to a new customer: nobody knows who was new.
    [InlineData(Withheld, "", "d: not_suitable 0", "?")]
    [InlineData(Withheld, Withheld, "d: not_suitable 0", "a 1")]
    [InlineData(Without, "", "d: not_suitable 0", "?")]
    [InlineData(Without, Without, "d: not_suitable 0", "a 1")]
    [InlineData(Bad, "", "d: bad_priority 0", "?")]
    [InlineData(Bad, Bad, "d: bad_priority 0", "a 1")]
    // The same rule over a field that is read from elsewhere is another rule, and over the same field it is the same one.
    [InlineData(Rule, Rule, "d: not_suitable 0", "a 1")]
    [InlineData(Rule, $"{Rule};kind: string|kind: {{ from: sort, type: string }}", "d: not_suitable 0", "?")]
    [InlineData(Rule, $"{Rule};v: double|v: {{ from: w, type: double }}", "d: not_suitable 0", "a 1")]
    public void What_the_log_decided_differently_is_not_taken_as_known(string there, string here, string candidate, string expected)
    {
        using var log = Compile(Changed(there));
        using var other = Compile(Changed(here));
        using var policy = new ConfigPolicy(log, other);
        var choice = policy.Choose(Record(log, $"a: - 1, {candidate}", false, [1, 1, 1, 1, 3]), []);
        Assert.Equal(expected, choice is null ? "?" : string.Join(", ", choice.Candidates.Select(c => $"{c.Offer} 1")));
    }

    [Theory]
    [InlineData("", 0, 0)]
    [InlineData("f4 > 2.0|f4 > 1.0", 1, 0)]
    [InlineData("features.f4 > 2.0|event.v > 2.0", 0, 1)]
    public void A_decision_that_had_nothing_to_show_is_counted_where_something_would_be_shown(string change, int added, int unknown)
    {
        using var log = Compile(Config);
        using var other = Compile(Changed(change));
        using var policy = new ConfigPolicy(log, other);
        var data = new PolicyData(policy, "click", null);
        data.Decision(Record(log, "a: not_applicable 0, d: switched_off 0", false, [1, 1, 1, 1, 2]));
        Assert.Equal((added, unknown), (policy.Added, policy.PerhapsAdded));
        Assert.Equal((0, 0, 0), (policy.Unknown.Count, policy.Nothing, data.Open));
    }

    [Fact]
    public void Another_models_propensity_is_scored_from_the_logged_features_and_the_same_ones_is_the_logged_one()
    {
        var scored = Config.Replace("a: { propensity: 0.5,", "a: { propensity: { model: covers },", StringComparison.Ordinal)
            .Replace("decisions:", $"models: {{ covers: {{ path: {Covers} }} }}\ndecisions:", StringComparison.Ordinal)
            .Replace("features.f4 > 2.0", "features.f4 >= 0.0 || features.f4 < 0.0", StringComparison.Ordinal);
        using var fix = Compile(Config);
        using var model = Compile(scored);
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Covers, "1", "golden.json")));
        var rows = golden.RootElement.GetProperty("rows").EnumerateArray().Take(20).ToList();
        using var scoring = new ConfigPolicy(fix, model);
        using var keeping = new ConfigPolicy(model, model);
        foreach (var row in rows)
        {
            var vector = row.GetProperty("inputs").EnumerateArray()
                .Select(v => v.ValueKind == JsonValueKind.Null ? double.NaN : v.GetDouble()).ToArray();
            if (double.IsNaN(vector[4])) continue;
            var choice = scoring.Choose(Record(fix, "a: - 1, d: not_suitable 0", false, vector), [])!;
            Assert.Equal(row.GetProperty("outputs")[0].GetDouble(), choice.Candidates.Single(c => c.Offer == "a").P, 1e-6);
            choice = keeping.Choose(Record(model, "a: - 1, d: not_suitable 0", false, vector, "model"), [])!;
            Assert.Equal(0.25, choice.Candidates.Single(c => c.Offer == "a").P);
        }
        Assert.Empty(scoring.Unknown);
    }

    [Fact]
    public void A_model_that_an_experiment_tries_scores_for_its_customers()
    {
        const string tried = "default_offer: d\n  experiments: { e: { variations: { x: { weight: 0 }, y: { weight: 1, propensities: "
            + "{ a: { model: covers, default: 0.07 } } } } } }";
        var config = Config.Replace("default_offer: d", tried, StringComparison.Ordinal)
            .Replace("decisions:", $"models: {{ covers: {{ path: {Covers} }} }}\ndecisions:", StringComparison.Ordinal);
        using var log = Compile(Config);
        using var other = Compile(config);
        using var control = Compile(config.Replace("weight: 0", "weight: 2", StringComparison.Ordinal)
            .Replace("weight: 1", "weight: 0", StringComparison.Ordinal).Replace("weight: 2", "weight: 1", StringComparison.Ordinal));
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Covers, "1", "golden.json")));
        var row = golden.RootElement.GetProperty("rows").EnumerateArray().First(r => r.GetProperty("inputs").EnumerateArray()
            .All(v => v.ValueKind != JsonValueKind.Null) && r.GetProperty("inputs")[4].GetDouble() > 2);
        var vector = row.GetProperty("inputs").EnumerateArray().Select(v => v.GetDouble()).ToArray();
        var expected = row.GetProperty("outputs")[0].GetDouble();
        Assert.Equal(expected, P(log, other), 1e-6);
        Assert.Equal(0.5, P(log, control));
        Assert.Equal(0.25, P(other, other)); // as the record has it
        Assert.Equal(expected, P(control, other), 1e-6); // another variation's is not the one
        Assert.Equal(0.5, P(other, log));

        double P(CompiledEngine log, CompiledEngine policy)
        {
            using var evaluated = new ConfigPolicy(log, policy);
            return evaluated.Choose(Record(log, "a: - 1, d: not_suitable 0", false, vector, "model"), [])!.Candidates
                .Single(c => c.Offer == "a").P;
        }
    }

    /// <summary>A record of candidates, each with drop (- for none) and rank; those that were priced have P 0.25 and V 1.</summary>
    private static LoggedRecord Record(CompiledEngine log, string candidates, bool isDefault, double[] features, string source = "fixed")
    {
        var parts = candidates.Split(", ").Select(c => c.Split(": ")).Select(c => (Offer: c[0], Drop: c[1].Split(' ')[0].Replace("-", "",
            StringComparison.Ordinal), Rank: c[1].Split(' ')[1])).ToList();
        var json = string.Join(',', parts.Select(c => $$"""
            {"offer":"{{c.Offer}}","drop":"{{c.Drop}}","rank":{{c.Rank}},"p":0.25,"c":1,"v":1,"l":1,
            "p_source":"{{(c.Drop is "" or "experiment" or "lost_arbitration" ? source : "none")}}"}
            """));
        var chosen = parts.SingleOrDefault(c => c.Drop.Length == 0).Offer;
        var taken = chosen is null ? "null" : $$"""{"offer":"{{chosen}}","is_default":{{(isDefault ? "true" : "false")}}}""";
        var numbers = features.Select(f => double.IsNaN(f) ? "null" : f.ToString("R", System.Globalization.CultureInfo.InvariantCulture));
        return new LoggedRecord(JsonDocument.Parse($$"""
            {"decision_id":"1","outcome":"{{(chosen is null ? "no_offer" : "served")}}",
            "customer_id":"c","placement":"home","config_hash":"{{log.ConfigHash}}",
            "chosen":{{taken}},"features":[{{string.Join(',', numbers)}}],
            "candidates":[{{json}}]}
            """).RootElement);
    }

    /// <summary>The config with some texts replaced: old and new one with a bar between, several with semicolons.</summary>
    private static string Changed(string changes) => changes.Split(';', StringSplitOptions.RemoveEmptyEntries)
        .Aggregate(Config, (config, change) => config.Replace(change.Split('|')[0], change.Split('|')[1], StringComparison.Ordinal));

    private CompiledEngine Compile(string config)
    {
        File.WriteAllText(Path.Combine(_folder, "config.yaml"), config);
        var errors = new ConfigErrors();
        var engine = ConfigCheck.Compile(ConfigLoader.Load(Path.Combine(_folder, "config.yaml"), [], new Hashtable(), errors), errors);
        errors.ThrowIfAny();
        return engine!;
    }
}
