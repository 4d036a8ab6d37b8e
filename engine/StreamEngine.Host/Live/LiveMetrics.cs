using System.Diagnostics.Metrics;
using StreamEngine.Telemetry;

namespace StreamEngine.Host.Live;

/// <summary>The metrics of live streams.</summary>
internal sealed class LiveMetrics : IDisposable
{
    private readonly Meter _meter = EngineMeter.Create();
    private readonly Counter<long> _sent, _dropped, _ended, _refused;
    private readonly Histogram<double> _delay, _age;

    /// <param name="listeners">How many listen now.</param>
    public LiveMetrics(Func<int> listeners)
    {
        var advice = new InstrumentAdvice<double> { HistogramBucketBoundaries = EngineMeter.DurationBounds };
        _meter.CreateObservableGauge("streamengine.live.listeners", listeners, "{listener}", "Listeners to live streams.");
        _sent = _meter.CreateCounter<long>("streamengine.live.sent", "{event}", "Events that were sent to listeners, by type.");
        _dropped = _meter.CreateCounter<long>("streamengine.live.dropped", "{event}",
            "Decisions for which a listener that reads slowly had no room.");
        _ended = _meter.CreateCounter<long>("streamengine.live.ended", "{listener}", "Streams that ended, by reason.");
        _refused = _meter.CreateCounter<long>("streamengine.live.refused", "{listener}", "Listeners for whom there was no room, by limit.");
        _delay = _meter.CreateHistogram("streamengine.live.delay", "s",
            "From the commit of a decision, as this process heard of it, until it was sent to a listener.", advice: advice);
        _age = _meter.CreateHistogram("streamengine.live.age", "s",
            "From the time of what caused a decision until it was sent to a listener: means something where events carry the time of now.",
            advice: advice);
    }

    /// <summary>An event was sent.</summary>
    public void Sent(string type) => _sent.Add(1, new KeyValuePair<string, object?>("type", type));

    /// <summary>A decision was sent.</summary>
    public void Decided(TimeSpan delay, TimeSpan age)
    {
        _delay.Record(delay.TotalSeconds);
        _age.Record(Math.Max(0, age.TotalSeconds));
    }

    /// <summary>There was no room for decisions.</summary>
    public void Dropped(int decisions) => _dropped.Add(decisions);

    /// <summary>A stream ended.</summary>
    public void Ended(string reason) => _ended.Add(1, new KeyValuePair<string, object?>("reason", reason));

    /// <summary>There was no room for a listener.</summary>
    public void Refused(string limit) => _refused.Add(1, new KeyValuePair<string, object?>("limit", limit));

    public void Dispose() => _meter.Dispose();
}
