using System.Text.Json.Nodes;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>The sample on the real data: figures that another program counted.</summary>
public sealed class OnlineRetailTests
{
    [SkippableFact]
    public async Task The_year_of_the_shop_is_counted_exactly()
    {
        var data = Path.Combine(Environment.GetEnvironmentVariable("STREAMENGINE_TEST_DATA")
            ?? Configuration.Repository.Path("..", "shared", "data"), "online-retail", "online-retail.csv.gz");
        Skip.IfNot(File.Exists(data), "The data set Online Retail is not here; deploy/samples/online-retail/README.md says where to get "
            + "it. Name its folder's parent in STREAMENGINE_TEST_DATA.");
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
}
