using Microsoft.ML.OnnxRuntime.Tensors;

namespace StreamEngine.Inference.Onnx;

/// <summary>
/// Follows a graph from its inputs to the scores that are read, as long as each column depends on one input (scaled, encoded), then goes
/// through one tree ensemble or one linear layer, then through a link. Anything else, such as a hidden layer, is no sum of what each input
/// adds.
/// </summary>
internal sealed class ScoreGraph
{
    private readonly Dictionary<string, FeatureColumn[]> _features = [];
    private readonly Dictionary<string, ScoreColumn[]> _scores = [];
    private readonly Dictionary<string, GraphConstant> _constants = [];
    private readonly Dictionary<string, string> _why = [];

    private ScoreGraph()
    {
    }

    /// <summary>The columns of a tensor of scores.</summary>
    /// <param name="model">The model's bytes.</param>
    /// <param name="inputs">The graph's inputs.</param>
    /// <param name="manifest">Knows the texts that categories stand for.</param>
    /// <param name="tensor">The tensor.</param>
    /// <exception cref="InvalidDataException">The graph is of another kind; the message says what stands in the way.</exception>
    public static ScoreColumn[] Read(byte[] model, IReadOnlyList<GraphInput> inputs, ModelManifest manifest, string tensor)
    {
        const int graphField = 7, nodeField = 1, initializerField = 5;
        var graph = new ScoreGraph();
        foreach (var input in inputs)
            graph._features[input.Name] = [.. Enumerable.Range(input.First, input.Width).Select(i => Column(input, i, manifest))];
        List<GraphNode> nodes = [];
        var fields = new ProtoFields(model);
        while (fields.Next())
        {
            if (fields.Number != graphField) continue;
            var parts = new ProtoFields(fields.Bytes);
            while (parts.Next())
            {
                if (parts.Number == nodeField) nodes.Add(GraphNode.Read(parts.Bytes));
                else if (parts.Number == initializerField && GraphConstant.Read(parts.Bytes, out var name) is { } constant)
                    graph._constants[name] = constant;
            }
        }
        foreach (var node in nodes) graph.Follow(node);
        return graph._scores.GetValueOrDefault(tensor) ?? throw new InvalidDataException(graph._why.GetValueOrDefault(tensor)
            ?? "its scores are made neither of trees nor of a linear layer");
    }

    private static FeatureColumn Column(GraphInput input, int index, ModelManifest manifest) => input.Type switch
    {
        TensorElementType.Float => new(index, v => (float)v),
        TensorElementType.Double => new(index, v => v),
        TensorElementType.Bool => new(index, v => v != 0 ? 1 : 0),
        TensorElementType.String => new(index, v => v, manifest.Categories[manifest.Inputs[index]]),
        _ => new(index, Math.Truncate),
    };

    /// <summary>Takes a node's outputs in, or why they are not known.</summary>
    private void Follow(GraphNode node)
    {
        if (node.Operator == "Constant" && node.Constant is { } constant)
        {
            _constants[node.Outputs[0]] = constant;
            return;
        }
        // Of classifiers the second output is read: the first is the label.
        var output = node.Outputs[^1];
        try
        {
            if (Features(node) is { } features) _features[output] = features;
            else if (Scores(node) is { } scores) _scores[output] = scores;
            else _why[output] = node.Inputs.Select(_why.GetValueOrDefault).FirstOrDefault(w => w is not null)
                ?? (node.Inputs.Any(_scores.ContainsKey) ? $"{node.Operator} is done to its scores"
                    : $"{node.Operator} is done to its inputs");
        }
        catch (Exception e) when (e is InvalidDataException or KeyNotFoundException or IndexOutOfRangeException or ArgumentException)
        {
            _why[output] = e is InvalidDataException ? e.Message : $"{node.Operator} can't be read";
        }
    }

    /// <summary>The columns where each depends on one input; null where they don't.</summary>
    private FeatureColumn[]? Features(GraphNode node)
    {
        if (node.Inputs.Count == 0) return null;
        if (node.Operator == "Concat")
            return node.Inputs.All(_features.ContainsKey) ? [.. node.Inputs.SelectMany(i => _features[i])] : null;
        var constant = node.Inputs.Count > 1 ? _constants.GetValueOrDefault(node.Inputs[1]) : null;
        if (_features.GetValueOrDefault(node.Inputs[0]) is not { } columns)
            return node.Inputs.Count == 2 && _features.GetValueOrDefault(node.Inputs[1]) is { } second
                && _constants.GetValueOrDefault(node.Inputs[0]) is { } first
                ? ColumnOperators.WithConstant(node.Operator, second, first, isFirst: true) : null;
        if (ColumnOperators.IsPassed(node.Operator)) return columns;
        if (constant is not null && ColumnOperators.Picked(node, columns, constant) is { } picked) return picked;
        if (constant is not null && ColumnOperators.WithConstant(node.Operator, columns, constant, isFirst: false) is { } changed)
            return changed;
        return ColumnOperators.Changed(node, columns);
    }

    /// <summary>The columns where they are scores; null where they are not.</summary>
    private ScoreColumn[]? Scores(GraphNode node)
    {
        if (node.Inputs.Count == 0) return null;
        if (node.Operator == "Concat")
            return node.Inputs.All(_scores.ContainsKey) ? [.. node.Inputs.SelectMany(i => _scores[i])] : null;
        if (_features.GetValueOrDefault(node.Inputs[0]) is { } columns) return ScoreOperators.Source(node, columns, _constants);
        var (first, second) = (node.Inputs[0], node.Inputs.Count > 1 ? node.Inputs[1] : "");
        if (_scores.GetValueOrDefault(first) is { } scores)
            return ColumnOperators.IsPassed(node.Operator) || node.Operator == "ZipMap" ? scores
                : _constants.GetValueOrDefault(second) is { } constant
                    ? ColumnOperators.Picked(node, scores, constant) ?? ScoreOperators.WithConstant(node.Operator, scores, constant, false)
                    : ScoreOperators.Linked(node, scores);
        return _scores.GetValueOrDefault(second) is { } other && _constants.GetValueOrDefault(first) is { } from
            ? ScoreOperators.WithConstant(node.Operator, other, from, true) : null;
    }
}
