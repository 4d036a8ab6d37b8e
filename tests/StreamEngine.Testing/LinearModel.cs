using StreamEngine.Inference;

namespace StreamEngine.Testing;

/// <summary>
/// A model for tests: output j of a row is bias j plus the sum of weight j,i times input i, as it is (no sigmoid). A row whose first input
/// is <see cref="Poison"/> makes the whole run throw, as a native failure would.
/// </summary>
public sealed class LinearModel : IModel
{
    private readonly float[][] _weights;
    private readonly float[] _biases;

    /// <summary>Makes a model.</summary>
    /// <param name="name">The model's name; its version is 1.</param>
    /// <param name="inputs">The features it reads.</param>
    /// <param name="outputs">The output columns, each with its weights and its bias behind them.</param>
    public LinearModel(string name, string[] inputs, params (string Name, float[] WeightsAndBias)[] outputs)
    {
        Manifest = new ModelManifest
        {
            Name = name,
            Version = "1",
            Inputs = inputs,
            Outputs = [.. outputs.Select(o => o.Name)],
            Sha256 = ""
        };
        _weights = [.. outputs.Select(o => o.WeightsAndBias[..^1])];
        _biases = [.. outputs.Select(o => o.WeightsAndBias[^1])];
    }

    /// <summary>The input that makes a run throw.</summary>
    public const float Poison = -666;

    /// <inheritdoc/>
    public ModelManifest Manifest { get; init; }

    /// <inheritdoc/>
    public string Provider => "test";

    /// <summary>The batch sizes that were run, over all runners.</summary>
    public List<int> Runs { get; } = new(1 << 16);

    /// <summary>Whether it was disposed.</summary>
    public bool Disposed { get; private set; }

    /// <inheritdoc/>
    public IModelRunner CreateRunner(int maxRows) => new Runner(this, maxRows);

    /// <inheritdoc/>
    public void Dispose() => Disposed = true;

    private sealed class Runner(LinearModel model, int maxRows) : IModelRunner
    {
        private readonly float[] _inputs = new float[maxRows * model._weights[0].Length];
        private readonly float[] _outputs = new float[maxRows * model._weights.Length];

        public int MaxRows => maxRows;

        public int InputWidth => model._weights[0].Length;

        public int OutputWidth => model._weights.Length;

        public void Fill(ReadOnlySpan<double> vectors, int stride, ReadOnlySpan<int> features, int rows)
        {
            var at = 0;
            for (var row = 0; row < rows; row++)
                foreach (var feature in features) _inputs[at++] = (float)vectors[row * stride + feature];
        }

        public ReadOnlySpan<float> Run(int rows)
        {
            model.Runs.Add(rows);
            for (var row = 0; row < rows; row++)
            {
                var input = _inputs.AsSpan(row * InputWidth, InputWidth);
                if (input[0] == Poison) throw new ModelException("poisoned row");
                for (var output = 0; output < OutputWidth; output++)
                {
                    var sum = model._biases[output];
                    for (var i = 0; i < input.Length; i++) sum += model._weights[output][i] * input[i];
                    _outputs[row * OutputWidth + output] = sum;
                }
            }
            return _outputs.AsSpan(0, rows * OutputWidth);
        }

        public void Dispose()
        {
        }
    }
}
