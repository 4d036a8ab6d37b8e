using StreamEngine.Runtime;

namespace StreamEngine.Host.Demo;

/// <summary>Looks at a running demo now and then.</summary>
internal sealed class Watch(Engine engine, Producer producer, Latencies latencies)
{
    private readonly long _start = TimeProvider.System.GetTimestamp();
    private long _last = TimeProvider.System.GetTimestamp();
    private long _events, _decisions;

    /// <summary>Waits for the next look; null when the time is over, or something has ended.</summary>
    public async Task<DemoMoment?> NextAsync(TimeSpan every, TimeSpan limit, CancellationToken stop)
    {
        var left = limit - TimeProvider.System.GetElapsedTime(_start);
        if (left <= TimeSpan.Zero || stop.IsCancellationRequested || producer.Failure is not null) return null;
        var pause = Task.Delay(left < every ? left : every, TimeProvider.System, stop);
        var ended = await Task.WhenAny(pause, engine.Completion).ConfigureAwait(false);
        // the summary follows a last, shorter pause
        return ended == engine.Completion || stop.IsCancellationRequested || left < every ? null : Look();
    }

    /// <summary>Waits until everything written is read, or the engine has ended, or the time is over.</summary>
    public async Task CaughtUpAsync(TimeSpan limit)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (engine.Metrics.Totals().Records < producer.Written && !engine.Completion.IsCompleted
            && TimeProvider.System.GetElapsedTime(began) < limit)
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System).ConfigureAwait(false);
    }

    /// <summary>What is so now; rates are since the last look.</summary>
    public DemoMoment Look()
    {
        var totals = engine.Metrics.Totals();
        var seconds = Math.Max(1e-3, TimeProvider.System.GetElapsedTime(_last).TotalSeconds);
        var moment = new DemoMoment(TimeProvider.System.GetElapsedTime(_start), totals, (totals.Records - _events) / seconds,
            (totals.Decisions - _decisions) / seconds,
            Math.Max(0, producer.Written - totals.Records), latencies.Watermark(), latencies.Quantile(0.5), latencies.Quantile(0.99));
        (_last, _events, _decisions) = (TimeProvider.System.GetTimestamp(), totals.Records, totals.Decisions);
        return moment;
    }
}
