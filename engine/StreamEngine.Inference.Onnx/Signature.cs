using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace StreamEngine.Inference.Onnx;

/// <summary>The one input and the one output of a graph: float matrices with a row per customer.</summary>
internal sealed record Signature(string Input, int InputWidth, string Output, int OutputWidth)
{
    /// <summary>Takes the graph's signature and holds it against the manifest.</summary>
    /// <exception cref="ModelException">They differ: all differences in one message.</exception>
    public static Signature Of(InferenceSession session, ModelManifest manifest, string file)
    {
        var problems = new List<string>();
        var input = Only("input", session.InputMetadata, manifest.Inputs.Count, "inputs", problems);
        var output = Only("output", session.OutputMetadata, manifest.Outputs.Count, "outputs", problems);
        return problems.Count == 0
            ? new Signature(input, manifest.Inputs.Count, output, manifest.Outputs.Count)
            : throw new ModelException($"{file} does not fit its model.json: {string.Join("; ", problems)}.");
    }

    private static string Only(string what, IReadOnlyDictionary<string, NodeMetadata> nodes, int width, string member,
        List<string> problems)
    {
        if (nodes.Count != 1)
        {
            problems.Add($"the graph has {nodes.Count} {what}s ({string.Join(", ", nodes.Keys)}), it must have one");
            return "";
        }

        var (name, node) = nodes.First();
        if (!node.IsTensor || node.ElementDataType != TensorElementType.Float || node.Dimensions.Length != 2)
        {
            problems.Add($"{what} '{name}' must be a float matrix [rows, columns]");
            return name;
        }
        if (node.Dimensions[0] >= 0) problems.Add($"{what} '{name}' has a fixed number of rows, {node.Dimensions[0]}; it must be free");
        // A width that the graph leaves open (-1) shows when the first row is scored.
        if (node.Dimensions[1] >= 0 && node.Dimensions[1] != width)
        {
            problems.Add($"{what} '{name}' has {node.Dimensions[1]} columns, '{member}' names {width}");
        }
        return name;
    }
}
