namespace StreamEngine.Inference.Onnx;

/// <summary>Makes raw scores of a row: a tree ensemble, or one linear layer.</summary>
internal interface IScoreSource
{
    /// <summary>The raw scores of a row.</summary>
    /// <param name="inputs">The model's inputs, in the order of the manifest.</param>
    double[] Scores(double[] inputs);

    /// <summary>How contributions to its scores are computed.</summary>
    ReasonMethod Method { get; }

    /// <summary>
    /// What each input adds to a raw score. Together with the base, which is returned, the contributions are the score.
    /// </summary>
    /// <param name="raw">Which of the raw scores.</param>
    /// <param name="inputs">The row.</param>
    /// <param name="background">The row that it is compared with, where the method compares with one.</param>
    /// <param name="contributions">Receives the contribution of each input.</param>
    double Explain(int raw, double[] inputs, double[] background, double[] contributions);
}

/// <summary>A column of a tensor inside a graph that depends on one input of the model alone.</summary>
/// <param name="Input">The input.</param>
/// <param name="Map">What the column is for a value of the input.</param>
/// <param name="Texts">Where the column is a text: the texts that the values 0, 1, 2, ... stand for.</param>
internal sealed record FeatureColumn(int Input, Func<double, double> Map, IReadOnlyList<string>? Texts = null)
{
    /// <summary>The column with something done to its value.</summary>
    public FeatureColumn Then(Func<double, double> next) => new(Input, value => next(Map(value)));
}

/// <summary>What is done to a raw score to make a probability of it.</summary>
internal enum ScoreLink
{
    /// <summary>Nothing: the raw score is the score.</summary>
    None,

    /// <summary>The logistic function.</summary>
    Logistic,

    /// <summary>The softmax over all classes.</summary>
    Softmax,
}

/// <summary>A column of a tensor that is made of a raw score.</summary>
internal sealed record ScoreColumn
{
    /// <summary>What makes the raw score.</summary>
    public required IScoreSource Source { get; init; }

    /// <summary>Which of its raw scores.</summary>
    public required int Raw { get; init; }

    /// <summary>The score before the link is <see cref="Offset"/> plus this times the raw score.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>What is added to it.</summary>
    public double Offset { get; init; }

    /// <summary>What is done to it then.</summary>
    public ScoreLink Link { get; init; }

    /// <summary>The columns over which the softmax is.</summary>
    public ScoreColumn[]? Softmax { get; init; }

    /// <summary>The columns by whose sum it is divided; null where it is not divided.</summary>
    public ScoreColumn[]? Normalized { get; init; }

    /// <summary>The score before the link.</summary>
    public double Before(double[] raws) => Offset + Factor * raws[Raw];

    /// <summary>The column's value.</summary>
    public double Value(double[] raws) =>
        Normalized is null ? Linked(raws) : Linked(raws) / Normalized.Sum(c => Math.Abs(c.Linked(raws)));

    private double Linked(double[] raws) => Link switch
    {
        ScoreLink.Logistic => 1 / (1 + Math.Exp(-Before(raws))),
        ScoreLink.Softmax => 1 / Softmax!.Sum(c => Math.Exp(c.Before(raws) - Before(raws))),
        _ => Before(raws),
    };
}
