using StreamEngine.Configuration;
using StreamEngine.Inference;
using StreamEngine.Inference.Onnx;
using Xunit;

namespace StreamEngine.ContractTests.Inference;

/// <summary>A model that can't be used is refused at load, in words that say what to do.</summary>
public sealed class OnnxLoadingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("models-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_sound_model_says_what_it_is()
    {
        using var model = new OnnxModelLoader().Load(TestModels.Job, new ModelOptions { Provider = ModelProvider.Cpu });
        Assert.Equal(("job", "1", "dense"), (model.Manifest.Name, model.Manifest.Version, model.Manifest.Kind));
        Assert.Equal("since_last_s", model.Manifest.Inputs[11]);
        Assert.Equal(["offer-0", "offer-1", "offer-2", "offer-3", "offer-4"], model.Manifest.Outputs);
        Assert.Equal("cpu", model.Provider);
    }

    [Fact]
    public void A_missing_folder_or_file_is_named()
    {
        Assert.Contains("models/<name>/<version>/", Refusal(Path.Combine(_folder, "none", "1")));
        var copy = Copy("trees");
        File.Delete(Path.Combine(copy, "model.onnx"));
        Assert.Contains($"{copy}/model.onnx is missing", Refusal(copy));
        File.Delete(Path.Combine(copy, "model.json"));
        Assert.Contains($"{copy}/model.json is missing", Refusal(copy));
    }

    [Fact]
    public void A_damaged_file_is_found_by_its_digest()
    {
        var copy = Copy("trees");
        var file = Path.Combine(copy, "model.onnx");
        var bytes = File.ReadAllBytes(file);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(file, bytes);
        Assert.Contains("is not the file that model.json describes: its SHA-256 is", Refusal(copy));
    }

    [Fact]
    public void A_file_that_is_no_model_is_refused_although_its_digest_fits()
    {
        var copy = Copy("trees");
        File.WriteAllText(Path.Combine(copy, "model.onnx"), "no model");
        Edit(copy, Digest("trees"), Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("no model"u8)));
        Assert.Contains("is no model that ONNX Runtime can run", Refusal(copy));
        Assert.DoesNotContain("ErrorCode", Refusal(copy));
        Assert.DoesNotContain('\n', Refusal(copy));
    }

    [Fact]
    public void All_problems_of_a_manifest_come_at_once()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "churn", "2")).FullName;
        File.WriteAllText(
            Path.Combine(folder, "model.json"),
            """{"name": "other", "version": 2, "kind": "forest", "inputs": ["a", "b", "a"], "sha256": "ABC", "metrics": {"auc": "high"}, "training_window": ["x", "y"]}""");
        var message = Refusal(folder);
        string[] expected =
        [
            "'name' is 'other', but the folder says 'churn'", "'version' must be a text", "'kind' is 'forest'",
                "'inputs' names 'a' 2 times",
            "'outputs' is missing", "'sha256' must be 64", "'metrics.auc' must be a number", "'training_window' must be",
        ];
        Assert.All(expected, problem => Assert.Contains(problem, message));
    }

    [Theory]
    [InlineData("{", "can't be read")]
    [InlineData("[]", "'inputs' is missing")]
    public void A_manifest_that_is_no_object_is_refused(string json, string expected)
    {
        var copy = Copy("trees");
        File.WriteAllText(Path.Combine(copy, "model.json"), json);
        Assert.Contains(expected, Refusal(copy));
    }

    [Fact]
    public void Another_number_of_inputs_than_the_graphs_is_refused()
    {
        var copy = Copy("trees");
        Edit(copy, "\"f0\",", "");
        Assert.Contains("input 'features' has 6 columns, 'inputs' names 5", Refusal(copy));
    }

    [Theory]
    [InlineData("two-outputs", "has the outputs y, z, and more than one of them can be scores", "\"output\": \"z\"")]
    [InlineData("two-inputs", "the graph's inputs have 4 columns together (x 2, x2 2), 'inputs' names 2", "streamengine models add")]
    [InlineData("fixed-rows", "input 'x' has a fixed number of rows, 4", "FloatTensorType([None, 13])")]
    [InlineData("open-width", "output 'y' has 0 columns, 'outputs' names 2", "streamengine models add")]
    [InlineData("label-only", "output 'label' is int64 [?]: it must be numbers",
        "convert_sklearn(model, initial_types=..., options={id(model): {'zipmap': False}})")]
    [InlineData("external", "has its weights in another file beside it", "torch.onnx.export(..., external_data=False)")]
    [InlineData("strict-categories", "failed on 1 rows of 1 columns for 2 outputs: ", "'example' in model.json, --example of")]
    public void A_graph_outside_the_rules_is_refused_with_what_to_export(string name, string expected, string remedy)
    {
        var error = Assert.Throws<ModelException>(() => new OnnxModelLoader().Load(TestModels.Folder(name)));
        Assert.Contains(expected, error.Message);
        Assert.Contains(remedy, error.Remedy);
    }

    [Fact]
    public void The_output_and_its_columns_are_chosen_by_name()
    {
        var copy = Copy("two-outputs");
        Edit(copy, "\"sha256\"", "\"output\": \"z\", \"columns\": [1, 0], \"sha256\"");
        using var model = new OnnxModelLoader().Load(copy);
        using var runner = model.CreateRunner(1);
        runner.Fill([3, -2], 2, [0, 1], 1);
        Assert.Equal([0, 3], runner.Run(1).ToArray()); // the graph's z is Relu(x)
    }

    [Theory]
    [InlineData("\"output\": \"w\"", "has no output 'w': it has y, z")]
    [InlineData("\"output\": \"z\", \"columns\": [0, 2]", "'columns' has 2, but output 'z' has 2 columns, counted from 0")]
    [InlineData("\"columns\": [0]", "'columns' has 1 numbers, 'outputs' 2 names")]
    [InlineData("\"columns\": [-1, 0]", "'columns' must be an array of columns")]
    [InlineData("\"example\": [1]", "'example' has 1 numbers, 'inputs' 2 names")]
    [InlineData("\"output\": \"z\", \"categories\": {\"f0\": [\"a\"]}", "input 'x' takes numbers: 'f0' needs no 'categories'")]
    [InlineData("\"categories\": {\"g\": [\"a\"]}", "'categories' has 'g', which 'inputs' does not name")]
    public void A_choice_that_can_not_be_is_refused(string member, string expected)
    {
        var copy = Copy("two-outputs");
        Edit(copy, "\"sha256\"", $"{member}, \"sha256\"");
        Assert.Contains(expected, Refusal(copy));
    }

    [Fact]
    public void Texts_need_their_categories()
    {
        var copy = Copy("sklearn-frame");
        Edit(copy, "\"plan\": [", "\"age\": [");
        var message = Refusal(copy);
        Assert.Contains("input 'age' takes numbers: 'age' needs no 'categories'", message);
        Assert.Contains("input 'plan' takes texts: 'categories' must list those that 'plan' stands for", message);
    }

    [Fact]
    public void An_example_is_scored_where_a_row_of_zeros_can_not_be()
    {
        var copy = Copy("strict-categories");
        Edit(copy, "\"sha256\"", "\"example\": [5], \"sha256\"");
        using var model = new OnnxModelLoader().Load(copy);
        using var runner = model.CreateRunner(2);
        runner.Fill([3, 5], 1, [0], 2);
        Assert.Equal([1, 0, 0, 1], runner.Run(2).ToArray());
    }

    [Theory]
    [InlineData("endless", 300, 4_096, "takes longer for its first run than 'load_timeout' allows, 0.3 s")]
    [InlineData("growing", 60_000, 64, "takes more memory for its first run than 'load_memory' allows, 64mb")]
    [InlineData("slow-constants", 30, 4_096, "takes longer to load than 'load_timeout' allows, 0.03 s")]
    public void A_model_without_an_end_does_not_hold_up_the_start(string name, int milliseconds, int megabytes, string expected)
    {
        var limits = new ModelOptions { LoadTimeout = TimeSpan.FromMilliseconds(milliseconds), LoadMemory = ByteSize.Mb(megabytes) };
        var error = Assert.Throws<ModelException>(() => new OnnxModelLoader().Load(TestModels.Folder(name), limits));
        Assert.Contains($"{name}/1/model.onnx {expected}", error.Message);
        Assert.Contains("Loop or a Scan", error.Remedy);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(50)]
    public void A_file_that_ends_early_is_no_model(int shorter)
    {
        var copy = Copy("trees");
        var bytes = File.ReadAllBytes(Path.Combine(copy, "model.onnx"))[..^(shorter + 1)];
        File.WriteAllBytes(Path.Combine(copy, "model.onnx"), bytes);
        Edit(copy, Digest("trees"), Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)));
        Assert.Contains("is no model that ONNX Runtime can run", Refusal(copy));
    }

    [Fact]
    public void A_missing_native_library_names_the_remedy()
    {
        var error = Assert.Throws<ModelRuntimeException>(() => NativeRuntime.Probe("onnxruntime_that_is_not_there"));
        Assert.Contains("libonnxruntime_that_is_not_there.so is not there: it comes with the package Microsoft.ML.OnnxRuntime",
            error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [SkippableFact]
    public void Cuda_where_it_is_not_is_refused_and_auto_takes_the_cpu()
    {
        Skip.If(NativeRuntime.HasCuda(), "the CUDA provider is here");
        var error = Assert.Throws<ModelException>(() => new OnnxModelLoader().Load(TestModels.Folder("trees"), new ModelOptions
        {
            Provider = ModelProvider.Cuda,
        }));
        Assert.Contains("libonnxruntime_providers_cuda.so is not beside the application", error.Message);
        Assert.StartsWith("Build with -p:Cuda=true", error.Remedy);
        using var model = new OnnxModelLoader(Assert.Fail).Load(TestModels.Folder("trees")); // the CPU build needs no excuse
        Assert.Equal("cpu", model.Provider);
    }

    private static string Refusal(string folder) => Assert.Throws<ModelException>(() => new OnnxModelLoader().Load(folder)).Message;

    private static string Digest(string name) =>
        Convert.ToHexStringLower(
            System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(Path.Combine(TestModels.Folder(name), "model.onnx"))));

    private string Copy(string name)
    {
        var target = Directory.CreateDirectory(Path.Combine(_folder, name, "1")).FullName;
        foreach (var file in Directory.GetFiles(TestModels.Folder(name))) File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        return target;
    }

    private static void Edit(string folder, string old, string replacement)
    {
        var file = Path.Combine(folder, "model.json");
        File.WriteAllText(file, File.ReadAllText(file).Replace(old, replacement));
    }
}
