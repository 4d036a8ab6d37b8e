using System.Diagnostics.Metrics;
using StreamEngine.Telemetry;

namespace StreamEngine.Host.Demo;

/// <summary>
/// Listens to the engine's own instruments: quantiles of an interval's duration (from its first record to its confirmed commit: what the slowest decision took),
/// and the watermark. Buckets are 5 percent wide.
/// </summary>
internal sealed class Latencies : IDisposable
{
    private const double Width = 1.05, Smallest = 1e-5;

    private readonly MeterListener _listener = new();
    private readonly long[] _buckets = new long[400];
    private readonly Lock _lock = new();
    private double _watermark = double.MaxValue;

    public Latencies()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == EngineMeter.Name && instrument.Name is "streamengine.interval.duration" or "streamengine.watermark") listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<double>((instrument, value, _, _) =>
        {
            lock (_lock)
            {
                if (instrument.Name == "streamengine.watermark") _watermark = Math.Min(_watermark, value);
                else _buckets[Math.Clamp((int)Math.Ceiling(Math.Log(Math.Max(value, Smallest) / Smallest, Width)), 0, _buckets.Length - 1)]++;
            }
        });
        _listener.Start();
    }

    /// <summary>The lowest watermark over all shards; null before the first event.</summary>
    public DateTimeOffset? Watermark()
    {
        lock (_lock) _watermark = double.MaxValue;
        _listener.RecordObservableInstruments();
        lock (_lock) return _watermark == double.MaxValue ? null : DateTimeOffset.FromUnixTimeMilliseconds((long)(_watermark * 1_000));
    }

    /// <summary>The upper bound, in milliseconds, of the given share of all intervals so far; 0 where there are none.</summary>
    public double Quantile(double share)
    {
        lock (_lock)
        {
            var left = (long)Math.Ceiling(_buckets.Sum() * share);
            for (var i = 0; left > 0 && i < _buckets.Length; i++)
                if ((left -= _buckets[i]) <= 0) return Smallest * Math.Pow(Width, i) * 1_000;
        }
        return 0;
    }

    public void Dispose() => _listener.Dispose();
}
