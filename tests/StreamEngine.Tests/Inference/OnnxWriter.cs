using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using StreamEngine.Inference;
using StreamEngine.Inference.Onnx;

namespace StreamEngine.Tests.Inference;

/// <summary>Writes small ONNX models of nodes, with one input of floats and one output, as a folder that the engine loads.</summary>
internal sealed class OnnxWriter
{
    private readonly MemoryStream _graph = new();

    /// <summary>Adds a node.</summary>
    public OnnxWriter Node(string name, string[] inputs, string[] outputs, params (string Name, object Value)[] attributes)
    {
        var node = new MemoryStream();
        foreach (var input in inputs) Text(node, 1, input);
        foreach (var output in outputs) Text(node, 2, output);
        Text(node, 4, name);
        foreach (var (attribute, value) in attributes) ProtoWriter.Write(node, 5, Attribute(attribute, value));
        if (name is "Scaler" or "Normalizer" or "OneHotEncoder" || name.StartsWith("Tree", StringComparison.Ordinal)
            || name.StartsWith("Linear", StringComparison.Ordinal)) Text(node, 7, "ai.onnx.ml");
        ProtoWriter.Write(_graph, 1, node.ToArray());
        return this;
    }

    /// <summary>Adds a constant.</summary>
    public OnnxWriter Constant(string name, long[] shape, params float[] numbers)
    {
        ProtoWriter.Write(_graph, 5, [.. Tensor(shape, numbers), .. Message(8, Encoding.UTF8.GetBytes(name))]);
        return this;
    }

    /// <summary>Adds a list of whole numbers.</summary>
    public OnnxWriter Wholes(string name, params long[] numbers)
    {
        var tensor = new MemoryStream();
        tensor.Write(Shape([numbers.Length], 7));
        foreach (var number in numbers) Number(tensor, 7, number);
        Text(tensor, 8, name);
        ProtoWriter.Write(_graph, 5, tensor.ToArray());
        return this;
    }

    /// <summary>Saves the model and loads it.</summary>
    /// <param name="folder">A folder of the test; the model is <c>m/VERSION</c> in it.</param>
    /// <param name="inputs">How many inputs.</param>
    /// <param name="output">The graph's output that is read.</param>
    /// <param name="outputs">How many columns it has.</param>
    /// <param name="mlVersion">The version of the operators of machine learning.</param>
    public IModel Load(string folder, int inputs, string output, int outputs = 1, int mlVersion = 3)
    {
        ProtoWriter.Write(_graph, 2, "made"u8);
        ProtoWriter.Write(_graph, 11, Value("X", inputs));
        ProtoWriter.Write(_graph, 12, Value(output, outputs));
        var model = new MemoryStream();
        Number(model, 1, 8);
        ProtoWriter.Write(model, 7, _graph.ToArray());
        foreach (var (domain, version) in new[] { ("", 17), ("ai.onnx.ml", mlVersion) })
        {
            var set = new MemoryStream();
            Text(set, 1, domain);
            Number(set, 2, version);
            ProtoWriter.Write(model, 8, set.ToArray());
        }
        var directory = Directory.CreateDirectory(Path.Combine(folder, "m", $"{Guid.NewGuid():N}")).FullName;
        File.WriteAllBytes(Path.Combine(directory, "model.onnx"), model.ToArray());
        File.WriteAllText(Path.Combine(directory, "model.json"), JsonSerializer.Serialize(new
        {
            name = "m",
            version = Path.GetFileName(directory),
            inputs = Enumerable.Range(0, inputs).Select(i => $"f{i}"),
            outputs = Enumerable.Range(0, outputs).Select(i => $"o{i}"),
            sha256 = Convert.ToHexStringLower(SHA256.HashData(model.ToArray())),
        }));
        return new OnnxModelLoader().Load(directory);
    }

    private static byte[] Attribute(string name, object value)
    {
        var attribute = new MemoryStream();
        Text(attribute, 1, name);
        switch (value)
        {
            case string text: Text(attribute, 4, text); break;
            case int number: Number(attribute, 3, number); break;
            case float[] floats: ProtoWriter.Write(attribute, 7, Floats(floats)); break;
            case int[] numbers: foreach (var one in numbers) Number(attribute, 8, one); break;
            case string[] texts: foreach (var one in texts) Text(attribute, 9, one); break;
            case byte[] bytes: ProtoWriter.Write(attribute, 5, [.. Message(9, bytes), .. Shape([bytes.Length], 2)]); break;
            case Memory<float> tensor: ProtoWriter.Write(attribute, 5, Tensor([tensor.Length], tensor.Span)); break;
            default: throw new ArgumentException($"an attribute can't be {value.GetType().Name}", nameof(value));
        }
        Number(attribute, 20, value switch { int => 2, string => 3, byte[] or Memory<float> => 4, float[] => 6, int[] => 7, _ => 8 });
        return attribute.ToArray();
    }

    private static byte[] Tensor(long[] shape, ReadOnlySpan<float> numbers) => [.. Shape(shape, 1), .. Message(9, Floats(numbers))];

    private static byte[] Shape(long[] shape, int type)
    {
        var result = new MemoryStream();
        foreach (var size in shape) Number(result, 1, size);
        Number(result, 2, type);
        return result.ToArray();
    }

    private static byte[] Floats(ReadOnlySpan<float> numbers) => System.Runtime.InteropServices.MemoryMarshal.AsBytes(numbers).ToArray();

    private static byte[] Value(string name, int columns)
    {
        var column = new MemoryStream();
        Number(column, 1, columns);
        byte[] shape = [.. Message(1, Message(2, "rows"u8)), .. Message(1, column.ToArray())];
        byte[] tensor = [0x08, 1, .. Message(2, shape)];
        return [.. Message(1, Encoding.UTF8.GetBytes(name)), .. Message(2, Message(1, tensor))];
    }

    private static byte[] Message(int number, ReadOnlySpan<byte> contents)
    {
        var result = new MemoryStream();
        ProtoWriter.Write(result, number, contents);
        return result.ToArray();
    }

    private static void Text(Stream to, int number, string text) => ProtoWriter.Write(to, number, Encoding.UTF8.GetBytes(text));

    private static void Number(Stream to, int number, long value)
    {
        using var output = new CodedOutputStream(to, leaveOpen: true);
        output.WriteTag(number, WireFormat.WireType.Varint);
        output.WriteInt64(value);
    }
}
