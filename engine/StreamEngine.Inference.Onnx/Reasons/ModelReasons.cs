using System.Security.Cryptography;

namespace StreamEngine.Inference.Onnx;

/// <summary>How contributions are computed. The names, in snake case, stand in explanations.</summary>
public enum ReasonMethod
{
    /// <summary>A linear layer: the coefficient times the difference to the row that is compared with.</summary>
    Linear,

    /// <summary>TreeSHAP against the mean over the rows of the training, by how many of them came to each node.</summary>
    PathDependent,

    /// <summary>TreeSHAP against one row.</summary>
    Interventional,
}

/// <summary>Why a score came out as it did.</summary>
/// <param name="Method">How that was computed.</param>
/// <param name="Unit">
/// What the numbers are: <c>log_odds</c> before a logistic function, <c>logit</c> before a softmax, <c>score</c> where nothing is done to
/// the sum.
/// </param>
/// <param name="Base">What the sum begins with: the mean of the training, or the score of the row that is compared with.</param>
/// <param name="Raw">Base and contributions together: the model's score in that unit.</param>
/// <param name="Score">The model's output that follows from it.</param>
/// <param name="Contributions">What each of the model's inputs adds.</param>
public sealed record ScoreReasons(ReasonMethod Method, string Unit, double Base, double Raw, double Score,
    IReadOnlyList<double> Contributions);

/// <summary>
/// Tells what each input has added to a model's score: exact Shapley values of tree ensembles, exact contributions of linear models.
/// Immutable; safe to use from several threads.
/// </summary>
public sealed class ModelReasons
{
    private readonly ScoreColumn[] _columns;

    private ModelReasons(ScoreColumn[] columns, string refusal) => (_columns, Refusal) = (columns, refusal);

    /// <summary>Why nothing can be told of this model; empty where something can.</summary>
    public string Refusal { get; }

    /// <summary>Reads a loaded model's file again.</summary>
    public static ModelReasons Of(IModel model)
    {
        if (model is not OnnxModel onnx) return new([], "it is no ONNX model");
        try
        {
            var bytes = File.ReadAllBytes(onnx.File);
            if (Convert.ToHexStringLower(SHA256.HashData(bytes)) != onnx.Manifest.Sha256)
                return new([], $"{onnx.File} has been replaced since it was loaded");
            var (_, tensor) = Signature.Choose(OnnxGraph.Parse(bytes), onnx.Manifest.Output, onnx.File);
            var columns = ScoreGraph.Read(bytes, onnx.Signature.Inputs, onnx.Manifest, tensor);
            return new([.. onnx.Signature.Output.Columns.Select(c => columns[c])], "");
        }
        catch (InvalidDataException cause)
        {
            return new([], $"its graph is more than one tree ensemble or one linear layer over single inputs: {cause.Message}");
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or ModelException or IndexOutOfRangeException)
        {
            return new([], $"its file can't be read: {cause.Message}");
        }
    }

    /// <summary>Explains one score.</summary>
    /// <param name="output">Which of the model's outputs, in the order of its manifest.</param>
    /// <param name="inputs">The row that was scored, in the order of the manifest's inputs.</param>
    /// <param name="background">The row that it is compared with, where the method compares with one.</param>
    public ScoreReasons Explain(int output, double[] inputs, double[] background)
    {
        var column = _columns[output];
        var contributions = new double[inputs.Length];
        var from = column.Source.Explain(column.Raw, inputs, background, contributions);
        for (var i = 0; i < contributions.Length; i++) contributions[i] *= column.Factor;
        var raws = column.Source.Scores(inputs);
        var unit = column.Link switch { ScoreLink.Logistic => "log_odds", ScoreLink.Softmax => "logit", _ => "score" };
        return new ScoreReasons(column.Source.Method, unit, column.Offset + column.Factor * from, column.Before(raws), column.Value(raws),
            contributions);
    }
}
