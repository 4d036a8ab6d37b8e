namespace StreamEngine.Inference;

/// <summary>
/// One worker's scoring step: runs every used model over the feature vectors of a batch and keeps the outputs until the next batch.
/// A row's outputs depend on that row alone. Not thread-safe; allocates nothing once it has seen its largest batch.
/// </summary>
public sealed class Scorer : IDisposable
{
    /// <summary>The largest batch of a tree model, in rows: beyond it ONNX Runtime's tree kernel gains nothing.</summary>
    public const int TreeRows = 32;

    /// <summary>The largest batch of a dense model, in rows.</summary>
    public const int DenseRows = 128;

    private readonly Lane[] _lanes;
    private readonly ScoreMetrics? _metrics;

    /// <summary>Prepares a runner for every model.</summary>
    /// <param name="models">The models, in the order that <see cref="Outputs"/> counts them.</param>
    /// <param name="metrics">Counts and times the calls; null where nobody asks.</param>
    /// <exception cref="ModelException">A model's columns are not those of its manifest.</exception>
    public Scorer(IReadOnlyList<ModelUse> models, ScoreMetrics? metrics = null)
    {
        _metrics = metrics;
        _lanes = new Lane[models.Count];
        for (var i = 0; i < _lanes.Length; i++) _lanes[i] = new Lane(models[i]);
    }

    /// <summary>How many models there are.</summary>
    public int Models => _lanes.Length;

    /// <summary>How many rows failed since the start, over all models.</summary>
    public long FailedRows { get; private set; }

    /// <summary>Scores a batch; the results replace those of the batch before.</summary>
    /// <param name="vectors">The feature vectors, row-major.</param>
    /// <param name="stride">Features of one vector.</param>
    /// <param name="count">How many vectors.</param>
    /// <param name="isOff">By model, whether it is left out, so that it has no results; none where absent.</param>
    /// <param name="isNeeded">
    /// By model and row, whether the row's score is needed; all where absent. A row that is not needed of a model has no results there.
    /// </param>
    public void Score(double[] vectors, int stride, int count, ReadOnlySpan<bool> isOff = default, ReadOnlySpan<bool> isNeeded = default)
    {
        for (var model = 0; model < _lanes.Length; model++)
        {
            var needed = isNeeded.IsEmpty ? isNeeded : isNeeded.Slice(model * count, count);
            if (!isOff.IsEmpty && isOff[model] || !needed.IsEmpty && !needed.Contains(true))
            {
                _lanes[model].Skip();
                continue;
            }
            var start = _metrics?.Start() ?? 0;
            var counts = _lanes[model].Score(vectors, stride, count, needed);
            FailedRows += counts.Failed;
            _metrics?.Scored(model, start, counts);
        }
    }

    /// <summary>The outputs of a model for a row of the batch; of no use where there is a <see cref="Fault"/>.</summary>
    public ReadOnlySpan<float> Outputs(int model, int row) => _lanes[model].Outputs(row);

    /// <summary>
    /// Whether the model failed on the row, and how: it threw, or an output is no finite number. Where it has no results it failed.
    /// </summary>
    public ScoreFault Fault(int model, int row) => _lanes[model].Fault(row);

