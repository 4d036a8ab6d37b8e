using System.Security.Cryptography;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace StreamEngine.Inference.Onnx;

/// <summary>An input or output of a model's graph.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">Type and shape, e.g. <c>float [?, 4]</c>.</param>
/// <param name="Columns">Its columns; -1 where the graph leaves them open.</param>
/// <param name="IsText">Whether it takes texts.</param>
/// <param name="IsScore">Whether it can be read as a score: numbers, or a ZipMap's maps of them.</param>
/// <param name="Classes">Of an output the classes that its columns are of; empty where the graph does not tell.</param>
/// <param name="Categories">Of an input of texts the categories that each column knows; empty lists where the graph does not tell.</param>
public sealed record OnnxTensor(
    string Name, string Description, int Columns, bool IsText, bool IsScore, IReadOnlyList<string> Classes,
    IReadOnlyList<IReadOnlyList<string>> Categories);

/// <summary>A model's file outside of a version's folder: what is in it, and the folder made of it.</summary>
public sealed class OnnxModelFile
{
    private readonly byte[] _bytes;

    private OnnxModelFile(byte[] bytes, OnnxGraph graph, InferenceSession session)
    {
        _bytes = bytes;
        OperatorSets = [.. graph.OperatorSets.Select(s => $"{s.Domain} {s.Version}")];
        Operators = [.. graph.Nodes.Select(n => n.Operator).Distinct()];
        Inputs = [.. session.InputNames.Select(name => Input(name, session.InputMetadata[name], graph))];
        Outputs = [.. session.OutputNames.Select(name => Output(name, session.OutputMetadata[name], graph))];
        Kind = Operators.Any(o => o.StartsWith("TreeEnsemble", StringComparison.Ordinal)) ? "trees" : "dense";
        Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
    }

    /// <summary>The graph's inputs, in order.</summary>
    public IReadOnlyList<OnnxTensor> Inputs { get; }

    /// <summary>The graph's outputs, in order.</summary>
    public IReadOnlyList<OnnxTensor> Outputs { get; }

    /// <summary>The operator sets with their versions, e.g. <c>ai.onnx.ml 3</c>.</summary>
    public IReadOnlyList<string> OperatorSets { get; }

    /// <summary>The operators that are used.</summary>
    public IReadOnlyList<string> Operators { get; }

    /// <summary><c>trees</c> or <c>dense</c>, as <see cref="ModelManifest.Kind"/> says it.</summary>
    public string Kind { get; }

    /// <summary>The file's digest.</summary>
    public string Sha256 { get; }

    /// <summary>Reads a file and opens it by ONNX Runtime.</summary>
    /// <param name="file">The <c>.onnx</c> file.</param>
    /// <param name="limits">How long and with how much memory that may take.</param>
    /// <exception cref="ModelException">It can't be read, or is no model that can be run.</exception>
    public static OnnxModelFile Read(string file, ModelOptions limits)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(file);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"{file} can't be read: {cause.Message.TrimEnd('.')}", cause)
            {
                Remedy = "Name the .onnx file that the training script wrote",
            };
        }
        NativeRuntime.Ensure();
        var graph = OnnxModelLoader.Parse(bytes, file);
        using var session = new LoadGuard(file, limits).Run(_ =>
            Sessions.Create(bytes, file, ModelProvider.Cpu, 0, _ => { }, out var _));
        return new OnnxModelFile(bytes, graph, session.Session);
    }

    /// <summary>Writes <c>model.onnx</c> and <c>model.json</c> into a folder, which is made.</summary>
    public void Save(string folder, ModelManifest manifest)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, "model.onnx"), _bytes);
        ManifestFile.Write(Path.Combine(folder, "model.json"), manifest);
    }

    private static OnnxTensor Input(string name, NodeMetadata node, OnnxGraph graph)
    {
        var width = Signature.Width(node);
        var isText = node.IsTensor && node.ElementDataType == TensorElementType.String;
        return new OnnxTensor(name, Signature.Describe(node), width, isText, false, [],
            isText ? [.. Enumerable.Range(0, Math.Max(0, width)).Select(column => graph.Categories(name, column, width))] : []);
    }

    private static OnnxTensor Output(string name, NodeMetadata node, OnnxGraph graph)
    {
        var tensor = graph.ZipMapSource(name);
        var classes = graph.Classes(name);
        return new OnnxTensor(name, tensor is null ? Signature.Describe(node) : $"maps of a ZipMap, read as its tensor '{tensor}'",
            tensor is null ? Signature.Width(node) : classes.Count > 0 ? classes.Count : -1, false,
            tensor is not null || Signature.IsNumber(node), classes, []);
    }
}
