namespace StreamEngine.Inference.Onnx;

/// <summary>The operators that make scores, and what is done to scores. A result of null is an operator that is not followed.</summary>
internal static class ScoreOperators
{
    /// <summary>The scores of a tree ensemble or a linear layer.</summary>
    /// <exception cref="InvalidDataException">It does something that contributions can't be told of.</exception>
    public static ScoreColumn[]? Source(GraphNode node, FeatureColumn[] columns, IReadOnlyDictionary<string, GraphConstant> constants) =>
        node.Operator switch
        {
            "TreeEnsembleRegressor" or "TreeEnsembleClassifier" or "TreeEnsemble" => TreeReader.Read(node, columns),
            "LinearRegressor" => TreeReader.Linked(Layer(columns, node.Numbers("coefficients"), node.Numbers("intercepts"),
                (int)node.Number("targets", 1)), node.Text("post_transform", "NONE")),
            "LinearClassifier" => Classes(node, columns),
            "MatMul" when constants.TryGetValue(node.Inputs[1], out var weights) => Product(columns, weights, isTransposed: false),
            "Gemm" when constants.TryGetValue(node.Inputs[1], out var weights) && node.Number("transA") == 0 =>
                Shifted(Scaled(Product(columns, weights, node.Number("transB") != 0), node.Number("alpha", 1)),
                    node.Inputs.Count > 2 && node.Inputs[2].Length > 0 ? constants.GetValueOrDefault(node.Inputs[2]) : null,
                    node.Number("beta", 1)),
            _ => null,
        };

    /// <summary>Arithmetic of scores with a constant, one number or one for each column.</summary>
    public static ScoreColumn[]? WithConstant(string name, ScoreColumn[] columns, GraphConstant constant, bool isFirst)
    {
        if (constant.Numbers.Length != 1 && constant.Numbers.Length != columns.Length) return null;
        var result = columns.Select((c, i) => With(name, c, constant.Numbers[constant.Numbers.Length == 1 ? 0 : i], isFirst))
            .OfType<ScoreColumn>().ToArray();
        return result.Length < columns.Length ? null : result;
    }

    /// <summary>What makes probabilities of scores.</summary>
    public static ScoreColumn[]? Linked(GraphNode node, ScoreColumn[] columns)
    {
        var isRaw = columns.All(c => c.Link == ScoreLink.None && c.Normalized is null);
        return node.Operator switch
        {
            "Cast" when node.Number("to") is 1 or 11 => columns,
            "Sigmoid" when isRaw => TreeReader.Linked(columns, "LOGISTIC"),
            "Softmax" when isRaw && HaveOneSource(columns) => TreeReader.Linked(columns, "SOFTMAX"),
            "Normalizer" when node.Text("norm", "MAX") == "L1" && columns.All(c => c.Normalized is null) && HaveOneSource(columns) =>
                [.. columns.Select(c => c with { Normalized = columns })],
            _ => null,
        };
    }

    private static bool HaveOneSource(ScoreColumn[] columns) => columns.All(c => ReferenceEquals(c.Source, columns[0].Source));

    private static ScoreColumn? With(string name, ScoreColumn c, double number, bool isFirst)
    {
        if (c.Normalized is not null) return null;
        // One less a logistic function is that of the score with the other sign.
        if (c.Link == ScoreLink.Logistic)
            return name == "Sub" && isFirst && number == 1 ? c with { Factor = -c.Factor, Offset = -c.Offset } : null;
        if (c.Link != ScoreLink.None) return null;
        return name switch
        {
            "Add" => c with { Offset = c.Offset + number },
            "Sub" when isFirst => c with { Factor = -c.Factor, Offset = number - c.Offset },
            "Sub" => c with { Offset = c.Offset - number },
            "Mul" => c with { Factor = c.Factor * number, Offset = c.Offset * number },
            "Div" when !isFirst => c with { Factor = c.Factor / number, Offset = c.Offset / number },
            _ => null,
        };
    }

    private static ScoreColumn[] Classes(GraphNode node, FeatureColumn[] columns)
    {
        var labels = Math.Max(node.Texts("classlabels_strings").Length, node.Numbers("classlabels_ints").Length);
        var (coefficients, intercepts) = (node.Numbers("coefficients"), node.Numbers("intercepts"));
        if (coefficients.Length != labels * columns.Length)
            throw new InvalidDataException($"it has {labels} classes and {coefficients.Length} coefficients of {columns.Length} columns");
        return TreeReader.Linked(Layer(columns, coefficients, intercepts, labels), node.Text("post_transform", "NONE"));
    }

    private static ScoreColumn[] Product(FeatureColumn[] columns, GraphConstant weights, bool isTransposed)
    {
        if (weights.Shape is not [var rows, var width] || (isTransposed ? width : rows) != columns.Length)
            throw new InvalidDataException("its matrix does not fit its inputs");
        var scores = (int)(isTransposed ? rows : width);
        return Layer(columns, isTransposed ? weights.Numbers
            : [.. Enumerable.Range(0, scores).SelectMany(s => columns.Select((_, i) => weights.Numbers[i * scores + s]))], [], scores);
    }

    private static ScoreColumn[] Scaled(ScoreColumn[] columns, double alpha) => [.. columns.Select(c => c with { Factor = alpha })];

    private static ScoreColumn[]? Shifted(ScoreColumn[] columns, GraphConstant? constant, double beta) => constant is null ? columns
        : WithConstant("Add", columns, constant with { Numbers = [.. constant.Numbers.Select(n => n * beta)] }, false);

    private static ScoreColumn[] Layer(FeatureColumn[] columns, double[] coefficients, double[] intercepts, int scores)
    {
        var source = new LinearLayer(columns, [.. coefficients.Chunk(columns.Length)],
            intercepts.Length == scores ? intercepts : new double[scores]);
        return [.. Enumerable.Range(0, scores).Select(raw => new ScoreColumn { Source = source, Raw = raw })];
    }
}
