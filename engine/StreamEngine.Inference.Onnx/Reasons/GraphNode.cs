using System.Buffers.Binary;
using System.Text;

namespace StreamEngine.Inference.Onnx;

/// <summary>A constant of a graph: its shape, and its numbers in row-major order.</summary>
internal sealed record GraphConstant(long[] Shape, double[] Numbers)
{
    /// <summary>Reads a tensor; null where its elements are none of float, double, whole numbers and booleans.</summary>
    public static GraphConstant? Read(ReadOnlySpan<byte> tensor, out string name)
    {
        (name, var type) = ("", 0L);
        List<long> shape = [], wholes = [];
        List<double> numbers = [];
        ReadOnlySpan<byte> raw = default;
        var fields = new ProtoFields(tensor);
        while (fields.Next())
        {
            switch (fields.Number)
            {
                case 1: fields.AddTo(shape); break;
                case 2: type = fields.Value; break;
                case 4: Add(fields.Bytes, 1, numbers); break;
                case 5 or 7: fields.AddTo(wholes); break;
                case 8: name = fields.Text; break;
                case 9: raw = fields.Bytes; break;
                case 10: Add(fields.Bytes, 11, numbers); break;
            }
        }
        if (!raw.IsEmpty && !Add(raw, type, numbers)) return null;
        return type is 1 or 2 or 3 or 6 or 7 or 9 or 11 ? new GraphConstant([.. shape], [.. numbers, .. wholes.Select(w => (double)w)])
            : null;
    }

    /// <summary>Adds numbers from their bytes, by ONNX's number of their type; false for a type that is not read.</summary>
    public static bool Add(ReadOnlySpan<byte> bytes, long type, List<double> numbers)
    {
        var size = type switch { 1 or 6 => 4, 7 or 11 => 8, 2 or 3 or 9 => 1, _ => 0 };
        if (size == 0) return false;
        for (; bytes.Length >= size; bytes = bytes[size..])
            numbers.Add(type switch
            {
                1 => BinaryPrimitives.ReadSingleLittleEndian(bytes),
                6 => BinaryPrimitives.ReadInt32LittleEndian(bytes),
                7 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
                11 => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
                3 => (sbyte)bytes[0],
                _ => bytes[0],
            });
        return true;
    }
}

/// <summary>An operation of a graph with its attributes, as far as they are numbers and texts.</summary>
internal sealed class GraphNode
{
    private readonly Dictionary<string, double[]> _numbers = [];
    private readonly Dictionary<string, string[]> _texts = [];

    /// <summary>The operator's name.</summary>
    public string Operator { get; private set; } = "";

    /// <summary>The names of the tensors that it reads; empty for one that is left out.</summary>
    public List<string> Inputs { get; } = [];

    /// <summary>The names of those that it makes.</summary>
    public List<string> Outputs { get; } = [];

    /// <summary>The constant that a node <c>Constant</c> is.</summary>
    public GraphConstant? Constant { get; private set; }

    /// <summary>An attribute's numbers, one or a list; empty where there are none.</summary>
    public double[] Numbers(string attribute) => _numbers.GetValueOrDefault(attribute) ?? [];

    /// <summary>An attribute's number.</summary>
    public double Number(string attribute, double otherwise = 0) => Numbers(attribute) is [var number, ..] ? number : otherwise;

    /// <summary>An attribute's texts; empty where there are none.</summary>
    public string[] Texts(string attribute) => _texts.GetValueOrDefault(attribute) ?? [];

    /// <summary>An attribute's text.</summary>
    public string Text(string attribute, string otherwise) => Texts(attribute) is [var text, ..] ? text : otherwise;

    /// <summary>Whether it has an attribute.</summary>
    public bool Has(string attribute) => _numbers.ContainsKey(attribute) || _texts.ContainsKey(attribute);

    /// <summary>Reads a node.</summary>
    public static GraphNode Read(ReadOnlySpan<byte> message)
    {
        var node = new GraphNode();
        var fields = new ProtoFields(message);
        while (fields.Next())
        {
            switch (fields.Number)
            {
                case 1: node.Inputs.Add(fields.Text); break;
                case 2: node.Outputs.Add(fields.Text); break;
                case 4: node.Operator = fields.Text; break;
                case 5: node.ReadAttribute(fields.Bytes); break;
            }
        }
        return node;
    }

    private void ReadAttribute(ReadOnlySpan<byte> attribute)
    {
        var name = "";
        List<double> numbers = [];
        List<long> wholes = [];
        List<string> texts = [];
        var fields = new ProtoFields(attribute);
        while (fields.Next())
        {
            switch (fields.Number)
            {
                case 1: name = fields.Text; break;
                case 2 or 7: GraphConstant.Add(fields.Bytes, 1, numbers); break;
                case 3: wholes.Add(fields.Value); break;
                case 8: fields.AddTo(wholes); break;
                case 4 or 9: texts.Add(Encoding.UTF8.GetString(fields.Bytes)); break;
                case 5:
                    Constant = GraphConstant.Read(fields.Bytes, out _);
                    numbers.AddRange(Constant?.Numbers ?? []);
                    break;
            }
        }
        if (numbers.Count + wholes.Count > 0) _numbers[name] = [.. numbers, .. wholes.Select(w => (double)w)];
        if (texts.Count > 0) _texts[name] = [.. texts];
    }
}
