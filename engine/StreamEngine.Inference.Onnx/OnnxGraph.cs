using System.Text;

namespace StreamEngine.Inference.Onnx;

/// <summary>One operation of a graph.</summary>
/// <param name="Operator">Its operator's name.</param>
/// <param name="Domain">The operator's domain; empty for ONNX's own.</param>
/// <param name="Inputs">The names of the tensors that it reads.</param>
/// <param name="Outputs">The names of those that it makes.</param>
/// <param name="Captured">Names that the graphs inside it (of a Loop, If, Scan) use.</param>
/// <param name="Labels">The classes of a classifier or a ZipMap, the categories of an encoder; empty for others.</param>
internal sealed record OnnxNode(
    string Operator, string Domain, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs, IReadOnlyList<string> Captured,
    IReadOnlyList<string> Labels);

/// <summary>What is read of a model's file beside what ONNX Runtime tells: its operators, classes, categories.</summary>
internal sealed class OnnxGraph
{
    private const int GraphField = 7, OperatorSetField = 8;
    private const int NodeField = 1, InitializerField = 5, OutputField = 12;
    private const int MostNesting = 32;

    private readonly byte[] _model;
    private readonly List<OnnxNode> _nodes = [];
    private readonly List<string> _outputs = [];
    private readonly HashSet<string> _others = [];
    private readonly List<(string Domain, long Version)> _operatorSets = [];
    private readonly Dictionary<string, long> _constants = [];

    private OnnxGraph(byte[] model) => _model = model;

    /// <summary>The operations.</summary>
    public IReadOnlyList<OnnxNode> Nodes => _nodes;

    /// <summary>The graph's outputs.</summary>
    public IReadOnlyList<string> Outputs => _outputs;

    /// <summary>Whether an output may hold floats or doubles; a label, or a sequence of maps, does not.</summary>
    public bool IsNumber(string output) => !_others.Contains(output);

    /// <summary>The versions of the operator sets, by domain; ONNX's own is <c>ai.onnx</c>.</summary>
    public IReadOnlyList<(string Domain, long Version)> OperatorSets => _operatorSets;

    /// <summary>
    /// Whether ONNX Runtime's kernels add a row's products in another order in another batch, so that the last bits differ and a replay
    /// would not agree: those of linear and support vector models do; matrix products of constant weights, trees and networks do not.
    /// </summary>
    public bool ScoresDependOnBatch => _nodes.Exists(n =>
        n.Operator is "LinearClassifier" or "LinearRegressor" or "SVMClassifier" or "SVMRegressor");

    /// <summary>Whether weights lie in files beside the model's.</summary>
    public bool HasOtherFiles { get; private set; }

    /// <summary>Reads a model.</summary>
    /// <exception cref="InvalidDataException">The bytes are no model.</exception>
    public static OnnxGraph Parse(byte[] model)
    {
        var graph = new OnnxGraph(model);
        var fields = new ProtoFields(model);
        while (fields.Next())
        {
            if (fields.Number == GraphField) graph.ReadGraph(fields.Bytes);
            else if (fields.Number == OperatorSetField) graph.ReadOperatorSet(fields.Bytes);
        }
        return graph;
    }

    /// <summary>
    /// The tensor of probabilities that an output is made of where it is a ZipMap's: a map of classes for each row, as scikit-learn's
    /// converter writes. Null for other outputs.
    /// </summary>
    public string? ZipMapSource(string output) => Maker(output) is { Operator: "ZipMap", Inputs: [var source, ..] } ? source : null;

    /// <summary>The classes that a tensor's columns are of, as far back as columns stay as they are; empty where no node tells.</summary>
    public IReadOnlyList<string> Classes(string tensor)
    {
        for (var steps = 0; steps < 8; steps++)
        {
            if (Maker(tensor) is not { } node) return [];
            if (node.Operator is "LinearClassifier" or "TreeEnsembleClassifier" or "SVMClassifier" or "ZipMap" && node.Labels.Count > 0)
                return node.Labels;
            if (node.Operator is not ("ZipMap" or "Normalizer" or "Cast" or "Identity" or "Softmax" or "Sigmoid" or "Clip")) return [];
            tensor = node.Inputs[0];
        }
        return [];
    }

