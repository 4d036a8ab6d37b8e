using System.Diagnostics.Metrics;
using StreamEngine.Telemetry;

namespace StreamEngine.Inference;

/// <summary>What one model was asked for since the start.</summary>
/// <param name="Calls">Runs of the model; a batch may take several.</param>
/// <param name="Rows">Rows that were scored, failed ones too.</param>
/// <param name="Failed">Rows without a usable score.</param>
public readonly record struct ScoreCounts(long Calls, long Rows, long Failed);

/// <summary>
/// Counts and times the calls of models, for all workers of a process. A batch costs a model one observation, however many rows it has, and
/// no memory. Any thread may call it.
/// </summary>
public sealed class ScoreMetrics
{
    private readonly Histogram<double> _duration;
    private readonly TimeProvider _time;
    private readonly Model[] _models;

    /// <summary>Registers the instruments.</summary>
    /// <param name="meter">The engine's meter.</param>
    /// <param name="models">The models' names, in the order in which a scorer has them.</param>
    /// <param name="time">The clock.</param>
    public ScoreMetrics(Meter meter, IReadOnlyList<string> models, TimeProvider time)
    {
        _time = time;
        _models = [.. models.Select(m => new Model(new KeyValuePair<string, object?>("model", m)))];
        _duration = meter.CreateHistogram("streamengine.model.duration", "s", "How long a model took for the rows of a batch, by model.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = EngineMeter.DurationBounds });
        Counter("streamengine.model.calls", "{call}",
            "Runs of a model: a large batch takes several, and one that fails is run row by row.", c => c.Calls);
        Counter("streamengine.model.rows", "{row}", "Rows that a model scored, failed ones too.", c => c.Rows);
        Counter("streamengine.model.rows_failed", "{row}", "Rows for which a model failed or gave no finite number.", c => c.Failed);

        void Counter(string name, string unit, string what, Func<ScoreCounts, long> value) => meter.CreateObservableCounter(name,
            () => _models.Select((m, i) => new Measurement<long>(value(Counts(i)), m.Label)), unit, what);
    }

    /// <summary>What a model was asked for since the start, by its place.</summary>
    public ScoreCounts Counts(int model)
    {
        var counted = _models[model];
        return new ScoreCounts(Interlocked.Read(ref counted.Calls), Interlocked.Read(ref counted.Rows),
            Interlocked.Read(ref counted.Failed));
    }

    /// <summary>A moment for <see cref="Scored"/>.</summary>
    internal long Start() => _time.GetTimestamp();

    /// <summary>A model has scored a batch.</summary>
    /// <param name="model">Its place.</param>
    /// <param name="start">When it began.</param>
    /// <param name="counts">What it took.</param>
    internal void Scored(int model, long start, ScoreCounts counts)
    {
        var counted = _models[model];
        Interlocked.Add(ref counted.Calls, counts.Calls);
        Interlocked.Add(ref counted.Rows, counts.Rows);
        Interlocked.Add(ref counted.Failed, counts.Failed);
        _duration.Record(_time.GetElapsedTime(start).TotalSeconds, counted.Label);
    }

    private sealed class Model(KeyValuePair<string, object?> label)
    {
        public long Calls, Rows, Failed;

        public KeyValuePair<string, object?> Label { get; } = label;
    }
}
