namespace StreamEngine.Inference.Onnx;

/// <summary>
/// Scores that are sums: of each column its value times a coefficient. What a column contributes is exact whatever the others are: the
/// coefficient times the difference between the row's value and the one it is compared with.
/// </summary>
/// <param name="columns">The columns.</param>
/// <param name="coefficients">By score, the coefficient of each column.</param>
/// <param name="intercepts">By score, what is added.</param>
internal sealed class LinearLayer(FeatureColumn[] columns, double[][] coefficients, double[] intercepts) : IScoreSource
{
    /// <inheritdoc/>
    public ReasonMethod Method => ReasonMethod.Linear;

    /// <inheritdoc/>
    public double[] Scores(double[] inputs) => [.. coefficients.Select((row, raw) =>
        intercepts[raw] + row.Select((coefficient, i) => coefficient * Value(columns[i], inputs)).Sum())];

    /// <inheritdoc/>
    public double Explain(int raw, double[] inputs, double[] background, double[] contributions)
    {
        for (var i = 0; i < columns.Length; i++)
            contributions[columns[i].Input] += coefficients[raw][i] * (Value(columns[i], inputs) - Value(columns[i], background));
        return Scores(background)[raw];
    }

    private static double Value(FeatureColumn column, double[] inputs) => column.Map(inputs[column.Input]);
}