    /// <summary>The categories that an encoder knows of a column of an input of texts; empty where no node tells.</summary>
    public IReadOnlyList<string> Categories(string input, int column, int width)
    {
        foreach (var node in _nodes)
            if (node.Operator is "OneHotEncoder" or "LabelEncoder" && node.Labels.Count > 0
                && ComesFrom(node.Inputs[0], input, column, width, 0))
                return node.Labels;
        return [];
    }

    /// <summary>
    /// The model with one output, which may be a tensor inside it, and without the operations that no one needs then: a label's, a
    /// ZipMap's.
    /// </summary>
    public byte[] Only(string tensor)
    {
        var needed = Needed(tensor);
        var result = new MemoryStream(_model.Length + 64);
        var fields = new ProtoFields(_model);
        while (fields.Next())
        {
            if (fields.Number == GraphField) ProtoWriter.Write(result, GraphField, Only(fields.Bytes, tensor, needed));
            else result.Write(fields.Whole);
        }
        return result.ToArray();
    }

    private byte[] Only(ReadOnlySpan<byte> graph, string tensor, bool[] needed)
    {
        var result = new MemoryStream(graph.Length + 64);
        var (node, kept) = (0, false);
        var fields = new ProtoFields(graph);
        while (fields.Next())
        {
            if (fields.Number == NodeField && !needed[node++]) continue;
            if (fields.Number == OutputField)
            {
                if (Name(fields.Bytes, 1) != tensor) continue;
                kept = true;
            }
            result.Write(fields.Whole);
        }
        if (!kept) ProtoWriter.Write(result, OutputField, FloatTensor(tensor));
        return result.ToArray();
    }

    /// <summary>What ONNX says of a tensor of floats: its name, and that its type (field 2) is a tensor (1) of elements (1) FLOAT (1).
    /// </summary>
    private static byte[] FloatTensor(string name)
    {
        var value = new MemoryStream();
        ProtoWriter.Write(value, 1, Encoding.UTF8.GetBytes(name));
        ProtoWriter.Write(value, 2, [0x0A, 2, 0x08, 1]);
        return value.ToArray();
    }

    private bool[] Needed(string tensor)
    {
        var makers = new Dictionary<string, int>();
        for (var node = 0; node < _nodes.Count; node++)
            foreach (var output in _nodes[node].Outputs) makers[output] = node;
        var needed = new bool[_nodes.Count];
        var open = new Stack<string>([tensor]);
        while (open.TryPop(out var name))
        {
            if (!makers.TryGetValue(name, out var node) || needed[node]) continue;
            needed[node] = true;
            foreach (var input in _nodes[node].Inputs.Concat(_nodes[node].Captured)) open.Push(input);
        }
        return needed;
    }

    private OnnxNode? Maker(string tensor) => _nodes.Find(n => n.Outputs.Contains(tensor));

    /// <summary>Whether a tensor is a column of an input, perhaps cast, reshaped, joined with others or picked from them.</summary>
    private bool ComesFrom(string tensor, string input, int column, int width, int steps)
    {
        if (tensor == input) return width == 1;
        if (steps > 8 || Maker(tensor) is not { Inputs.Count: > 0 } node) return false;
        if (node.Operator is "Cast" or "Identity" or "Reshape") return ComesFrom(node.Inputs[0], input, column, width, steps + 1);
        if (node.Operator is not ("Gather" or "ArrayFeatureExtractor") || node.Inputs.Count < 2
            || !_constants.TryGetValue(node.Inputs[1], out var index)) return false;
        if (node.Inputs[0] == input) return index == column;
        // Joined of inputs with one column each, the usual shape of a data frame's.
        return Maker(node.Inputs[0]) is { Operator: "Concat" } joined && index >= 0 && index < joined.Inputs.Count
            && ComesFrom(joined.Inputs[(int)index], input, column, width, steps + 1);
    }

    private void ReadGraph(ReadOnlySpan<byte> graph)
    {
        var fields = new ProtoFields(graph);
        while (fields.Next())
        {
            if (fields.Number == NodeField) _nodes.Add(ReadNode(fields.Bytes));
            else if (fields.Number == OutputField) ReadOutput(fields.Bytes);
            else if (fields.Number == InitializerField) ReadConstant(fields.Bytes);
        }
    }

