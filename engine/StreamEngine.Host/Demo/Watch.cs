using System.Diagnostics;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Demo;

/// <summary>Looks at a running demo now and then.</summary>
internal sealed class Watch(Engine engine, Producer producer, Latencies latencies)
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _last = Stopwatch.GetTimestamp();
    private long _events, _decisions;

    /// <summary>Waits for the next look; null when the time is over, or something has ended.</summary>
    public async Task<DemoMoment?> NextAsync(TimeSpan every, TimeSpan limit, CancellationToken stop)
    {
        var left = limit - Stopwatch.GetElapsedTime(_start);
        if (left <= TimeSpan.Zero || stop.IsCancellationRequested || producer.Failure is not null) return null;
        var pause = Task.Delay(left < every ? left : every, stop);
        var ended = await Task.WhenAny(pause, engine.Completion).ConfigureAwait(false);
        // the summary follows a last, shorter pause
        return ended == engine.Completion || stop.IsCancellationRequested || left < every ? null : Look();
    }

    /// <summary>What is so now; rates are since the last look.</summary>
    public DemoMoment Look()
    {
        var totals = engine.Metrics.Totals();
        var seconds = Math.Max(1e-3, Stopwatch.GetElapsedTime(_last).TotalSeconds);
        var moment = new DemoMoment(Stopwatch.GetElapsedTime(_start), totals, (totals.Records - _events) / seconds,
            (totals.Decisions - _decisions) / seconds,
            Math.Max(0, producer.Written - totals.Records), latencies.Watermark(), latencies.Quantile(0.5), latencies.Quantile(0.99));
        (_last, _events, _decisions) = (Stopwatch.GetTimestamp(), totals.Records, totals.Decisions);
        return moment;
    }
}
