using System.Diagnostics.Metrics;
using HdrHistogram;
using StreamEngine.Runtime;

namespace StreamEngine.Dashboard.Data;

/// <summary>
/// The last ten minutes, a sample a second, from the engine's own counters and instruments: nothing is counted twice for it. A second's
/// sample costs some microseconds.
/// </summary>
internal sealed class History : IDisposable
{
    /// <summary>The time between two samples.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    /// <summary>How many samples are kept: ten minutes.</summary>
    public const int Most = 600;

    private readonly Engine _engine;
    private readonly TimeProvider _time;
    private readonly MeterListener _listener = new();
    private readonly ITimer _timer;
    private readonly Lock _gate = new(), _sampling = new();
    private readonly Queue<Sample> _samples = new(Most);
    private readonly Quantiles _intervals = new(), _requests = new();
    private readonly (string Name, Quantiles Took)[] _models;
    private readonly Dictionary<string, double> _gauges = [];
    private Dictionary<int, DateTimeOffset> _watermarks = [];

    /// <summary>Begins to keep it.</summary>
    public History(Engine engine, CompiledEngine compiled, TimeProvider time)
    {
        (_engine, _time) = (engine, time);
        _models = [.. compiled.Policy.Models.Select(m => (m.Name, new Quantiles()))];
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (engine.Metrics.Owns(instrument) && instrument.Name is "streamengine.interval.duration" or "streamengine.request.duration"
                or "streamengine.model.duration" or "streamengine.watermark" or "streamengine.profiles" or "streamengine.state.memory"
                or "streamengine.timers.waiting")
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<double>(Measured);
        _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => _gauges[instrument.Name] = value);
        _listener.Start();
        Take(); // what comes from here on has grown from it
        _timer = time.CreateTimer(_ => Take(), null, Every, Every);
    }

    /// <summary>Told after each sample, on a thread of its own.</summary>
    public event Action? Sampled;

    /// <summary>The samples of the last while, the oldest first.</summary>
    public IReadOnlyList<Sample> Last(TimeSpan window)
    {
        lock (_gate)
        {
            if (_samples.Count == 0) return [];
            var from = _samples.Last().At - window;
            return [.. _samples.Where(s => s.At >= from)];
        }
    }

    /// <summary>Takes a sample now.</summary>
    public void Take()
    {
        // Where a sample takes longer than a second the next one is left out.
        if (!_sampling.TryEnter()) return;
        try
        {
            _watermarks = [];
            _gauges.Clear();
            Observe();
            var sample = new Sample(_time.GetUtcNow(), _engine.Metrics.Totals(), _engine.Lags.Values.Sum(), _watermarks,
                _intervals.Take(), _requests.Take(), Gauge("streamengine.profiles"), Gauge("streamengine.state.memory"),
                Gauge("streamengine.timers.waiting"), _engine.Owned.Count,
                [.. _models.Select((m, i) => new ModelCalls(_engine.Metrics.Scores.Counts(i), m.Took.Take()))]);
            lock (_gate)
            {
                if (_samples.Count == Most) _samples.Dequeue();
                _samples.Enqueue(sample);
            }
        }
        finally
        {
            _sampling.Exit();
        }
        Sampled?.Invoke();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer.Dispose();
        _listener.Dispose();
    }

    private void Observe()
    {
        try
        {
            _listener.RecordObservableInstruments();
        }
        catch (AggregateException)
        {
            // A shard that is closed meanwhile can't tell its sizes: they are in the next sample.
        }
    }

    private long Gauge(string name) => (long)_gauges.GetValueOrDefault(name);

    private void Measured(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        switch (instrument.Name)
        {
            case "streamengine.interval.duration":
                _intervals.Record(value);
                break;
            case "streamengine.request.duration":
                _requests.Record(value);
                break;
            case "streamengine.model.duration":
                foreach (var (name, took) in _models)
                    if (tags is [{ Value: string model }, ..] && model == name) took.Record(value);
                break;
            default:
                if (tags is [{ Value: int partition }, ..])
                    _watermarks[partition] = DateTimeOffset.FromUnixTimeMilliseconds((long)(value * 1_000));
                break;
        }
    }

    /// <summary>Quantiles of what came since they were asked for last; two digits are exact, up to an hour.</summary>
    private sealed class Quantiles
    {
        private const long MostMicroseconds = 3_600_000_000;

        private readonly Lock _gate = new();
        private readonly LongHistogram _values = new(1, MostMicroseconds, 2);

        /// <summary>Adds a duration, in seconds.</summary>
        public void Record(double seconds)
        {
            lock (_gate) _values.RecordValue(Math.Clamp((long)(seconds * 1e6), 1, MostMicroseconds));
        }

        /// <summary>The quantiles, which begin anew.</summary>
        public Latency Take()
        {
            lock (_gate)
            {
                if (_values.TotalCount == 0) return Latency.None;
                var latency = new Latency(_values.TotalCount, _values.GetValueAtPercentile(50) / 1_000.0,
                    _values.GetValueAtPercentile(99) / 1_000.0);
                _values.Reset();
                return latency;
            }
        }
    }
}
