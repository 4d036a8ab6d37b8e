using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using StreamEngine.Inference;
using StreamEngine.Inference.Onnx;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Inference;

/// <summary>
/// What features add to scores: against Shapley's formula over all subsets, against XGBoost's own contributions, and against ONNX Runtime,
/// whose scores they must make up.
/// </summary>
public sealed class ModelReasonsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("reasons-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Contributions_of_small_random_trees_are_those_of_the_formula()
    {
        // Features of four inputs, the last one in two columns, as an encoder makes of one feature.
        FeatureColumn[] columns = [.. new[] { 0, 1, 2, 3, 3 }.Select((input, i) => new FeatureColumn(input, v => i == 4 ? -v : v))];
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(80).WithReplay(20_261_130, 7), Prop.ForAll(
            Arb.From(Gen.Choose(0, int.MaxValue)), seed =>
        {
            var random = new Random(seed);
            foreach (var withCovers in new[] { true, false })
            {
                var nodes = new List<TreeNode>();
                for (var tree = 0; tree < 2; tree++) Grow(random, nodes, 4, withCovers ? 64 : 0);
                var trees = new TreeEnsemble(columns, [.. nodes], [0.25]);
                Assert.Equal(withCovers ? ReasonMethod.PathDependent : ReasonMethod.Interventional, trees.Method);
                var (row, other) = (Row(random), Row(random));
                var told = new double[4];
                var from = trees.Explain(0, row, other, told);
                Func<int, double> game = known => withCovers ? Expected(trees, nodes, columns, row, known)
                    : trees.Scores([.. row.Select((v, i) => (known >> i & 1) == 1 ? v : other[i])])[0];
                Assert.Equal(game(0), from, 1e-9);
                Assert.Equal(trees.Scores(row)[0], from + told.Sum(), 1e-9);
                for (var i = 0; i < 4; i++) Assert.Equal(Shapley(game, 4, i), told[i], 1e-9);
            }
        }));
    }

    [Fact]
    public void With_covers_contributions_are_those_of_XGBoost()
    {
        var folder = Path.Combine(RepositoryRoot.Path, "tests/StreamEngine.Tests/Inference/models/covers/1");
        using var model = new OnnxModelLoader().Load(folder);
        var reasons = ModelReasons.Of(model);
        Assert.Equal("", reasons.Refusal);
        var expected = JsonSerializer.Deserialize<double[][]>(File.ReadAllText(Path.Combine(folder, "contributions.json")))!;
        var rows = Golden(folder);
        Assert.Equal(expected.Length, rows.Length);
        for (var row = 0; row < rows.Length; row++)
        {
            var told = reasons.Explain(0, rows[row], rows[0]);
            Assert.Equal((ReasonMethod.PathDependent, "log_odds"), (told.Method, told.Unit));
            Assert.Equal(expected[row], told.Contributions.Append(told.Base), (x, y) => Math.Abs(x - y) < 2e-6);
        }
    }

    [Theory]
    [InlineData("models/repurchase/1", ReasonMethod.Interventional, "log_odds")]
    [InlineData("deploy/samples/demo/models/session_purchase/1", ReasonMethod.Interventional, "log_odds")]
    [InlineData("tests/StreamEngine.ContractTests/Inference/models/trees/1", ReasonMethod.Interventional, "log_odds")]
    [InlineData("tests/StreamEngine.ContractTests/Inference/models/xgboost/1", ReasonMethod.Interventional, "log_odds")]
    [InlineData("tests/StreamEngine.ContractTests/Inference/models/lightgbm/1", ReasonMethod.Interventional, "log_odds")]
    [InlineData("tests/StreamEngine.ContractTests/Inference/models/sklearn-classes/1", ReasonMethod.Linear, "logit")]
    [InlineData("tests/StreamEngine.ContractTests/Inference/models/sklearn-columns/1", ReasonMethod.Linear, "log_odds")]
    [InlineData("tests/StreamEngine.ContractTests/Inference/models/sklearn-double/1", ReasonMethod.Linear, "log_odds")]
    [InlineData("tests/StreamEngine.ContractTests/Inference/models/sklearn-frame/1", ReasonMethod.Linear, "log_odds")]
    [InlineData("tests/StreamEngine.ContractTests/Inference/models/sklearn-zipmap/1", ReasonMethod.Linear, "log_odds")]
    [InlineData("perf/job/models/job/1", ReasonMethod.Linear, "log_odds")]
    public void Exported_models_are_explained_to_the_score_that_ONNX_Runtime_gives(string folder, ReasonMethod method, string unit)
    {
        using var model = new OnnxModelLoader().Load(Path.Combine(RepositoryRoot.Path, folder));
        var rows = Golden(Path.Combine(RepositoryRoot.Path, folder));
        Holds(model, rows.Where(r => !r.Contains(double.NaN) || method != ReasonMethod.Linear).Take(40).ToArray(), rows[0], method, unit);
    }

    /// <summary>The raw score of trees, before the logistic function, is ONNX Runtime's own.</summary>
    [Fact]
    public void Base_and_contributions_are_the_raw_score_of_ONNX_Runtime()
    {
        var folder = Path.Combine(RepositoryRoot.Path, "models/repurchase/1");
        using var model = new OnnxModelLoader().Load(folder);
        var reasons = ModelReasons.Of(model);
        using var raw = new InferenceSession(OnnxGraph.Parse(File.ReadAllBytes(Path.Combine(folder, "model.onnx"))).Only("raw"));
        var rows = Golden(folder);
        foreach (var row in rows)
        {
            var input = new DenseTensor<float>(row.Select(v => (float)v).ToArray(), [1, row.Length]);
            using var results = raw.Run([NamedOnnxValue.CreateFromTensor("features", input)]);
            var told = reasons.Explain(0, row, rows[^1]);
            Assert.Equal(results[0].AsEnumerable<float>().Single(), told.Base + told.Contributions.Sum(), 1e-5);
        }
    }

    [Theory]
    [InlineData("dense", "Relu is done to its scores")]
    [InlineData("torch", "Relu is done to its scores")]
    public void Of_other_graphs_it_is_said_what_stands_in_the_way(string name, string why)
    {
        using var model = new OnnxModelLoader().Load(RepositoryRoot.At("tests/StreamEngine.ContractTests/Inference/models", name, "1"));
        Assert.Contains(why, ModelReasons.Of(model).Refusal);
        Assert.StartsWith("its graph is more than one tree ensemble or one linear layer", ModelReasons.Of(model).Refusal);
    }

    [Fact]
    public void A_file_that_was_replaced_is_told()
    {
        using var model = new OnnxWriter().Node("LinearRegressor", ["X"], ["y"], ("coefficients", new float[] { 0.1f, 0.2f }))
            .Load(_folder, 2, "y");
        Assert.Equal("", ModelReasons.Of(model).Refusal);
        var file = Directory.GetFiles(_folder, "model.onnx", SearchOption.AllDirectories).Single();
        File.AppendAllText(file, "x");
        Assert.EndsWith("has been replaced since it was loaded", ModelReasons.Of(model).Refusal);
    }

    /// <summary>What converters write of classifiers and forests, with random trees: two classes as votes or with signs, many, means.
    /// </summary>
    [Theory]
    [InlineData("votes", ReasonMethod.Interventional, "score")]
    [InlineData("signs", ReasonMethod.Interventional, "log_odds")]
    [InlineData("signs_raw", ReasonMethod.Interventional, "score")]
    [InlineData("second", ReasonMethod.Interventional, "log_odds")]
    [InlineData("classes", ReasonMethod.Interventional, "logit")]
    [InlineData("average", ReasonMethod.Interventional, "score")]
    [InlineData("fifth", ReasonMethod.Interventional, "log_odds")]
    [InlineData("encoded", ReasonMethod.Interventional, "log_odds")]
    public void Trees_of_every_kind_are_explained_to_the_score_that_ONNX_Runtime_gives(string kind, ReasonMethod method, string unit)
    {
        var random = new Random(4);
        for (var round = 0; round < 5; round++)
        {
            using var model = Trees(kind, random);
            var missing = kind != "encoded"; // an encoder has no place for a missing value
            Holds(model, [.. Enumerable.Range(0, 30).Select(_ => Row(random, missing))], Row(random, missing), method, unit);
        }
    }

    [Fact]
    public void Linear_layers_of_every_kind_are_explained_to_the_score_that_ONNX_Runtime_gives()
    {
        var random = new Random(6);
        float[] Some(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5))];
        OnnxWriter[] writers =
        [
            new OnnxWriter().Node("LinearRegressor", ["X"], ["y"], ("coefficients", Some(8)), ("intercepts", Some(2)), ("targets", 2)),
            new OnnxWriter().Constant("w", [4, 2], Some(8)).Constant("b", [2], Some(2)).Node("MatMul", ["X", "w"], ["m"])
                .Node("Add", ["b", "m"], ["a"]).Node("Softmax", ["a"], ["y"], ("axis", -1)),
            new OnnxWriter().Constant("w", [2, 4], Some(8)).Constant("b", [2], Some(2))
                .Node("Scaler", ["X"], ["s"], ("offset", Some(4)), ("scale", Some(4)))
                .Node("Gemm", ["s", "w", "b"], ["g"], ("transB", 1)).Node("Sigmoid", ["g"], ["y"]),
            new OnnxWriter().Node("LinearClassifier", ["X"], ["l", "p"], ("coefficients", Some(8)), ("intercepts", Some(2)),
                ("classlabels_ints", new[] { 0, 1 }), ("multi_class", 1), ("post_transform", "LOGISTIC"))
                .Node("Normalizer", ["p"], ["y"], ("norm", "L1")),
        ];
        foreach (var (writer, unit) in writers.Zip(["score", "logit", "log_odds", "log_odds"]))
        {
            using var model = writer.Load(_folder, 4, "y", 2);
            Holds(model, [.. Enumerable.Range(0, 20).Select(_ => Row(random, missing: false))], Row(random, missing: false),
                ReasonMethod.Linear, unit);
        }
    }

    /// <summary>Base and contributions are the raw score, and what follows from that is what ONNX Runtime gives.</summary>
    private static void Holds(IModel model, double[][] rows, double[] background, ReasonMethod method, string unit)
    {
        var reasons = ModelReasons.Of(model);
        Assert.Equal("", reasons.Refusal);
        using var runner = model.CreateRunner(1);
        Assert.NotEmpty(rows);
        foreach (var row in rows)
        {
            runner.Fill(row, row.Length, [.. Enumerable.Range(0, row.Length)], 1);
            var scores = runner.Run(1).ToArray();
            for (var output = 0; output < scores.Length; output++)
            {
                var told = reasons.Explain(output, row, background);
                Assert.Equal((method, unit), (told.Method, told.Unit));
                Assert.Equal(scores[output], told.Score, 1e-5);
                Assert.Equal(told.Raw, told.Base + told.Contributions.Sum(), 1e-7);
            }
        }
    }

    private IModel Trees(string kind, Random random)
    {
        var (trees, nodes) = (new List<int>(), new List<TreeNode>());
        for (var tree = 0; tree < 3; tree++)
        {
            Grow(random, nodes, 3, 0);
            while (trees.Count < nodes.Count) trees.Add(tree);
        }
        if (kind == "fifth") return Fifth(nodes, trees);
        var leaves = Enumerable.Range(0, nodes.Count).Where(i => nodes[i].Leaf is not null).ToArray();
        var (isClassifier, classes) = (kind is "votes" or "signs" or "signs_raw" or "second" or "classes", kind == "classes" ? 3 : 1);
        var prefix = isClassifier ? "class" : "target";
        List<(string, object)> attributes =
        [
            ("nodes_treeids", trees.ToArray()), ("nodes_nodeids", Enumerable.Range(0, nodes.Count).ToArray()),
            ("nodes_featureids", nodes.Select(n => Math.Max(0, n.Column)).ToArray()),
            ("nodes_values", nodes.Select(n => (float)n.Threshold).ToArray()),
            ("nodes_modes", nodes.Select(n => n.Leaf is null ? $"BRANCH_{n.Mode.ToString().ToUpperInvariant()}" : "LEAF").ToArray()),
            ("nodes_truenodeids", nodes.Select(n => n.True).ToArray()), ("nodes_falsenodeids", nodes.Select(n => n.False).ToArray()),
            ("nodes_missing_value_tracks_true", nodes.Select(n => n.MissingIsTrue ? 1 : 0).ToArray()),
            ($"{prefix}_treeids", leaves.Select(i => trees[i]).ToArray()), ($"{prefix}_nodeids", leaves),
            ($"{prefix}_ids", leaves.Select(i => kind == "second" ? 1 : i % classes).ToArray()),
            ($"{prefix}_weights", leaves.Select(i => nodes[i].Leaf![0])
                .Select(w => (float)(kind == "votes" ? Math.Abs(w) / 3 : w)).ToArray()),
            ("post_transform", kind switch { "signs" or "second" => "LOGISTIC", "classes" => "SOFTMAX", _ => "NONE" }),
        ];
        var writer = new OnnxWriter();
        var read = "X";
        if (kind == "encoded")
        {
            // The first input is encoded: two columns of it, then two of the others.
            writer.Wholes("first", 0).Wholes("rest", 3, 1).Wholes("shape", -1, 2)
                .Node("Gather", ["X", "first"], ["one"], ("axis", 1)).Node("Gather", ["X", "rest"], ["others"], ("axis", 1))
                .Node("OneHotEncoder", ["one"], ["hot"], ("cats_int64s", new[] { 1, -2 }), ("zeros", 1))
                .Node("Reshape", ["hot", "shape"], ["flat"]).Node("Concat", ["flat", "others"], ["all"], ("axis", 1));
            read = "all";
        }
        if (isClassifier) attributes.Add(("classlabels_int64s", Enumerable.Range(0, kind == "classes" ? 3 : 2).ToArray()));
        else attributes.AddRange([("n_targets", 1), ("aggregate_function", kind == "average" ? "AVERAGE" : "SUM"),
            ("base_values", new[] { 0.125f })]);
        writer.Node(isClassifier ? "TreeEnsembleClassifier" : "TreeEnsembleRegressor", [read], isClassifier ? ["label", "y"] : ["r"],
            [.. attributes]);
        if (!isClassifier) writer.Node(kind == "average" ? "Identity" : "Sigmoid", ["r"], ["y"]);
        return writer.Load(_folder, 4, "y", kind == "classes" ? 3 : isClassifier ? 2 : 1);
    }

    private IModel Fifth(List<TreeNode> nodes, List<int> trees)
    {
        var splits = Enumerable.Range(0, nodes.Count).Where(i => nodes[i].Leaf is null).ToList();
        var leaves = Enumerable.Range(0, nodes.Count).Where(i => nodes[i].Leaf is not null).ToList();
        int Place(int node) => nodes[node].Leaf is null ? splits.IndexOf(node) : leaves.IndexOf(node);
        int[] Of(Func<TreeNode, int> what) => [.. splits.Select(i => what(nodes[i]))];
        return new OnnxWriter().Node("TreeEnsemble", ["X"], ["r"], ("n_targets", 1), ("aggregate_function", 1), ("post_transform", 0),
            ("tree_roots", Enumerable.Range(0, 3).Select(t => splits.First(i => trees[i] == t)).Select(Place).ToArray()),
            ("nodes_featureids", Of(n => n.Column)), ("nodes_modes", splits.Select(i => (byte)nodes[i].Mode).ToArray()),
            ("nodes_splits", new Memory<float>([.. splits.Select(i => (float)nodes[i].Threshold)])),
            ("nodes_truenodeids", Of(n => Place(n.True))), ("nodes_falsenodeids", Of(n => Place(n.False))),
            ("nodes_trueleafs", Of(n => nodes[n.True].Leaf is null ? 0 : 1)),
            ("nodes_falseleafs", Of(n => nodes[n.False].Leaf is null ? 0 : 1)),
            ("nodes_missing_value_tracks_true", Of(n => n.MissingIsTrue ? 1 : 0)),
            ("leaf_targetids", new int[leaves.Count]),
            ("leaf_weights", new Memory<float>([.. leaves.Select(i => (float)nodes[i].Leaf![0])])))
            .Node("Sigmoid", ["r"], ["y"]).Load(_folder, 4, "y", 1, mlVersion: 5);
    }

    /// <summary>Adds a random tree; its root is the first node that is added. Covers are split at random, 0 for none.</summary>
    private static int Grow(Random random, List<TreeNode> nodes, int depth, double cover, bool isRoot = true)
    {
        var at = nodes.Count;
        nodes.Add(new TreeNode { Leaf = [Math.Round(random.NextDouble() * 2 - 1, 3)], Cover = cover });
        if (depth == 0 || (!isRoot && random.Next(4) == 0)) return at;
        var share = random.Next(1, 8) / 8.0 * cover;
        var (yes, no) = (Grow(random, nodes, depth - 1, share, false), Grow(random, nodes, depth - 1, cover - share, false));
        nodes[at] = new TreeNode
        {
            Column = random.Next(4),
            Mode = (SplitMode)random.Next(6),
            Threshold = random.Next(-2, 3),
            MissingIsTrue = random.Next(2) == 0,
            True = yes,
            False = no,
            Cover = cover,
        };
        return at;
    }

    private static double[] Row(Random random, bool missing = true) => [.. Enumerable.Range(0, 4).Select(_ =>
        missing && random.Next(8) == 0 ? double.NaN : random.Next(-3, 4))];

    /// <summary>Shapley's formula: the mean of what an input adds, over all orders in which inputs become known.</summary>
    private static double Shapley(Func<int, double> game, int count, int input)
    {
        double Factorial(int n) => Enumerable.Range(1, n).Aggregate(1.0, (a, b) => a * b);
        return Enumerable.Range(0, 1 << count).Where(known => (known >> input & 1) == 0).Sum(known =>
        {
            var size = System.Numerics.BitOperations.PopCount((uint)known);
            return Factorial(size) * Factorial(count - size - 1) / Factorial(count) * (game(known | 1 << input) - game(known));
        });
    }

    /// <summary>A row's score where some inputs are known only: at a split on another one the mean of both ways, by their covers.</summary>
    private static double Expected(TreeEnsemble trees, List<TreeNode> nodes, FeatureColumn[] columns, double[] row, int known)
    {
        var inner = nodes.Where(n => n.Leaf is null).SelectMany(n => new[] { n.True, n.False }).ToHashSet();
        return 0.25 + Enumerable.Range(0, nodes.Count).Where(i => !inner.Contains(i)).Sum(Of);

        double Of(int at)
        {
            var node = nodes[at];
            if (node.Leaf is { } leaf) return leaf[0];
            var column = columns[node.Column];
            if ((known >> column.Input & 1) == 0)
                return (nodes[node.True].Cover * Of(node.True) + nodes[node.False].Cover * Of(node.False)) / node.Cover;
            var value = column.Map(row[column.Input]);
            var isTrue = (double.IsNaN(value) && node.MissingIsTrue) || node.Mode switch
            {
                SplitMode.Leq => value <= node.Threshold,
                SplitMode.Lt => value < node.Threshold,
                SplitMode.Gte => value >= node.Threshold,
                SplitMode.Gt => value > node.Threshold,
                SplitMode.Eq => value == node.Threshold,
                _ => value != node.Threshold,
            };
            return Of(isTrue ? node.True : node.False);
        }
    }

    private static double[][] Golden(string folder)
    {
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "golden.json")));
        return [.. golden.RootElement.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("inputs").EnumerateArray()
            .Select(v => v.ValueKind == JsonValueKind.Null ? double.NaN : v.GetDouble()).ToArray())];
    }
}
