using System.Text.Json.Nodes;
using StreamEngine.Inference.Onnx;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary><c>models add</c>, and a replay with what it made.</summary>
public sealed class ModelsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("models-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("sklearn-zipmap", "--inputs", "f0,f1,f2,f3")]
    [InlineData("sklearn-classes", "--inputs", "f0,f1,f2,f3", "--class", "newsletter,club")]
    [InlineData("sklearn-columns", "--inputs", "f0,f1,f2,f3", "--output", "i1")]
    [InlineData("sklearn-frame", "--inputs", "country,age,plan,visits")]
    [InlineData("sklearn-double", "--inputs", "a,b,c")]
    [InlineData("lightgbm", "--inputs", "f0,f1,f2,f3,f4")]
    [InlineData("torch", "--inputs", "a,b,c,d,e,f,g,h,i,j,k,l,m")]
    public async Task What_was_added_scores_as_the_library_that_trained_it(string model, params string[] options)
    {
        var (code, output, error) = await AddAsync(model, options);
        Assert.True(code == 0, error);
        Assert.Contains("version 1 of m, checked by a run", output);
        using var loaded = new OnnxModelLoader().Load(Path.Combine(_folder, "models", "m", "1"));
        using var runner = loaded.CreateRunner(1);
        foreach (var row in Golden(model))
        {
            var inputs = row["inputs"]!.AsArray().Select(v => (double?)v ?? double.NaN).ToArray();
            runner.Fill(inputs, inputs.Length, [.. Enumerable.Range(0, inputs.Length)], 1);
            Assert.Equal(row["outputs"]!.AsArray().Select(v => (double)v!), runner.Run(1).ToArray().Select(v => (double)v),
                (expected, actual) => Math.Abs(expected - actual) <= 1e-6);
        }
    }

    [Fact]
    public async Task What_is_found_in_the_graph_is_told()
    {
        var (_, output, _) = await AddAsync("sklearn-frame");
        string[] expected =
        [
            "OneHotEncoder", "(ai.onnx 17, ai.onnx.ml 3)", "visits               int64 [?, 1]", "categories basic, pro",
            "maps of a ZipMap, read as its tensor 'probabilities', classes 0, 1", "reads   age, visits, country, plan",
            "plan: { op: last, of: \"event.plan == 'basic' ? 0 : event.plan == 'pro' ? 1 : -1\", default: -1 }",
            "propensity: { model: m, output: probability }",
        ];
        Assert.All(expected, text => Assert.Contains(text, output));
        var (code, json, _) = await AddAsync("sklearn-classes", "--inputs", "a,b,c,d", "--json");
        var told = JsonNode.Parse(json)!;
        Assert.Equal((0, "2", "float [?, 3]"), (code, (string)told["version"]!, (string)told["graph_outputs"]!["probabilities"]!));
        Assert.Equal(["club", "newsletter", "none"], told["outputs"]!.AsArray().Select(o => (string)o!));
    }

    [Theory]
    [InlineData("sklearn-zipmap", "does not say which features its columns are (X has 4). Name them", new string[0])]
    [InlineData("sklearn-zipmap", "input 'X' has 4 columns, 'inputs' names 2", new[] { "--inputs", "a,b" })]
    [InlineData("sklearn-zipmap", "no class '2'. It has 0, 1", new[] { "--inputs", "a,b,c,d", "--class", "2" })]
    [InlineData("sklearn-columns", "Choose with --output: i0 or i1", new[] { "--inputs", "a,b,c,d" })]
    [InlineData("sklearn-frame", "the graph's input 'plan' is not among 'inputs'", new[] { "--inputs", "age,visits,country,nothing" })]
    [InlineData("label-only", "convert_sklearn(model, initial_types=..., options={id(model): {'zipmap': False}})",
        new[] { "--inputs", "a,b" })]
    [InlineData("fixed-rows", "FloatTensorType([None, 13])", new[] { "--inputs", "a,b" })]
    [InlineData("strict-categories", "Unknown Category", new string[0])]
    [InlineData("xgboost", "'v' is no version", new[] { "--inputs", "a,b,c,d,e", "--version", "v" })]
    [InlineData("xgboost", "--name '../m' is no name", new[] { "--inputs", "a,b,c,d,e", "--name", "../m" })]
    [InlineData("torch", "--example: 'x' is no number", new[] { "--inputs", "a,b,c,d,e,f,g,h,i,j,k,l,m", "--example", "x" })]
    public async Task What_can_not_be_read_is_refused_with_what_to_do_and_leaves_nothing(string model, string expected, string[] options)
    {
        var (code, _, error) = await AddAsync(model, options);
        Assert.Equal(2, code);
        Assert.Contains(expected, error);
        Assert.Contains(options.Contains("--name") ? "error: --name" : "error: ", error);
        Assert.DoesNotContain(".adding", error);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder, "*.json", SearchOption.AllDirectories));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder, ".adding*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_version_never_changes()
    {
        string[] inputs = ["--inputs", "a,b,c,d,e"];
        Assert.Equal(0, (await AddAsync("xgboost", [.. inputs, "--version", "9"])).Code);
        var (code, _, error) = await AddAsync("lightgbm", [.. inputs, "--version", "9"]);
        Assert.Equal(2, code);
        Assert.Contains("is there already, and a version never changes", error);
        Assert.Contains("version 10 of m", (await AddAsync("lightgbm", inputs)).Output);
    }

    [Fact]
    public async Task A_replay_scores_missing_values_as_missing_and_counts_what_it_can_not_use()
    {
        Assert.Equal(0, (await AddAsync("lightgbm", "--inputs", "f0,f1,f2,f3,f4", "--name", "trees")).Code);
        Assert.Equal(0, (await AddAsync("two-outputs", "--inputs", "f0,f1", "--output", "z", "--outputs", "x,y", "--name", "relu")).Code);
        Assert.Equal(0, (await AddAsync("sklearn-frame", "--inputs", "country,age,plan,visits", "--name", "frame",
            "--categories", "country=de,fr", "--categories", "plan=basic,pro")).Code);
        var features = string.Concat(Enumerable.Range(0, 5).Select(i =>
            $"  f{i}: {{ op: last, of: event.f{i}, default: {(i == 0 ? "\".nan\"" : ".NaN")} }}\n"));
        File.WriteAllText(Path.Combine(_folder, "config.yaml"), $$"""
            name: scored
            events:
              views:
                topic: views
                format: csv
                time: { field: at, format: iso }
                id: n
                customer: who
                fields: { f0: double, f1: double, f2: double, f3: double, f4: double }
            features:
            {{features}}  age: { op: last, of: event.f0, default: .nan }
              visits: { op: last, of: event.f1, default: .nan }
              country: { op: count }
              plan: { op: count }
            models:
              trees: {}
              relu: {}
              frame: {}
            decisions:
              triggers:
                view: { when: "true", placement: "'web'" }
            offers:
              a: { propensity: { model: trees, default: 0.001 } }
              b: { propensity: { model: relu, output: x, default: 0.25 } }
              c: { propensity: { model: frame, default: 0.002 } }
            state: { store: memory }
            """);
        var golden = Golden("lightgbm");
        var rows = golden.Select((row, n) => $"{n},c{n},2020-01-01T10:00:00Z,"
            + string.Join(',', row["inputs"]!.AsArray().Select(v => v?.ToString() ?? "")));
        File.WriteAllLines(Path.Combine(_folder, "views.csv"), ["n,who,at,f0,f1,f2,f3,f4", .. rows]);
        var (code, output, error) = await Cli.RunAsync("replay", "--config", Path.Combine(_folder, "config.yaml"), "--events",
            Path.Combine(_folder, "views.csv"), "--out", Path.Combine(_folder, "out"));
        Assert.True(code == 0, error);

        var decisions = File.ReadAllLines(Path.Combine(_folder, "out", "decisions.ndjson")).Select(l => JsonNode.Parse(l)!)
            .Where(d => (string)d["kind"]! == "decision").ToArray();
        Assert.Equal(golden.Count, decisions.Length);
        Assert.Contains(golden, row => row["inputs"]!.AsArray().All(v => v is null));
        for (var n = 0; n < golden.Count; n++)
        {
            Assert.Equal((double)golden[n]["outputs"]![0]!, (double)decisions[n]["candidates"]![0]!["p"]!, 1e-6);
            var x = (double?)golden[n]["inputs"]![0] ?? double.NaN;
            var used = Math.Max(x, 0) <= 1;
            Assert.Equal(used ? "model" : "fallback", (string)decisions[n]["candidates"]![1]!["p_source"]!);
        }
        var summary = JsonNode.Parse(File.ReadAllText(Path.Combine(_folder, "out", "summary.json")))!["fallbacks"]!;
        var missing = golden.Count(row => row["inputs"]![0] is null || row["inputs"]![1] is null);
        var large = golden.Count(row => row["inputs"]![1] is not null && (double?)row["inputs"]![0] > 1);
        Assert.Null(summary["trees"]);
        Assert.Equal(large, (int)summary["relu"]!["out_of_range"]!);
        Assert.Equal(missing, (int)summary["relu"]!["not_a_number"]!);
        // A linear model of a missing number, and a whole-number input that has no way to say it.
        Assert.Equal(missing, (int)summary["frame"]!["not_a_number"]!);
        Assert.Contains($"relu not_a_number {missing}, out_of_range {large}", output);
        Assert.Contains($"warning: model relu: in {missing + large} scores the offers' defaults stood in", error);
    }

    private static List<JsonNode> Golden(string model) =>
        [.. JsonNode.Parse(File.ReadAllText(Path.Combine(Source(model), "golden.json")))!["rows"]!.AsArray().Select(r => r!)];

    private static string Source(string model) =>
        Path.Combine(RepositoryRoot.Path, "tests/StreamEngine.ContractTests/Inference/models", model, "1");

    private Task<(int Code, string Output, string Error)> AddAsync(string model, params string[] options) =>
        Cli.RunAsync(["models", "add", Path.Combine(Source(model), "model.onnx"), "--directory", Path.Combine(_folder, "models"),
            .. options.Contains("--name") ? options : [.. options, "--name", "m"]]);
}
