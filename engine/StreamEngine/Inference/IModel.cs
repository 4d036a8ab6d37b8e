namespace StreamEngine.Inference;

/// <summary>A loaded model: shared by all workers, safe to use from several threads through its runners.</summary>
public interface IModel : IDisposable
{
    /// <summary>What the model's folder says of it.</summary>
    ModelManifest Manifest { get; }

    /// <summary>The execution provider that really runs the model, e.g. <c>cpu</c>.</summary>
    string Provider { get; }

    /// <summary>Makes a runner with bound inputs and outputs for every batch size from 1 to <paramref name="maxRows"/>.</summary>
    /// <param name="maxRows">The largest batch wanted, in rows; 32 suits trees, 128 suits dense models. The runner's own is smaller where
    /// a row's score would depend on its batch.</param>
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
    /// Writes rows of features to the model's inputs, each column as the type that the model reads; then <see cref="Run"/>.
    /// </summary>
    /// <param name="vectors">The feature vectors, row-major, from the first row on.</param>
    /// <param name="stride">Features of one vector.</param>
    /// <param name="features">For each input of the manifest, in its order, the feature's index in a vector.</param>
    /// <param name="rows">How many rows, 1 to <see cref="MaxRows"/>.</param>
    void Fill(ReadOnlySpan<double> vectors, int stride, ReadOnlySpan<int> features, int rows);

    /// <summary>
    /// Scores the first <paramref name="rows"/> rows that were filled; the result is row-major, <c>rows * OutputWidth</c> long, valid until
    /// the next call. A row without a score (a missing value in a whole-number input) is NaN.
    /// </summary>
    /// <exception cref="ModelException">The model failed.</exception>
    ReadOnlySpan<float> Run(int rows);
}

/// <summary>Loads models of one format.</summary>
public interface IModelLoader
{
    /// <summary>Loads one version, and runs it once.</summary>
    /// <param name="directory">The version's folder: <c>model.onnx</c> and <c>model.json</c>.</param>
    /// <param name="options">What is to run it (<see cref="IModel.Provider"/> reports the one that really does), and how long and with
    /// how much memory it may take to load; the defaults where null.</param>
    /// <exception cref="ModelException">The folder, a file, the native library is missing or damaged; the message names it and the
    /// remedy.</exception>
    IModel Load(string directory, ModelOptions? options = null);
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

    /// <summary>
    /// The features in the order of the graph's inputs and their columns; where the graph's inputs have one column each and are named like
    /// the features, each goes to its name.
    /// </summary>
    public required IReadOnlyList<string> Inputs { get; init; }

    /// <summary>The names of the output columns, e.g. one per offer, or <c>probability</c>.</summary>
    public required IReadOnlyList<string> Outputs { get; init; }

    /// <summary>The graph's output that is read; null where only one can be.</summary>
    public string? Output { get; init; }

    /// <summary>
    /// For each of <see cref="Outputs"/> its column in the graph's output, from 0. Where null: the classes of those names, else all columns
    /// in order, else, of two columns, the second: the positive class.
    /// </summary>
    public IReadOnlyList<int>? Columns { get; init; }

    /// <summary>For inputs of texts, by feature: the text that each value of the feature, 0, 1, 2, ..., stands for.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Categories { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>A row of features that the model scores, for the run that checks it when it is loaded; all 0 where null.</summary>
    public IReadOnlyList<double>? Example { get; init; }

    /// <summary>What else than the graph decides a score: the members above that choose, as one text; empty where none does.</summary>
    public string Choices => Output is null && Columns is null && Categories.Count == 0 ? ""
        : System.Text.Json.JsonSerializer.Serialize(new { Output, Columns, Categories });

    /// <summary>SHA-256 of <c>model.onnx</c>, lower-case hex; checked at load.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Hold-out metrics by name (auc, log_loss, brier, ...), for people.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new Dictionary<string, double>();

    /// <summary>First and last event time of the training data, ISO 8601, or null.</summary>
    public IReadOnlyList<string>? TrainingWindow { get; init; }
}