    /// <summary>A value's type (field 2) is a tensor (1) of elements (1), or something else than a tensor.</summary>
    private void ReadOutput(ReadOnlySpan<byte> value)
    {
        const long single = 1, twofold = 11;
        _outputs.Add(Name(value, 1));
        var type = Field(value, 2);
        var tensor = Field(type, 1);
        if (type.IsEmpty) return;
        var element = 0L;
        var fields = new ProtoFields(tensor);
        while (fields.Next())
            if (fields.Number == 1) element = fields.Value;
        if (element is not (single or twofold)) _others.Add(_outputs[^1]);
    }

    private void ReadOperatorSet(ReadOnlySpan<byte> set)
    {
        var (domain, version) = ("", 0L);
        var fields = new ProtoFields(set);
        while (fields.Next())
        {
            if (fields.Number == 1) domain = fields.Text;
            else if (fields.Number == 2) version = fields.Value;
        }
        _operatorSets.Add((domain.Length == 0 ? "ai.onnx" : domain, version));
    }

    /// <summary>
    /// Keeps the value of a constant that is one whole number: which column is picked. Notes one whose contents lie in another file.
    /// </summary>
    private void ReadConstant(ReadOnlySpan<byte> tensor)
    {
        var (name, numbers) = ("", new List<long>());
        var fields = new ProtoFields(tensor);
        while (fields.Next())
        {
            if (fields.Number == 8) name = fields.Text;
            else if (fields.Number == 14 && fields.Value == 1) HasOtherFiles = true;
            else if (fields.Number == 7) fields.AddTo(numbers);
            else if (fields.Number == 9 && fields.Bytes.Length == sizeof(long)) numbers.Add(BitConverter.ToInt64(fields.Bytes));
        }
        if (numbers.Count == 1) _constants[name] = numbers[0];
    }

    private static OnnxNode ReadNode(ReadOnlySpan<byte> node)
    {
        var (name, domain) = ("", "");
        List<string> inputs = [], outputs = [], captured = [], labels = [];
        var fields = new ProtoFields(node);
        while (fields.Next())
        {
            switch (fields.Number)
            {
                case 1: inputs.Add(fields.Text); break;
                case 2: outputs.Add(fields.Text); break;
                case 4: name = fields.Text; break;
                case 5: ReadAttribute(fields.Bytes, labels, captured, 0); break;
                case 7: domain = fields.Text; break;
            }
        }
        return new OnnxNode(name, domain, inputs, outputs, captured, labels);
    }

    private static void ReadAttribute(ReadOnlySpan<byte> attribute, List<string> labels, List<string> captured, int depth)
    {
        if (depth > MostNesting) throw new InvalidDataException("its graphs are nested too deeply");
        var isLabels = Name(attribute, 1) is "classlabels_strings" or "classlabels_int64s" or "classlabels_ints" or "cats_strings"
            or "cats_int64s" or "keys_strings" or "keys_int64s";
        var numbers = new List<long>();
        var fields = new ProtoFields(attribute);
        while (fields.Next())
        {
            if (fields.Number is 6 or 11) ReadCaptured(fields.Bytes, captured, depth);
            else if (isLabels && fields.Number == 8) fields.AddTo(numbers);
            else if (isLabels && fields.Number == 9) labels.Add(fields.Text);
        }
        labels.AddRange(numbers.Select(n => n.ToString(System.Globalization.CultureInfo.InvariantCulture)));
    }

    /// <summary>Every name that a graph inside a node reads; its own among them do no harm.</summary>
    private static void ReadCaptured(ReadOnlySpan<byte> graph, List<string> captured, int depth)
    {
        var fields = new ProtoFields(graph);
        while (fields.Next())
        {
            if (fields.Number == OutputField) captured.Add(Name(fields.Bytes, 1));
            if (fields.Number != NodeField) continue;
            var parts = new ProtoFields(fields.Bytes);
            while (parts.Next())
            {
                if (parts.Number == 1) captured.Add(parts.Text);
                else if (parts.Number == 5) ReadAttribute(parts.Bytes, [], captured, depth + 1);
            }
        }
    }

    private static string Name(ReadOnlySpan<byte> message, int number) => Encoding.UTF8.GetString(Field(message, number));

    private static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> message, int number)
    {
        var fields = new ProtoFields(message);
        while (fields.Next())
            if (fields.Number == number) return fields.Bytes;
        return default;
    }
}
