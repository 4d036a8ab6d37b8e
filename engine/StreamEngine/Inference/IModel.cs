namespace StreamEngine.Inference;

/// <summary>A loaded model: shared by all workers, safe to use from several threads through its runners.</summary>
public interface IModel : IDisposable
{
    /// <summary>What the model's folder says of it.</summary>
    ModelManifest Manifest { get; }

    /// <summary>The execution provider that really runs the model, e.g. <c>cpu</c>.</summary>
    string Provider { get; }

    /// <summary>Makes a runner with bound inputs and outputs for every batch size from 1 to <paramref name="maxRows"/>.</summary>
    /// <param name="maxRows">The largest batch, in rows; 32 suits trees, 128 suits dense models.</param>
    IModelRunner CreateRunner(int maxRows);
}

/// <summary>One worker's prepared way to score: not thread-safe, allocates nothing per call.</summary>
public interface IModelRunner : IDisposable
{
    /// <summary>The largest batch, in rows.</summary>
    int MaxRows { get; }

    /// <summary>Columns of one input row.</summary>
    int InputWidth { get; }

    /// <summary>Columns of one output row.</summary>
    int OutputWidth { get; }

    /// <summary>
    /// The bound input buffer, row-major, <c>rows * InputWidth</c> long: write the features here, then <see cref="Run"/>.
    /// </summary>
    Span<float> Inputs(int rows);

    /// <summary>
    /// Scores the first <paramref name="rows"/> rows of <see cref="Inputs"/>; the result is row-major, <c>rows * OutputWidth</c> long,
    /// valid until the next call.
    /// </summary>
    /// <exception cref="ModelException">The model failed.</exception>
    ReadOnlySpan<float> Run(int rows);
}

/// <summary>Loads models of one format.</summary>
public interface IModelLoader
{
    /// <summary>Loads the newest or the named version below <c>models/&lt;name&gt;/</c>.</summary>
    /// <param name="directory">The version's folder: <c>model.onnx</c> and <c>model.json</c>.</param>
    /// <param name="provider">What is to run it; <see cref="IModel.Provider"/> reports the one that really does.</param>
    /// <param name="device">The GPU's number, from 0; used by CUDA only.</param>
    /// <exception cref="ModelException">The folder, a file, the native library is missing or damaged; the message names it and the
    /// remedy.</exception>
    IModel Load(string directory, ModelProvider provider = ModelProvider.Auto, int device = 0);
}

/// <summary>A model that can't be loaded or run. The message names the file and the remedy.</summary>
public class ModelException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What to do where the model itself is whole; null where it has to be trained anew.</summary>
    public string? Remedy { get; init; }
}

/// <summary>No model can be loaded on this machine: the runtime that scores them is missing. The message names it and the remedy.</summary>
public sealed class ModelRuntimeException(string message, Exception? inner = null) : ModelException(message, inner);

/// <summary>The contents of <c>model.json</c>.</summary>
public sealed record ModelManifest
{
    /// <summary>The model's name, the folder above the version's.</summary>
    public required string Name { get; init; }

    /// <summary>The version, the folder's name; immutable once published.</summary>
    public required string Version { get; init; }

    /// <summary><c>trees</c> or <c>dense</c>: decides the largest batch.</summary>
    public string Kind { get; init; } = "dense";

    /// <summary>The features in the order of the model's input columns.</summary>
    public required IReadOnlyList<string> Inputs { get; init; }

    /// <summary>The names of the output columns, e.g. one per offer, or <c>probability</c>.</summary>
    public required IReadOnlyList<string> Outputs { get; init; }

    /// <summary>SHA-256 of <c>model.onnx</c>, lower-case hex; checked at load.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Hold-out metrics by name (auc, log_loss, brier, ...), for people.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new Dictionary<string, double>();

    /// <summary>First and last event time of the training data, ISO 8601, or null.</summary>
    public IReadOnlyList<string>? TrainingWindow { get; init; }
}
