namespace StreamEngine.Inference.Onnx;

/// <summary>What operators do to columns that depend on one input each. A result of null is an operator that is not followed.</summary>
internal static class ColumnOperators
{
    /// <summary>Whether an operator leaves the columns as they are.</summary>
    public static bool IsPassed(string name) => name is "Identity" or "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze" or "Dropout";

    /// <summary>Columns that are picked by their numbers.</summary>
    public static T[]? Picked<T>(GraphNode node, T[] columns, GraphConstant which) =>
        node.Operator == "ArrayFeatureExtractor" || (node.Operator == "Gather" && node.Number("axis") is 1 or -1)
            ? [.. which.Numbers.Select(i => columns[(int)i < 0 ? columns.Length + (int)i : (int)i])] : null;

    /// <summary>Arithmetic with a constant, one number or one for each column.</summary>
    /// <param name="name">The operator.</param>
    /// <param name="columns">The columns.</param>
    /// <param name="constant">The constant.</param>
    /// <param name="isFirst">Whether the constant stands first.</param>
    public static FeatureColumn[]? WithConstant(string name, FeatureColumn[] columns, GraphConstant constant, bool isFirst)
    {
        Func<double, double, double>? act = name switch
        {
            "Add" => (a, b) => a + b,
            "Sub" => (a, b) => a - b,
            "Mul" => (a, b) => a * b,
            "Div" => (a, b) => a / b,
            _ => null,
        };
        if (act is null || (constant.Numbers.Length != 1 && constant.Numbers.Length != columns.Length)) return null;
        return [.. columns.Select((column, i) =>
        {
            var number = constant.Numbers[constant.Numbers.Length == 1 ? 0 : i];
            return column.Then(v => isFirst ? act(number, v) : act(v, number));
        })];
    }

    /// <summary>What is done to each column by itself.</summary>
    public static FeatureColumn[]? Changed(GraphNode node, FeatureColumn[] columns) => node.Operator switch
    {
        "Cast" => (int)node.Number("to") switch
        {
            1 => Each(columns, v => (float)v),
            11 => columns,
            6 or 7 => Each(columns, Math.Truncate),
            _ => null,
        },
        "Relu" => Each(columns, v => v <= 0 ? 0 : v),
        "Log" => Each(columns, Math.Log),
        "Exp" => Each(columns, Math.Exp),
        "Sqrt" => Each(columns, Math.Sqrt),
        "Abs" => Each(columns, Math.Abs),
        "Neg" => Each(columns, v => -v),
        "Scaler" => Scaled(node, columns),
        "Imputer" => Imputed(node, columns),
        "OneHotEncoder" => columns is [var one] ? Encoded(node, one) : null,
        _ => null,
    };

    private static FeatureColumn[] Each(FeatureColumn[] columns, Func<double, double> change) => [.. columns.Select(c => c.Then(change))];

    /// <summary>In floats, as ONNX Runtime computes it: a split may look at the result.</summary>
    private static FeatureColumn[] Scaled(GraphNode node, FeatureColumn[] columns)
    {
        var (offsets, scales) = (node.Numbers("offset"), node.Numbers("scale"));
        return [.. columns.Select((column, i) =>
        {
            var (offset, scale) = ((float)Of(offsets, i), (float)Of(scales, i));
            return column.Then(v => ((float)v - offset) * scale);
        })];
    }

    private static FeatureColumn[]? Imputed(GraphNode node, FeatureColumn[] columns)
    {
        var (values, missing) = (node.Numbers("imputed_value_floats"), node.Number("replaced_value_float"));
        if (values.Length != 1 && values.Length != columns.Length) return null;
        return [.. columns.Select((column, i) =>
            column.Then(v => v == missing || (double.IsNaN(v) && double.IsNaN(missing)) ? Of(values, i) : v))];
    }

    private static FeatureColumn[]? Encoded(GraphNode node, FeatureColumn column)
    {
        if (column.Texts is { } texts)
            return [.. node.Texts("cats_strings").Select(category =>
                column with { Texts = null, Map = v => v >= 0 && v < texts.Count && texts[(int)v] == category && (int)v == v ? 1 : 0 })];
        return node.Has("cats_int64s")
            ? [.. node.Numbers("cats_int64s").Select(category => column.Then(v => Math.Truncate(v) == category ? 1 : 0))] : null;
    }

    private static double Of(double[] numbers, int index) => numbers.Length == 1 ? numbers[0] : numbers[index];
}
