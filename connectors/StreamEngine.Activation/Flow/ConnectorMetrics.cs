using System.Diagnostics.Metrics;
using Polly.CircuitBreaker;
using StreamEngine.Telemetry;

namespace StreamEngine.Activation.Flow;

/// <summary>A connector's instruments, each with the label <c>activation</c>.</summary>
internal sealed class ConnectorMetrics : IDisposable
{
    private readonly Meter _meter = EngineMeter.Create();
    private readonly KeyValuePair<string, object?> _name;
    private readonly Counter<long> _delivered, _filtered, _retried, _deadLettered;
    private readonly Histogram<double> _duration;
    private long _inFlight, _lag, _deliveredTotal, _deadTotal, _retriedTotal;

    /// <param name="activation">The connector's name.</param>
    /// <param name="breaker">The state of its circuit breaker.</param>
    public ConnectorMetrics(string activation, Func<CircuitState> breaker)
    {
        _name = new("activation", activation);
        _delivered = _meter.CreateCounter<long>("streamengine.activation.delivered", "{record}", "Records that the partner has taken.");
        _filtered = _meter.CreateCounter<long>("streamengine.activation.filtered", "{record}", "Records that 'where' left out.");
        _retried = _meter.CreateCounter<long>("streamengine.activation.retries", "{delivery}",
            "Deliveries that failed and are tried again, by reason.");
        _deadLettered = _meter.CreateCounter<long>("streamengine.activation.dead_lettered", "{record}",
            "Records written to the dead letter, by reason.");
        _duration = _meter.CreateHistogram("streamengine.activation.delivery.duration", "s", "How long a delivery took, its last attempt "
            + "alone.", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = EngineMeter.DurationBounds });
        _meter.CreateObservableGauge("streamengine.activation.in_flight", () => Measured(InFlight), "{record}",
            "Records that are read and not delivered yet.");
        _meter.CreateObservableGauge("streamengine.activation.lag", () => Measured(Interlocked.Read(ref _lag)), "{record}",
            "Records in the topic's owned partitions that are not delivered yet.");
        _meter.CreateObservableGauge("streamengine.activation.breaker", () => Measured(breaker() switch
        {
            CircuitState.Closed => 0,
            CircuitState.HalfOpen => 1,
            _ => 2,
        }), "{state}", "The circuit breaker: 0 closed, 1 asking whether the partner is back, 2 open.");
    }

    /// <summary>Records that are read and not delivered yet.</summary>
    public long InFlight
    {
        get => Interlocked.Read(ref _inFlight);
        set => Interlocked.Exchange(ref _inFlight, value);
    }

    /// <summary>Records in the owned partitions that are not delivered yet.</summary>
    public long Lag
    {
        get => Interlocked.Read(ref _lag);
        set => Interlocked.Exchange(ref _lag, value);
    }

    /// <summary>What was done since the start.</summary>
    public ActivationCounts Counts => new(Interlocked.Read(ref _deliveredTotal), Interlocked.Read(ref _deadTotal),
        Interlocked.Read(ref _retriedTotal));

    /// <summary>The partner took these records.</summary>
    public void Delivered(int records, TimeSpan took)
    {
        _delivered.Add(records, _name);
        _duration.Record(took.TotalSeconds, _name);
        Interlocked.Add(ref _deliveredTotal, records);
    }

    /// <summary>A record was left out.</summary>
    public void Filtered() => _filtered.Add(1, _name);

    /// <summary>A delivery is tried again.</summary>
    public void Retried(string reason)
    {
        _retried.Add(1, _name, new KeyValuePair<string, object?>("reason", reason));
        Interlocked.Increment(ref _retriedTotal);
    }

    /// <summary>A record became a dead letter.</summary>
    public void DeadLettered(string reason)
    {
        _deadLettered.Add(1, _name, new KeyValuePair<string, object?>("reason", reason));
        Interlocked.Increment(ref _deadTotal);
    }

    public void Dispose() => _meter.Dispose();

    private Measurement<long> Measured(long value) => new(value, _name);
}

/// <summary>What a connector did since its start.</summary>
/// <param name="Delivered">Records that the partner has taken, those of a dead letter not among them.</param>
/// <param name="DeadLettered">Records written to the dead letter.</param>
/// <param name="Retried">Deliveries that were tried again.</param>
public sealed record ActivationCounts(long Delivered, long DeadLettered, long Retried);
