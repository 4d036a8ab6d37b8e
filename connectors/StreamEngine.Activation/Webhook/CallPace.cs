namespace StreamEngine.Activation.Webhook;

/// <summary>
/// Spaces calls evenly, so that no more than a rate go out (the leaky bucket). Any thread. Written here because .NET's rate limiters do not
/// take the injected clock.
/// </summary>
/// <param name="perSecond">The rate; 0 for none.</param>
/// <param name="time">The clock.</param>
internal sealed class CallPace(double perSecond, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly TimeSpan _between = perSecond > 0 ? TimeSpan.FromSeconds(1 / perSecond) : TimeSpan.Zero;
    private DateTimeOffset _next = DateTimeOffset.MinValue;

    /// <summary>Waits for the next free place.</summary>
    public Task WaitAsync(CancellationToken stop)
    {
        if (_between == TimeSpan.Zero) return Task.CompletedTask;
        TimeSpan wait;
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (_next < now) _next = now;
            wait = _next - now;
            _next += _between;
        }
        return wait > TimeSpan.Zero ? Task.Delay(wait, time, stop) : Task.CompletedTask;
    }
}
