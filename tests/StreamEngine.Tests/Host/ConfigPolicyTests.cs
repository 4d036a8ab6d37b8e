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

    /// <summary>A record of candidates, each with drop (- for none) and rank; those that were priced have P 0.25 and V 1.</summary>
    private static LoggedRecord Record(CompiledEngine log, string candidates, bool isDefault, double[] features, string source = "fixed")
    {
        var parts = candidates.Split(", ").Select(c => c.Split(": ")).Select(c => (Offer: c[0], Drop: c[1].Split(' ')[0].Replace("-", "",
            StringComparison.Ordinal), Rank: c[1].Split(' ')[1])).ToList();
        var json = string.Join(',', parts.Select(c => $$"""
            {"offer":"{{c.Offer}}","drop":"{{c.Drop}}","rank":{{c.Rank}},"p":0.25,"c":1,"v":1,"l":1,
            "p_source":"{{(c.Drop is "" or "experiment" or "lost_arbitration" ? source : "none")}}"}
            """));
        var chosen = parts.Single(c => c.Drop.Length == 0).Offer;
        var numbers = features.Select(f => double.IsNaN(f) ? "null" : f.ToString("R", System.Globalization.CultureInfo.InvariantCulture));
        return new LoggedRecord(JsonDocument.Parse($$"""
            {"decision_id":"1","outcome":"served","customer_id":"c","placement":"home","config_hash":"{{log.ConfigHash}}",
            "chosen":{"offer":"{{chosen}}","is_default":{{(isDefault ? "true" : "false")}}},"features":[{{string.Join(',', numbers)}}],
            "candidates":[{{json}}]}
            """).RootElement);
    }

    private CompiledEngine Compile(string config)
    {
        File.WriteAllText(Path.Combine(_folder, "config.yaml"), config);
        var errors = new ConfigErrors();
        var engine = ConfigCheck.Compile(ConfigLoader.Load(Path.Combine(_folder, "config.yaml"), [], new Hashtable(), errors), errors);
        errors.ThrowIfAny();
        return engine!;
    }
}