    /// <summary>The message of the model's newest failure, for the log and for health; null while it never failed.</summary>
    public string? LastFailure(int model) => _lanes[model].LastFailure;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var lane in _lanes) lane.Dispose();
    }

    /// <summary>One model's runner with its results.</summary>
    private sealed class Lane : IDisposable
    {
        private readonly int[] _inputs;
        private readonly IModelRunner _runner;
        private readonly int _width;
        private readonly string _name;
        private double[] _gathered = [];
        private int[] _places = [];   // by row, where its results stand
        private bool _isGathered;
        private int _count;   // rows of the batch; 0 where it was left out
        private float[] _outputs = [];
        private ScoreFault[] _faults = [];
        private long _calls;

        public Lane(ModelUse use)
        {
            var manifest = use.Model.Manifest;
            _name = $"{use.Name} {manifest.Version}";
            _inputs = [.. use.Inputs];
            _runner = use.Model.CreateRunner(manifest.Kind == "trees" ? TreeRows : DenseRows);
            _width = _runner.OutputWidth;
            if (_runner.InputWidth == _inputs.Length && _width == manifest.Outputs.Count) return;
            var found = $"{_runner.InputWidth} input and {_width} output columns";
            _runner.Dispose();
            throw new ModelException($"model {_name} has {found}, but its model.json names {_inputs.Length} inputs and "
                + $"{manifest.Outputs.Count} outputs: write the model.json anew from the training script");
        }

        public string? LastFailure { get; private set; }

        public ReadOnlySpan<float> Outputs(int row) => At(Place(row));

        public ScoreFault Fault(int row) => Place(row) is var place and >= 0 ? _faults[place] : ScoreFault.Failed;

        public void Dispose() => _runner.Dispose();

        /// <summary>Has no results of this batch.</summary>
        public void Skip() => _count = 0;

        /// <summary>Scores the rows that are needed, all where that is empty; returns what that took.</summary>
        public ScoreCounts Score(double[] vectors, int stride, int count, ReadOnlySpan<bool> isNeeded)
        {
            _count = count;
            _isGathered = !isNeeded.IsEmpty && isNeeded.Contains(false);
            if (!_isGathered) return Score(vectors, stride, count);
            if (_places.Length < count) _places = new int[Math.Max(count, _places.Length * 2)];
            if (_gathered.Length < count * stride) _gathered = new double[Math.Max(count * stride, _gathered.Length * 2)];
            var rows = 0;
            for (var row = 0; row < count; row++)
            {
                _places[row] = isNeeded[row] ? rows : -1;
                if (isNeeded[row]) vectors.AsSpan(row * stride, stride).CopyTo(_gathered.AsSpan(rows++ * stride));
            }
            return Score(_gathered, stride, rows);
        }

        private int Place(int row) => row >= _count ? -1 : _isGathered ? _places[row] : row;

        private ReadOnlySpan<float> At(int place) => _outputs.AsSpan(place * _width, _width);

        /// <summary>Scores in chunks of at most the runner's rows; returns what that took.</summary>
        private ScoreCounts Score(double[] vectors, int stride, int count)
        {
            _calls = 0;
            if (_faults.Length < count)
            {
                _faults = new ScoreFault[Math.Max(count, _faults.Length * 2)];
                _outputs = new float[_faults.Length * _width];
            }
            for (var first = 0; first < count; first += _runner.MaxRows)
            {
                var rows = Math.Min(_runner.MaxRows, count - first);
                if (Run(vectors, stride, first, rows)) continue;
                _faults[first] = ScoreFault.Failed;
                if (rows == 1) continue;
                // One bad row must not decide the fate of its neighbours, or a decision would depend on where a batch ends.
                for (var row = first; row < first + rows; row++)
                    if (!Run(vectors, stride, row, 1)) _faults[row] = ScoreFault.Failed;
            }
            var failed = 0;
            for (var row = 0; row < count; row++) failed += _faults[row] == ScoreFault.None ? 0 : 1;
            return new ScoreCounts(_calls, count, failed);
        }

        private bool Run(double[] vectors, int stride, int first, int rows)
        {
            _calls++;
            try
            {
                _runner.Fill(vectors.AsSpan(first * stride, rows * stride), stride, _inputs, rows);
                _runner.Run(rows).CopyTo(_outputs.AsSpan(first * _width, rows * _width));
            }
            catch (ModelException e)
            {
                LastFailure = e.Message;
                return false;
            }
            for (var row = first; row < first + rows; row++) _faults[row] = Finite(row) ? ScoreFault.None : ScoreFault.NotANumber;
            return true;
        }

        private bool Finite(int row)
        {
            foreach (var output in At(row))
                if (!float.IsFinite(output))
                {
                    LastFailure ??= $"model {_name} gave an output that is no finite number";
                    return false;
                }
            return true;
        }
    }
}
