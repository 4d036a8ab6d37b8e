using System.Text.Json;

namespace StreamEngine.ContractTests.Inference;

/// <summary>The committed models and their golden vectors; make_models.py and make_exports.py write them.</summary>
internal static class TestModels
{
    /// <summary>The repository's root: the folder above the test's output that holds the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The folder of a small model beside this file.</summary>
    public static string Folder(string name) => Path.Combine(Root, "tests/StreamEngine.ContractTests/Inference/models", name, "1");

    /// <summary>The folder of the measured job's model.</summary>
    public static string Job => Path.Combine(Root, "perf/job/models/job/1");

    /// <summary>The folder of the sample's repurchase model.</summary>
    public static string Repurchase => Path.Combine(Root, "models/repurchase/1");

    /// <summary>The folder of the demo's model.</summary>
    public static string SessionPurchase => Path.Combine(Root, "deploy/samples/demo/models/session_purchase/1");

    /// <summary>Reads golden.json: rows of inputs (NaN where null), rows of expected outputs.</summary>
    public static GoldenVectors Golden(string folder)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "golden.json")));
        var rows = document.RootElement.GetProperty("rows").EnumerateArray().ToArray();
        return new GoldenVectors(
            [.. rows.Select(row => row.GetProperty("inputs").EnumerateArray().Select(Input).ToArray())],
            [.. rows.Select(row => row.GetProperty("outputs").EnumerateArray().Select(value => value.GetDouble()).ToArray())],
            document.RootElement.GetProperty("tolerance").GetDouble());
    }

    private static double Input(JsonElement value) => value.ValueKind == JsonValueKind.Null ? double.NaN : value.GetDouble();

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "StreamEngine.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException($"No StreamEngine.sln above {AppContext.BaseDirectory}.");
    }
}

/// <summary>Inputs, the training library's own outputs for them, and how far a float score may be from those.</summary>
internal sealed record GoldenVectors(double[][] Inputs, double[][] Outputs, double Tolerance);
