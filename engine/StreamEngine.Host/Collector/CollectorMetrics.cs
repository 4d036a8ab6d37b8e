using System.Diagnostics.Metrics;
using StreamEngine.Telemetry;

namespace StreamEngine.Host.Collector;

/// <summary>What became of a collected event.</summary>
internal enum EventOutcome
{
    /// <summary>It is in the log.</summary>
    Accepted,

    /// <summary>It was there already.</summary>
    Duplicate,

    /// <summary>Its customer has not consented: only that is written, or nothing.</summary>
    NoConsent,

    /// <summary>It is at fault.</summary>
    Rejected,
}

/// <summary>The collector's metrics.</summary>
internal sealed class CollectorMetrics : IDisposable
{
    private readonly Meter _meter = EngineMeter.Create();
    private readonly Counter<long> _events, _rejected;
    private readonly Histogram<double> _writes;

    /// <param name="taken">The bytes that requests take now.</param>
    /// <param name="remembered">How many ids are remembered.</param>
    public CollectorMetrics(Func<long> taken, Func<int> remembered)
    {
        _events = _meter.CreateCounter<long>("streamengine.collector.events", "{event}", "Collected events, by source and outcome.");
        _rejected = _meter.CreateCounter<long>("streamengine.collector.rejected", "{event}",
            "Collected events that were rejected, by source and reason.");
        _writes = _meter.CreateHistogram("streamengine.collector.write.duration", "s",
            "From the first of the events that are written together to their acknowledgement by the log.", advice:
            new InstrumentAdvice<double> { HistogramBucketBoundaries = EngineMeter.DurationBounds });
        _meter.CreateObservableGauge("streamengine.collector.queue.size", taken, "By",
            "Memory of requests that are read, checked or wait for the log.");
        _meter.CreateObservableGauge("streamengine.collector.remembered", remembered, "{event}",
            "Ids that are remembered, so that repeats are found.");
    }

    /// <summary>Counts events.</summary>
    public void Count(string source, string outcome, int events)
    {
        if (events > 0) _events.Add(events, new("source", source), new("outcome", outcome));
    }

    /// <summary>Counts a rejected event.</summary>
    public void Reject(string source, string reason) => _rejected.Add(1, new("source", source), new("reason", reason));

    /// <summary>Notes a write.</summary>
    public void Written(TimeSpan lasted) => _writes.Record(lasted.TotalSeconds);

    public void Dispose() => _meter.Dispose();
}
