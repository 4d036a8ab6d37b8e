using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>The sample on the real data: figures that another program counted.</summary>
public sealed class OnlineRetailTests
{
    [SkippableFact]
    public async Task The_year_of_the_shop_is_counted_exactly()
    {
        var data = Data();
        var output = Directory.CreateTempSubdirectory("online-retail-").FullName;
        try
        {
            var (code, text, error) = await Cli.RunAsync("replay", "--config",
                Configuration.Repository.Path("deploy", "samples", "online-retail", "streamengine.yaml"), "--events", data, "--out", output,
                "--json");
            Assert.True(code == 0, error);
            var summary = JsonNode.Parse(text)!;
            Assert.Equal((541_909, 401_604, 5_225, 0),
                ((int)summary["read"]!, (int)summary["admitted"]!, (int)summary["duplicates"]!, (int)summary["late"]!));
            Assert.Equal("""{"missing-customer":135080}""", summary["rejected"]!.ToJsonString());
            Assert.Equal(4_372, (int)summary["profiles"]!);
            Assert.Equal(4_373, File.ReadLines(Path.Combine(output, "features.csv")).Count());
            Assert.Equal((int)summary["decisions"]!, File.ReadLines(Path.Combine(output, "decisions.ndjson")).Count());
            Assert.Equal(summary["actions"]!.AsObject().Sum(a => (int)a.Value!),
                File.ReadLines(Path.Combine(output, "actions.ndjson")).Count());
        }
        finally
        {
            Directory.Delete(output, recursive: true);
        }
    }

    /// <summary>
    /// The numbers of engine/docs/comparing.md fit each other; with STREAMENGINE_TEST_COMPARISON they are also what comes out.
    /// </summary>
    [SkippableFact]
    public async Task The_comparison_of_the_docs_is_right()
    {
        var shown = File.ReadAllText(Configuration.Repository.Path("engine", "docs", "comparing.md")).Split("```")[3].Split('\n')
            .Select(l => l.TrimEnd()).Where(l => l.Trim().Length > 0 && !l.EndsWith("...", StringComparison.Ordinal)
            && !l.Contains(", config ", StringComparison.Ordinal)).ToList();
        var rows = shown.Select(l => Regex.Match(l, @"^ +(.+?) +(-?[\d,.]+) +(-?[\d,.]+) +([-+]?[\d,.]+)$")).Where(m => m.Success)
            .ToDictionary(m => (m.Groups[1].Value, m.Index, shown.IndexOf(m.Value)), m => m.Groups.Values.Skip(2)
            .Select(g => decimal.Parse(g.Value, CultureInfo.InvariantCulture)).ToArray());
        Assert.True(rows.Count > 10);
        Assert.All(rows.Values, r => Assert.InRange(r[1] - r[0] - r[2], -0.0001m, 0.0001m));
        var counts = rows.Where(r => r.Key.Value is "served" or "holdout" or "no_offer").Select(r => r.Value).ToList();
        var all = rows.Single(r => r.Key.Value == "decisions").Value;
        Assert.Equal((all[0], all[1]), (counts.Sum(c => c[0]), counts.Sum(c => c[1])));
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("STREAMENGINE_TEST_COMPARISON"))) return;

        var (data, spring) = (Data(), Path.GetTempFileName());
        try
        {
            var sample = Configuration.Repository.Path("deploy", "samples", "online-retail", "streamengine.yaml");
            File.WriteAllText(spring, File.ReadAllText(sample).Replace("context: \"0.3\"",
                "context: \"0.3\"\n    levers: { spring: \"1.0\" }", StringComparison.Ordinal));
            var (code, output, error) = await Cli.RunAsync("replay", "compare", "--policy", sample, "--policy", spring, "--events", data,
                "--set", $"models.repurchase.path={Configuration.Repository.Path("models", "repurchase")}");
            Assert.True(code == 0, error);
            var lines = output.Split('\n').Select(l => l.TrimEnd()).ToHashSet();
            Assert.All(shown, line => Assert.Contains(line, lines));
        }
        finally
        {
            File.Delete(spring);
        }
    }

    private static string Data()
    {
        var data = Path.Combine(Environment.GetEnvironmentVariable("STREAMENGINE_TEST_DATA")
            ?? Configuration.Repository.Path("..", "shared", "data"), "online-retail", "online-retail.csv.gz");
        Skip.IfNot(File.Exists(data), "The data set Online Retail is not here; deploy/samples/online-retail/README.md says where to get "
            + "it. Name its folder's parent in STREAMENGINE_TEST_DATA.");
        return data;
    }
}
