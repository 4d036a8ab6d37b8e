using System.Collections;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Evaluation.OffPolicy;
using StreamEngine.Runtime;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>Which configs can't be evaluated on a log, as what they read means something else there.</summary>
public sealed class PolicyConfigsTests : IDisposable
{
    private const string Config = """
        name: small
        tables:
          goods: { file: goods.csv, key: id, fields: { sort: string } }
        events:
          shop:
            topic: shop
            format: json
            time: { field: at, format: iso }
            id: id
            customer: who
            fields: { kind: string, v: double, key: string, sort: { lookup: "goods[event.key].sort" } }
        features:
          middle: { op: quantile, of: event.v, quantile: 0.5 }
          share: { op: rate, where: event.kind == 'x', per: "true", prior: 0.1, prior_weight: 10 }
          since: { op: time_since, unit: hours }
          top: { op: top, of: event.sort, k: 2 }
          f0: { op: last, of: event.v }
        decisions:
          triggers: { visit: { when: "event.kind == 'visit'", placement: "'home'" } }
        offers:
          a: { propensity: 0.5, value: features.middle + features.share + features.since + features.top_weight_1 }
        state: { store: memory }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("policy-configs-").FullName;

    public PolicyConfigsTests() => File.WriteAllText(Path.Combine(_folder, "goods.csv"), "id,sort\n1,tea\n2,-\n");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("k: 2", "k: 2", "")]
    [InlineData("quantile: 0.5", "quantile: 0.9", "the feature 'middle' means something else in log.yaml: 'quantile 0.9' here")]
    [InlineData("prior: 0.1", "prior: 0.2", "the feature 'share' means something else in log.yaml: 'prior 0.2 with the weight 10' here")]
    [InlineData("weight: 10", "weight: 20", "the feature 'share' means something else in log.yaml: 'prior 0.1 with the weight 20' here")]
    [InlineData("unit: hours", "unit: hours, previous: true", "the feature 'since' means something else in log.yaml: 'previous true' here")]
    [InlineData("k: 2", "k: 1", "the feature 'top' means something else in log.yaml: 'k 1' here")]
    [InlineData("k: 2", "k: 3", "the feature 'top' means something else in log.yaml: 'k 3' here")]
    [InlineData("key: id,", "key: id, nulls: ['-'],", "the feature 'top' means something else in log.yaml")]
    [InlineData("key: string", "key: { from: other, type: string }", "the feature 'top' means something else in log.yaml")]
    public void An_option_of_a_feature_that_is_applied_when_it_is_read_is_part_of_its_meaning(string there, string here, string mistake)
    {
        using var log = Compile(Config);
        using var policy = Compile(Config.Replace(there, here, StringComparison.Ordinal));
        var mistakes = Mistakes(log, policy);
        if (mistake.Length == 0) Assert.Empty(mistakes);
        else Assert.Contains(mistakes, m => m.Contains(mistake, StringComparison.Ordinal));
    }

    [Fact]
    public void A_model_whose_input_is_not_in_the_log_is_refused()
    {
        var covers = RepositoryRoot.At("tests/StreamEngine.Tests/Inference/models/covers");
        const string some = "  f1: { op: sum, of: event.v }\n  f2: { op: max, of: event.v }\n  f3: { op: min, of: event.v }\n";
        using var log = Compile(Config.Replace("decisions:\n", $"{some}decisions:\n", StringComparison.Ordinal));
        using var policy = Compile(Config
            .Replace("decisions:\n", $"{some}  f4: {{ op: count }}\nmodels: {{ covers: {{ path: {covers} }} }}\ndecisions:\n",
                StringComparison.Ordinal)
            .Replace("propensity: 0.5", "propensity: { model: covers }", StringComparison.Ordinal));
        Assert.Contains(Mistakes(log, policy), m => m.Contains("covers takes 'f4', which is no number of the feature vector of log.yaml",
            StringComparison.Ordinal));
        Assert.Empty(Mistakes(policy, policy));
    }

    [Fact]
    public void The_same_events_by_another_schema_are_refused()
    {
        var config = Config.Replace("format: json", "format: avro\n    schema: shop.avsc", StringComparison.Ordinal);
        using var log = Compile(config, Schema("0"));
        using var policy = Compile(config, Schema("1"));
        Assert.Contains(Mistakes(log, policy), m => m.Contains("the file 'shop.avsc' says something else here than the one of log.yaml",
            StringComparison.Ordinal));
        Assert.Empty(Mistakes(log, log));

        static string Schema(string missing) => """
            { "type": "record", "name": "Shop", "fields": [ { "name": "at", "type": "string" }, { "name": "id", "type": "string" },
              { "name": "who", "type": "string" }, { "name": "kind", "type": "string" }, { "name": "key", "type": "string" },
              { "name": "v", "type": "double", "default": @ } ] }
            """.Replace("@", missing, StringComparison.Ordinal);
    }

    private static List<string> Mistakes(CompiledEngine log, CompiledEngine policy)
    {
        var errors = new ConfigErrors();
        PolicyConfigs.Check(log, policy, "log.yaml", errors);
        return [.. errors.All.Select(e => e.ToString())];
    }

    private CompiledEngine Compile(string config, string schema = "")
    {
        File.WriteAllText(Path.Combine(_folder, "shop.avsc"), schema);
        File.WriteAllText(Path.Combine(_folder, "config.yaml"), config);
        var errors = new ConfigErrors();
        var engine = ConfigCheck.Compile(ConfigLoader.Load(Path.Combine(_folder, "config.yaml"), [], new Hashtable(), errors), errors);
        errors.ThrowIfAny();
        return engine!;
    }
}
