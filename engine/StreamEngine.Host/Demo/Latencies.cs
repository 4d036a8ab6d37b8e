using System.Diagnostics.Metrics;
using HdrHistogram;
using StreamEngine.Telemetry;

namespace StreamEngine.Host.Demo;

/// <summary>
/// Listens to the engine's own instruments: quantiles of an interval's duration (from its first record to its confirmed commit: what the
/// slowest decision took), and the watermark. Three digits are exact, up to an hour.
/// </summary>
internal sealed class Latencies : IDisposable
{
    private const long MostMicroseconds = 3_600_000_000;

    private readonly MeterListener _listener = new();
    private readonly LongHistogram _durations = new(1, MostMicroseconds, 3);
    private readonly Lock _lock = new();
    private double _watermark = double.MaxValue;

    public Latencies()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == EngineMeter.Name
                && instrument.Name is "streamengine.interval.duration" or "streamengine.watermark") listener.EnableMeasurementEvents(
                instrument);
        };
        _listener.SetMeasurementEventCallback<double>((instrument, value, _, _) =>
        {
            lock (_lock)
            {
                if (instrument.Name == "streamengine.watermark") _watermark = Math.Min(_watermark, value);
                else _durations.RecordValue(Math.Clamp((long)(value * 1e6), 1, MostMicroseconds));
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

    /// <summary>The longest, in milliseconds, of the given share of all intervals so far; 0 where there are none.</summary>
    public double Quantile(double share)
    {
        lock (_lock) return _durations.TotalCount == 0 ? 0 : _durations.GetValueAtPercentile(share * 100) / 1_000.0;
    }

    public void Dispose() => _listener.Dispose();
}
