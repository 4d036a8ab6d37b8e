using System.Globalization;
using System.Text.Json.Nodes;
using Parquet.Serialization;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary><c>decisions rank</c>.</summary>
public sealed class DecisionsRankTests : IDisposable
{
    private const string Header = "decision,offer,p,c,v,l\n";

    private readonly string _folder = Directory.CreateTempSubdirectory("rank-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_priority_is_the_product_from_left_to_right_to_the_last_digit()
    {
        // Each other order of these factors gives another last digit; the expected ones are from Python's 0.189 * 0.72 * 2.66 * 1.02.
        var (code, output, error) = await RankAsync(Header + "d1,club,0.189,0.72,2.66,1.02\nd1,tv,0.5,1,0.5,1\nd2,tv,1e-3,1,10,1\n");
        Assert.True(code == 0, error);
        Assert.Equal("decision,offer,rank,drop,priority\nd1,club,1,,0.36921225600000007\nd1,tv,2,,0.25\nd2,tv,1,,0.01\n", output);
    }

    [Fact]
    public async Task Ties_go_by_name_and_what_is_no_number_has_no_place()
    {
        var (_, output, _) = await RankAsync(Header
            + "d,b,1,1,2,1\nd,a,1,1,2,1\nd,B,1,1,2,1\nd,x,1,1,NaN,1\nd,y,1e200,1e200,1,1\nd,z,1,1,-3,1\n");
        Assert.Equal(["B 1 ", "a 2 ", "b 3 ", "z 4 ", "y 0 bad_priority", "x 0 bad_priority"],
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..].Select(l => l.Split(',')).Select(c => $"{c[1]} {c[2]} {c[3]}"));
    }

    [Fact]
    public async Task A_group_has_its_places_and_no_more()
    {
        var table = "decision,offer,p,c,v,l,group\nd,a,1,1,9,1,tv\nd,b,1,1,8,1,tv\nd,c,1,1,7,1,\nd,e,1,1,6,1,\n";
        var (_, output, _) = await RankAsync(table, "--max-per-group", "1", "--json");
        var offers = JsonNode.Parse(output)![0]!["offers"]!.AsArray();
        Assert.Equal(["a 1 ", "c 2 ", "e 3 ", "b 0 diversity"], offers.Select(o => $"{o!["offer"]} {o["rank"]} {o["drop"]}"));
        var (_, top, _) = await RankAsync(table, "--top", "1");
        Assert.Equal(2, top.Count(c => c == '\n'));
    }

    [Fact]
    public async Task Parquet_ranks_as_CSV()
    {
        var random = new Random(7);
        var rows = Enumerable.Range(0, 200).Select(i => new Row
        {
            decision = $"d{i / 8}",
            offer = $"o{i % 8}",
            p = random.NextDouble(),
            c = random.NextDouble(),
            v = 100 * random.NextDouble(),
            l = 1 + random.NextDouble(),
        }).ToArray();
        var path = Path.Combine(_folder, "candidates.parquet");
        await ParquetSerializer.SerializeAsync(rows, path);
        var csv = Header + string.Concat(rows.Select(r =>
            string.Create(CultureInfo.InvariantCulture, $"{r.decision},{r.offer},{r.p:R},{r.c:R},{r.v:R},{r.l:R}\n")));
        var (code, output, error) = await Cli.RunAsync("decisions", "rank", "--candidates", path);
        Assert.True(code == 0, error);
        Assert.Equal((await RankAsync(csv)).Output, output);
        Assert.Equal(201, output.Count(c => c == '\n'));
    }

    [Theory]
    [InlineData("decision,offer,p,c,v\nd,a,1,1,1\n", ":1:1", "there is no column 'l'")]
    [InlineData(Header + "d,a,1,1,1,1\nd,b,1,one,1,1\n", ":3:1", "c is 'one', which is no number")]
    [InlineData(Header + "d,a,1,1,1\n", ":2:1", "the row has 5 cells, the header 6")]
    [InlineData(Header + "d,a,1,1,1,1\nd,a,1,1,1,1\n", ":3:1", "offer a stands twice in decision d")]
    public async Task Mistakes_are_told_with_their_line(string table, string place, string message)
    {
        var (code, output, error) = await RankAsync(table);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(place, error);
        Assert.Contains(message, error);
    }

    [Fact]
    public async Task A_damaged_Parquet_file_is_a_mistake_of_the_input()
    {
        var path = Path.Combine(_folder, "damaged.parquet");
        await File.WriteAllTextAsync(path, "PAR1 and then nothing that is Parquet");
        var (code, _, error) = await Cli.RunAsync("decisions", "rank", "--candidates", path);
        Assert.True(code == 2, error);
        Assert.Contains("can't be read", error);
    }

    private Task<(int Code, string Output, string Error)> RankAsync(string table, params string[] options)
    {
        var path = Path.Combine(_folder, "candidates.csv");
        File.WriteAllText(path, table);
        return Cli.RunAsync(["decisions", "rank", "--candidates", path, .. options]);
    }

    /// <summary>A row as Parquet has it: the columns are named as the properties.</summary>
    private sealed class Row
    {
        public string decision { get; set; } = "";
        public string offer { get; set; } = "";
        public double p { get; set; }
        public double c { get; set; }
        public double v { get; set; }
        public double l { get; set; }
    }
}
